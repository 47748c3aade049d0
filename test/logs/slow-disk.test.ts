/** A disk that takes its time holds up whoever writes to it, and not the daemon. */
import { existsSync, readdirSync, readFileSync, readlinkSync, statSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import { instanceId, programName, run } from '../../src/base/ids.ts';
import type { Plumbing } from '../../src/ports/plumbing.ts';
import { useLeakCheck } from '../rig/leaks.ts';
import { within } from '../rig/within.ts';
import { filesOf } from './put-aside.ts';
import { canCarry, ID, until, useScene } from './rig.ts';

const leaks = useLeakCheck();
const scene = useScene(leaks);

/** On a busy machine all that is slow may be taken for a wait for a processor: here every wait is the disk's. */
vi.mock('../../src/logs/slowness.ts', async (original) => {
  const real = await original<typeof import('../../src/logs/slowness.ts')>();
  class Slowness extends real.Slowness {
    constructor() {
      super(new real.Queue(() => 0));
    }
  }
  return { ...real, Slowness };
});

class SlowDisk {
  /** Calls that have held up this thread. */
  waits = 0;
  /** What waits on other threads; let go one by one. */
  readonly aside: { readonly pipe: number; go(): void }[] = [];
  /** By their pipes, those that are in the hands of another thread: so many times. */
  readonly inTheAir = new Map<number, number>();

  readonly through = (real: Plumbing): Plumbing => ({
    ...real,
    splice: (...args) => {
      const moved = real.splice(...args);
      if (moved <= 0) return moved; // there was nothing for the disk
      this.waits++;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 60);
      return moved;
    },
    spliceAside: (pipe, file, at, most, done) => {
      this.#count(pipe, 1);
      const landed = (moved: number): void => {
        this.#count(pipe, -1);
        done(moved);
      };
      this.aside.push({ pipe, go: () => real.spliceAside(pipe, file, at, most, landed) });
    },
  });

  #count(pipe: number, more: number): void {
    this.inTheAir.set(pipe, (this.inTheAir.get(pipe) ?? 0) + more);
  }
}

describe.skipIf(!canCarry)('a slow disk', () => {
  test('is waited for once, and by another thread from then on', async () => {
    const [s, disk] = [scene(), new SlowDisk()];
    s.through = disk.through;
    const { stdout, close } = s.open();
    writeSync(stdout, 'one\n');
    await until('the first move', () => disk.waits === 1);
    for (const text of ['two\n', 'three\n']) {
      writeSync(stdout, text);
      await until('another thread', () => disk.aside.length > 0);
      expect(readFileSync(s.log, 'utf8')).not.toContain(text);
      // Whoever asks meanwhile is not held up.
      s.captures.drain();
      while (!readFileSync(s.log, 'utf8').includes(text)) {
        disk.aside.shift()?.go();
        await new Promise(setImmediate);
      }
    }
    expect(readFileSync(s.log, 'utf8')).toBe('one\ntwo\nthree\n');
    expect(disk.waits).toBe(1);
    close();
    await letAllGo(disk, () => s.captures.ended(run(1)));
  });

  test('holds up nobody either where files are put aside; each ends with its line', async () => {
    const [s, disk] = [scene(), new SlowDisk()];
    s.through = disk.through;
    const { stdout, close } = s.open(s.log, { logging: { maxBytes: 100, keep: 1000 } });
    writeSync(stdout, 'one\n');
    await until('the first move', () => disk.waits === 1);
    const lines = Array.from({ length: 200 }, (_, n) => `${n} ${'x'.repeat((n * 7919) % 60)}\n`);
    for (const line of lines) writeSync(stdout, line);
    await until('all of it', () => {
      disk.aside.shift()?.go();
      return allIn(s.log) === `one\n${lines.join('')}`;
    });
    const files = filesOf(s.log).slice(0, -1);
    expect(files.length).toBeGreaterThan(30);
    // A disk that was not slow for five seconds is tried again.
    expect(disk.waits).toBeLessThan(files.length / 4);
    for (const file of files) expect([file.length >= 100, file.at(-1)]).toEqual([true, 10]);
    close();
    await letAllGo(disk, () => s.captures.ended(run(1)));
  });

  test('has what one program writes in the hands of one thread, also after others have had them all', async () => {
    const [s, disk] = [scene(), new SlowDisk()];
    s.through = disk.through;
    const programs = [1, 2, 3].map((n) => {
      const log = join(s.folder, `worker-${n}.log`);
      return { n, log, ...s.open(log, { id: instanceId(programName('worker'), n), run: run(n) }) };
    });
    for (const { stdout } of programs) writeSync(stdout, 'one\n');
    await until('the first moves', () => disk.waits === 3);
    await letAllGo(disk, () => {}); // each is listened to again
    for (const { stdout } of programs) writeSync(stdout, 'two\n');
    await until('other threads', () => disk.aside.length === 2);
    await turns(); // the third one looks again and again whether it is its turn
    while (disk.inTheAir.size < 3) {
      disk.aside.shift()?.go();
      await turns();
    }
    // All threads but the one that has it are free, and none of them takes it up as well.
    const [last] = [...disk.inTheAir.keys()].slice(-1);
    await letAllGo(disk, () => {}, last);
    expect([...disk.inTheAir.values()]).toEqual([0, 0, 1]);
    await letAllGo(disk, () => {});
    expect(programs.map(({ log }) => readFileSync(log, 'utf8'))).toEqual(Array(3).fill('one\ntwo\n'));
    for (const { close } of programs) close();
    await letAllGo(disk, () => {
      for (const { n } of programs) s.captures.ended(run(n));
    });
  });

  test('is waited for before the end of a program is told', async () => {
    const [s, disk] = [scene(), new SlowDisk()];
    s.through = disk.through;
    const { stdout, close } = s.open();
    writeSync(stdout, 'one\n');
    await until('the first move', () => disk.waits === 1);
    writeSync(stdout, 'last\n');
    close();
    let isTold = false;
    const told = new Promise<void>((resolve) =>
      s.captures.ended(run(1), () => {
        isTold = true;
        resolve();
      }),
    );
    expect(isTold).toBe(false);
    await letAllGo(disk, () => {});
    await within('the end to be told', told);
    expect(readFileSync(s.log, 'utf8')).toBe('one\nlast\n');
  });

  test('that does not answer at all does not keep the end of a program a secret for ever', async () => {
    const [s, disk] = [scene(), new SlowDisk()];
    s.through = disk.through;
    const { stdout, close } = s.open();
    writeSync(stdout, 'one\n');
    await until('the first move', () => disk.waits === 1);
    writeSync(stdout, 'last\n');
    close();
    await within('the end to be told', new Promise<void>((resolve) => s.captures.ended(run(1), resolve)));
    expect(statSync(s.log).size).toBe(4);
    await letAllGo(disk, () => {});
    await until('the rest', () => statSync(s.log).size === 9);
  });

  test('that is at work when the daemon ends leaves what is in the pipe to the next one', async () => {
    const [s, disk] = [scene(), new SlowDisk()];
    s.through = disk.through;
    const { stdout, close } = s.open();
    writeSync(stdout, 'one\n');
    await until('the first move', () => disk.waits === 1);
    writeSync(stdout, 'two\n');
    await until('another thread', () => disk.aside.length > 0);
    writeSync(stdout, 'three\n'); // the second one may be in the file, where a processor was waited for rather than the disk
    let isOver = false;
    s.close(() => {
      isOver = true;
    });
    expect(existsSync(join(s.fifos, `${ID}.out`))).toBe(true);
    s.through = (plumbing) => plumbing;
    s.captures.drain();
    expect(readFileSync(s.log, 'utf8')).toBe('one\ntwo\nthree\n');
    // The thread comes too late: there is nothing any more. Then what the last daemon held is let go.
    expect([open(s.log), isOver]).toEqual([2, false]);
    disk.aside.shift()?.go();
    await until('its descriptors to be closed', () => open(s.log) === 1);
    expect(isOver).toBe(true);
    close();
  });
});

/** Of all files; empty where they are put aside just now. */
function allIn(log: string): string {
  try {
    return Buffer.concat(filesOf(log)).toString();
  } catch {
    return '';
  }
}

/** How often this process has it open. */
const open = (path: string): number =>
  readdirSync('/proc/self/fd').filter((name) => readLink(`/proc/self/fd/${name}`) === path).length;

function readLink(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return '';
  }
}

/** Of the loop, so many that timers of a few milliseconds are over. */
async function turns(): Promise<void> {
  for (let left = 20; left > 0; left--) await new Promise((resolve) => setTimeout(resolve, 1));
}

/** Until nothing waits any more, but of this pipe. */
async function letAllGo(disk: SlowDisk, act: () => void, but: number | null = null): Promise<void> {
  act();
  for (let quiet = 0; quiet < 20; quiet++) {
    const next = disk.aside.findIndex(({ pipe }) => pipe !== but);
    if (next >= 0) quiet = 0;
    disk.aside.splice(next, next < 0 ? 0 : 1)[0]?.go();
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}
