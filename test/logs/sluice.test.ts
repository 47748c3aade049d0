/** A second FIFO behind that of a fast program: all that goes through both is in the log, once and in order, whatever happens. */
import { execFileSync } from 'node:child_process';
import {
  closeSync,
  constants,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  write,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { run } from '../../src/base/ids.ts';
import { fail } from '../../src/base/result.ts';
import type { LogSettings } from '../../src/core/plan.ts';
import { Fifo } from '../../src/logs/fifo.ts';
import { Sluice } from '../../src/logs/sluice.ts';
import { createPlumbing } from '../../src/os/plumbing.ts';
import type { Plumbing } from '../../src/ports/plumbing.ts';
import { useLeakCheck } from '../rig/leaks.ts';
import { filesOf } from './put-aside.ts';
import { canCarry, dice, ID, type Scene, until, useScene } from './rig.ts';

const leaks = useLeakCheck();
const scene = useScene(leaks);
/** What a test that fails has not closed. */
const open = new Set<() => void>();
afterEach(() => {
  vi.useRealTimers();
  for (const close of open) close();
});

const MIB = 1024 * 1024;
const writeOn = promisify(write);

const fifoOf = (s: Scene): string => join(s.fifos, `${ID}.out`);
const midOf = (s: Scene): string => `${fifoOf(s)}.mid`;
const textOf = (path: string): string => (existsSync(path) ? readFileSync(path, 'utf8') : '');

/** Of all files; empty where they are put aside just now. */
function allIn(log: string): string {
  try {
    return Buffer.concat(filesOf(log)).toString();
  } catch {
    return '';
  }
}

/** Counts what went from one FIFO into the other. */
class Shifts {
  bytes = 0;
  keeps = 0;
  patienceS = 0;

  readonly through = (real: Plumbing): Plumbing => ({
    ...real,
    shift: (...args) => {
      const moved = real.shift(...args);
      this.bytes += Math.max(0, moved);
      return moved;
    },
    keep: (...args) => {
      const kept = real.keep(...args);
      if (kept.ok) this.keeps++;
      this.patienceS = args[2];
      return kept;
    },
  });

  async areKept(): Promise<void> {
    await until('a keeper', () => this.keeps > 0);
  }
}

/** A program's end, whose daemon died when there was a second FIFO already: the next one is not there yet. */
function begun(s: Scene, logging: Partial<LogSettings> = {}) {
  const { stdout, close } = s.open(s.log, { logging });
  s.close();
  execFileSync('mkfifo', [midOf(s)]);
  return { stdout, close: onceAtTheLatest(close) };
}

function onceAtTheLatest(act: () => void): () => void {
  const once = (): void => {
    if (open.delete(once)) act();
  };
  open.add(once);
  return once;
}

/** The next daemon, which has taken it up. */
async function takenUp(s: Scene, shifts: Shifts, through = shifts.through): Promise<void> {
  s.through = through;
  s.adopt();
  await shifts.areKept();
}

/** As whoever held it when the last daemon died has it. */
function fill(fifo: string, text: string): () => void {
  const both = openSync(fifo, constants.O_RDWR);
  writeSync(both, text);
  return onceAtTheLatest(() => closeSync(both));
}

const descriptors = (): number =>
  readdirSync('/proc/self/fd').filter((name) => {
    try {
      return readlinkSync(`/proc/self/fd/${name}`).includes('/fifos/');
    } catch {
      return false;
    }
  }).length;

/** Nobody writes any more: nothing of it stays. */
async function nothingStays(s: Scene): Promise<void> {
  await until('its FIFOs to go', () => {
    s.captures.dismiss(ID);
    return readdirSync(s.fifos).filter((name) => name !== 'keeper').length === 0;
  });
  await until('all of them to be closed', () => descriptors() === 0);
}

describe.skipIf(!canCarry)('what goes through a second FIFO', () => {
  test('is in the files byte for byte, in chunks of any size, and leaves nothing behind', async () => {
    const seed = Number(process.env.SEED ?? Date.now() % 1_000_000);
    const random = dice(seed);
    const [s, shifts] = [scene(), new Shifts()];
    const { stdout, close } = begun(s, { maxBytes: 100_000 + random(400_000), keep: 1000 });
    await takenUp(s, shifts);
    const written: Buffer[] = [];
    for (let i = 0; i < 60; i++) {
      const most = [1, 100, 5000, 70_000, 2_000_000][random(5)] ?? 1;
      const chunk = Buffer.from(Array.from({ length: random(most + 1) % 300_000 }, () => random(256)));
      written.push(chunk);
      for (let at = 0; at < chunk.length; )
        at += (await writeOn(stdout, chunk, at, chunk.length - at, null)).bytesWritten;
      if (random(8) === 0) await s.drain();
    }
    close();
    await s.over();
    expect(shifts.patienceS).toBe(24 * 3600); // what is in it nobody else holds
    expect(Buffer.concat(filesOf(s.log)).equals(Buffer.concat(written)), `seed ${seed}`).toBe(true);
    // All of it, but what came while the disk took its time.
    expect([shifts.bytes > 0, filesOf(s.log).length > 3], `seed ${seed}`).toEqual([true, true]);
    await nothingStays(s);
  });

  test('is carried on by itself where it takes more than a turn: nobody has to write again', async () => {
    const [s, shifts] = [scene(), new Shifts()];
    const { stdout, close } = begun(s, { maxBytes: 10, keep: 100_000 });
    await takenUp(s, shifts);
    const lines = Array.from({ length: 60 }, (_, n) => `line ${n}\n`).join('');
    writeSync(stdout, lines);
    await until('all of it', () => allIn(s.log) === lines);
    expect(shifts.bytes).toBe(lines.length);
    close();
    await nothingStays(s);
  });

  test('and was in it when a daemon died comes first', async () => {
    const [s, shifts] = [scene(), new Shifts()];
    const { stdout, close } = begun(s);
    const letGo = fill(midOf(s), 'first\n'.repeat(100));
    writeSync(stdout, 'two\n');
    s.through = shifts.through;
    s.adopt();
    await s.over();
    letGo();
    expect(textOf(s.log)).toBe(`${'first\n'.repeat(100)}two\n`);
    close();
    await nothingStays(s);
  });

  test('is not lost where somebody has removed the first one, nor mixed with what comes through another', async () => {
    const s = scene();
    const { stdout, close } = begun(s);
    const letGo = fill(midOf(s), 'one\n');
    writeSync(stdout, 'gone with the FIFO\n');
    rmSync(fifoOf(s));
    const other = join(s.folder, 'other.log');
    await s.write('two\n', other, { run: run(2) });
    letGo();
    close();
    expect([textOf(s.log), textOf(other), s.warned]).toEqual(['one\n', 'two\n', []]);
    await nothingStays(s);
  });

  test('goes where it was to go, when the next run is to write elsewhere', async () => {
    const [s, shifts] = [scene(), new Shifts()];
    const other = join(s.folder, 'other.log');
    const { stdout, close } = begun(s);
    const letGo = fill(midOf(s), 'one\n');
    writeSync(stdout, 'two\n');
    s.through = shifts.through;
    await s.write('three\n', other, { run: run(2) });
    letGo();
    close();
    expect([s.log, other].map(textOf)).toEqual(['one\ntwo\n', 'three\n']);
    await nothingStays(s);
  });
});

describe.skipIf(!canCarry)('a second FIFO', () => {
  test.each<[string, number, boolean, boolean]>([
    ['is made for whoever writes 32 MiB in a tenth of a second', 3, true, true],
    ['is not made for whoever is slower', 4, true, false],
    [
      'is not made where somebody has removed all there was: nobody would know where it leads',
      3,
      false,
      false,
    ],
  ])('%s', (_, msEach, isThere, isMade) => {
    vi.useFakeTimers({ toFake: ['performance'] });
    const s = scene();
    const plumbing = createPlumbing();
    if (plumbing === null) throw new Error('no koffi');
    mkdirSync(s.fifos);
    const fifo = Fifo.make(fifoOf(s), s.log, plumbing);
    const sink = {
      isSlow: false,
      heldMs: 0,
      isRaw: true,
      take: () => MIB,
      takeAside: () => {},
      close: () => {},
    };
    if (!isThere) for (const name of readdirSync(s.fifos)) rmSync(join(s.fifos, name));
    let grown = 0;
    const sluice = new Sluice(fifo, sink, { plumbing, pipeBytes: 64 * 1024, grown: () => void grown++ });
    for (let n = 0; n < 100; n++) {
      sluice.take(MIB);
      vi.advanceTimersByTime(msEach);
    }
    expect([grown, existsSync(midOf(s)), sluice.pipes.length]).toEqual(isMade ? [1, true, 2] : [0, false, 1]);
    if (isMade) expect(statSync(midOf(s)).mode & 0o777).toBe(0o600);
    sluice.remove();
    sluice.close();
    fifo.remove();
    fifo.close();
    plumbing.close();
    expect([readdirSync(s.fifos), descriptors()]).toEqual([[], 0]);
  });

  test('is none where its name is something else’s, and all is carried as without', async () => {
    const s = scene();
    const { stdout, close } = s.open(s.log);
    s.close();
    writeSync(stdout, 'one\n');
    writeFileSync(midOf(s), 'no FIFO');
    s.adopt();
    writeSync(stdout, 'two\n');
    await s.drain();
    expect([textOf(s.log), textOf(midOf(s))]).toEqual(['one\ntwo\n', 'no FIFO']);
    rmSync(midOf(s));
    close();
    await nothingStays(s);
  });

  test('that nobody keeps is not used', async () => {
    const [s, shifts] = [scene(), new Shifts()];
    const { stdout, close } = begun(s);
    let asked = 0;
    s.through = (real) => ({
      ...shifts.through(real),
      keep: () => {
        asked++;
        return fail('no more processes');
      },
    });
    s.adopt();
    await until('somebody to ask for it', () => asked > 0);
    writeSync(stdout, 'text\n');
    await s.drain();
    expect([textOf(s.log), shifts.bytes]).toEqual(['text\n', 0]);
    close();
    await nothingStays(s);
  });

  test('that somebody has removed is not used any more: the next daemon would not find it', async () => {
    const [s, shifts] = [scene(), new Shifts()];
    const { stdout, close } = begun(s);
    await takenUp(s, shifts);
    rmSync(midOf(s));
    let written = '';
    await until('it to be left', () => {
      const before = shifts.bytes;
      written += 'text\n';
      writeSync(stdout, 'text\n');
      s.captures.drain();
      return shifts.bytes === before;
    });
    await s.drain();
    expect(textOf(s.log)).toBe(written);
    close();
    await nothingStays(s);
  });

  test('is not used for lines that are looked at', async () => {
    const [s, shifts] = [scene(), new Shifts()];
    const { stdout, close } = begun(s, { format: 'json' });
    await takenUp(s, shifts);
    writeSync(stdout, 'text\n');
    await s.drain();
    expect(textOf(s.log)).toContain('"message":"text"');
    expect(shifts.bytes).toBe(0);
    close();
    await nothingStays(s);
  });

  test('is emptied, and not used any more, where the disk takes its time', async () => {
    const [s, shifts] = [scene(), new Shifts()];
    const { stdout, close } = begun(s);
    const aside: (() => void)[] = [];
    let isSlow = false;
    await takenUp(s, shifts, (real) => ({
      ...shifts.through(real),
      splice: (...args) => {
        const moved = isSlow ? real.splice(args[0], args[1], args[2], 4) : real.splice(...args);
        if (isSlow && moved > 0) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 60); // well beyond what a busy machine hides
        return moved;
      },
      spliceAside: (...args) => void aside.push(() => real.spliceAside(...args)),
    }));
    isSlow = true;
    writeSync(stdout, 'one\ntwo\n');
    await until('another thread', () => aside.length > 0);
    expect([textOf(s.log), shifts.bytes]).toEqual(['one\n', 8]);
    writeSync(stdout, 'three\n');
    close();
    const over = s.over();
    await until('all of it', () => {
      aside.shift()?.();
      return textOf(s.log) === 'one\ntwo\nthree\n';
    });
    await over;
    expect(shifts.bytes).toBe(8);
    await until('its FIFOs to go', () => {
      aside.shift()?.();
      s.captures.dismiss(ID);
      return readdirSync(s.fifos).filter((name) => name !== 'keeper').length === 0;
    });
    expect(descriptors()).toBe(0);
  });
});

describe.skipIf(!canCarry)('a second FIFO before a file that cannot be written to', () => {
  /** With something in it that has no place. */
  async function stuck(whenFull: LogSettings['whenFull']) {
    const [s, shifts] = [scene(), new Shifts()];
    const { stdout, close } = begun(s, { whenFull });
    await takenUp(s, shifts);
    rmSync(s.log, { force: true });
    mkdirSync(s.log);
    writeSync(stdout, 'one\n');
    // Before anybody has heard of it: from now on there is nothing to hear of.
    s.captures.drain();
    expect([s.said.length, shifts.bytes]).toEqual([1, 4]);
    return { s, shifts, stdout, close };
  }

  test('is tried again by itself', async () => {
    const { s, close } = await stuck('block');
    rmSync(s.log, { recursive: true });
    await until('all of it', () => textOf(s.log) === 'one\n');
    close();
    await nothingStays(s);
  });

  test('keeps what is in it where all of it is wanted', async () => {
    const { s, shifts, stdout, close } = await stuck('block');
    writeSync(stdout, 'two\n');
    await s.drain();
    expect(shifts.bytes).toBe(4); // and no more than that
    rmSync(s.log, { recursive: true });
    await until('all of it', () => textOf(s.log) === 'one\ntwo\n');
    expect(s.captures.droppedBytes(ID)).toBe(0);
    close();
    await nothingStays(s);
  });

  test('loses what is lost without it, and counts that', async () => {
    const { s, stdout, close } = await stuck('drop');
    writeSync(stdout, 'two\n');
    await s.drain();
    await until('both to be dropped', () => s.captures.droppedBytes(ID) === 8);
    rmSync(s.log, { recursive: true });
    await until('all to be well', () => {
      writeSync(stdout, '.');
      return s.captures.warnings.length === 0;
    });
    await s.drain();
    expect(textOf(s.log)).toMatch(/^\.+$/);
    close();
    await nothingStays(s);
  });

  test('is another’s when its FIFO is: what is in it is found by the next daemon, and in no other log', async () => {
    const { s, close } = await stuck('block');
    const other = join(s.folder, 'other.log');
    rmSync(fifoOf(s));
    const next = s.open(other, { run: run(2) });
    writeSync(next.stdout, 'two\n');
    await until('what comes through the new one', () => textOf(other) === 'two\n');
    close();
    s.close();
    rmSync(s.log, { recursive: true });
    s.adopt();
    await until('what was left', () => textOf(s.log) === 'one\n');
    expect(textOf(other)).toBe('two\n');
    next.close();
    await nothingStays(s);
  });
});
