/** In which rhythm a pipe is looked at, by what was in it. */
import { constants } from 'node:os';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Capture } from '../../src/logs/capture.ts';
import { Flights, FOR_DISKS } from '../../src/logs/flights.ts';
import type { Flow } from '../../src/logs/sink.ts';
import { Turns } from '../../src/logs/turns.ts';
import type { Plumbing } from '../../src/ports/plumbing.ts';

const PIPE = 7;
const NOTHING = -constants.errno.EAGAIN;
const MUCH = 64 * 1024;
const LITTLE = 100;

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** A pipe in which there is, look by look, what the test says, and nothing after that. */
class Rhythm {
  readonly gets: number[] = [];
  looks = 0;
  isOver = false;
  #listener: (() => void) | null = null;
  readonly capture: Capture;

  constructor(pipeBytes = 1024 * 1024) {
    const none = (): never => {
      throw new Error('nobody asks for this here');
    };
    const plumbing: Plumbing = {
      makeFifo: none,
      enlarge: none,
      pendingIn: none,
      sizeOf: none,
      splice: none,
      shift: none,
      peek: none,
      spliceAside: none,
      keep: none,
      close: none,
      watch: (_, readable) => {
        if (this.#listener !== null) throw new Error('it is listened to already');
        this.#listener = readable;
        return true;
      },
      unwatch: () => {
        this.#listener = null;
      },
    };
    const flow: Flow = {
      isSlow: false,
      heldMs: 0,
      take: () => {
        this.looks++;
        return this.gets.shift() ?? NOTHING;
      },
      takeAside: none,
      pending: 0,
      isUnderWay: false,
    };
    const tools = { plumbing, flights: new Flights(FOR_DISKS), turns: new Turns() };
    this.capture = new Capture(PIPE, pipeBytes, flow, tools, () => {
      this.isOver = true;
    });
    this.capture.watch();
  }

  /** As the system has it: only while somebody listens. */
  get isListenedTo(): boolean {
    return this.#listener !== null;
  }

  /** All that are listened to are looked at now. */
  heard(...gets: number[]): void {
    this.gets.push(...gets);
    this.#listener?.();
  }
}

test('whoever writes little is listened to, and costs one look at a time', () => {
  const rhythm = new Rhythm();
  for (let n = 1; n <= 5; n++) {
    rhythm.heard(LITTLE);
    expect([rhythm.looks, rhythm.isListenedTo, vi.getTimerCount()]).toEqual([n, true, 0]);
  }
});

test('whoever writes much is looked at again at once, as long as it is much, and not listened to meanwhile', () => {
  const rhythm = new Rhythm();
  rhythm.heard(MUCH, MUCH, MUCH, LITTLE);
  expect([rhythm.looks, rhythm.isListenedTo]).toEqual([1, false]);
  vi.advanceTimersByTime(0);
  expect(rhythm.looks).toBe(4);
});

test('then it has a rhythm of its own, so that it waits for nobody, until it has become one of the others', () => {
  const rhythm = new Rhythm();
  rhythm.heard(MUCH);
  vi.advanceTimersByTime(0);
  for (let n = 0; n < 3; n++) {
    const { looks } = rhythm;
    rhythm.gets.push(MUCH);
    vi.advanceTimersByTime(8);
    expect(rhythm.looks, 'within 8 ms').toBeGreaterThan(looks);
    expect(rhythm.isListenedTo).toBe(false);
  }
  vi.advanceTimersByTime(100);
  expect([rhythm.isListenedTo, vi.getTimerCount()]).toEqual([true, 0]);
});

test('of a pipe that holds little, less is much', () => {
  const rhythm = new Rhythm(8192);
  rhythm.heard(4096);
  expect(rhythm.isListenedTo).toBe(false);
});

test('its end is told, and then there is nothing to listen to', () => {
  const rhythm = new Rhythm();
  rhythm.heard(MUCH, LITTLE, 0);
  vi.advanceTimersByTime(100);
  expect([rhythm.isOver, rhythm.isListenedTo, vi.getTimerCount()]).toEqual([true, false, 0]);
});

test('whoever is closed in the middle of it is not looked at any more', () => {
  for (const gets of [[MUCH], [MUCH, LITTLE]]) {
    const rhythm = new Rhythm();
    rhythm.heard(...gets);
    if (gets.length > 1) vi.advanceTimersByTime(0);
    rhythm.capture.close(() => {});
    const { looks } = rhythm;
    vi.advanceTimersByTime(100);
    expect([rhythm.looks, rhythm.isListenedTo]).toEqual([looks, false]);
  }
});
