/** A disk that takes its time holds up whoever writes to it, and not the daemon. */
import { existsSync, readdirSync, readFileSync, readlinkSync, statSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { run } from '../../src/base/ids.ts';
import type { Plumbing } from '../../src/ports/plumbing.ts';
import { useLeakCheck } from '../rig/leaks.ts';
import { within } from '../rig/within.ts';
import { canCarry, ID, until, useScene } from './rig.ts';

const leaks = useLeakCheck();
const scene = useScene(leaks);

class SlowDisk {
  /** Calls that have held up this thread. */
  waits = 0;
  /** What waits on other threads; let go one by one. */
  readonly aside: (() => void)[] = [];

  readonly through = (real: Plumbing): Plumbing => ({
    ...real,
    splice: (...args) => {
      const moved = real.splice(...args);
      if (moved <= 0) return moved; // there was nothing for the disk
      this.waits++;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 25);
      return moved;
    },
    spliceAside: (pipe, file, at, most, done) => {
      this.aside.push(() => real.spliceAside(pipe, file, at, most, done));
    },
  });
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
        disk.aside.shift()?.();
        await new Promise(setImmediate);
      }
    }
    expect(readFileSync(s.log, 'utf8')).toBe('one\ntwo\nthree\n');
    expect(disk.waits).toBe(1);
    close();
    await letAllGo(disk, () => s.captures.ended(run(1)));
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
    let isOver = false;
    s.close(() => {
      isOver = true;
    });
    expect(existsSync(join(s.fifos, `${ID}.out`))).toBe(true);
    s.through = (plumbing) => plumbing;
    s.captures.drain();
    expect(readFileSync(s.log, 'utf8')).toBe('one\ntwo\n');
    // The thread comes too late: there is nothing any more. Then what the last daemon held is let go.
    expect([open(s.log), isOver]).toEqual([2, false]);
    disk.aside.shift()?.();
    await until('its descriptors to be closed', () => open(s.log) === 1);
    expect(isOver).toBe(true);
    close();
  });
});

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

/** Until nothing waits any more. */
async function letAllGo(disk: SlowDisk, act: () => void): Promise<void> {
  act();
  for (let quiet = 0; quiet < 20; quiet++) {
    const next = disk.aside.shift();
    if (next !== undefined) quiet = 0;
    next?.();
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}
