/** A disk is slow when it is the disk that was waited for. */
import { beforeEach, expect, test, vi } from 'vitest';
import { Queue, Slowness } from '../../src/logs/slowness.ts';

let now = 1000;
let queued = 0;
beforeEach(() => {
  now = 1000;
  queued = 0;
  vi.spyOn(performance, 'now').mockImplementation(() => now);
});

const create = (): Slowness => new Slowness(new Queue(() => queued));

/** Something that takes so long, of which it waits so long for a processor. */
function call(slowness: Slowness, tookMs: number, queuedMs: number, threads = 1): void {
  slowness.begin();
  const began = now;
  now += tookMs;
  queued += queuedMs;
  slowness.end(began, threads);
}

test('what takes long is slow, for a while', () => {
  const slowness = create();
  call(slowness, 19, 0);
  expect(slowness.isSlow).toBe(false);
  call(slowness, 21, 0);
  expect(slowness.isSlow).toBe(true);
  now += 5000;
  expect(slowness.isSlow).toBe(false);
});

test('a processor that others had is not the disk', () => {
  const slowness = create();
  call(slowness, 100, 95);
  expect(slowness.isSlow).toBe(false);
  call(slowness, 100, 45, 2);
  expect(slowness.isSlow).toBe(false);
  call(slowness, 100, 75);
  expect(slowness.isSlow).toBe(true);
});

test('what was waited for before it began says nothing', () => {
  const slowness = create();
  call(slowness, 1, 0);
  now += 100;
  queued += 100;
  call(slowness, 30, 0);
  expect(slowness.isSlow).toBe(true);
});

test('of this very thread it is known', () => {
  const slowness = new Slowness();
  slowness.begin();
  slowness.end(now);
  expect(slowness.isSlow).toBe(false);
});
