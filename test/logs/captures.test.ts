/** Every byte that a program writes is in its log once, in order, whatever becomes of the file; and no program waits for it. */
import {
  chmodSync,
  chownSync,
  existsSync,
  lchownSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  write,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { instanceId, programName, run } from '../../src/base/ids.ts';
import { useLeakCheck } from '../rig/leaks.ts';
import { PLAIN } from '../rig/logging.ts';
import { canCarry, dice, ID, until, useScene } from './rig.ts';

const leaks = useLeakCheck();
const scene = useScene(leaks);
const isRoot = process.getuid?.() === 0;
const NOBODY = { uid: 65534, gid: 65534, groups: [65534], name: 'nobody', home: '/', shell: '/bin/sh' };

/** By a thread of its own, which waits while the pipe is full. */
const writeOn = promisify(write);
async function writeAll(descriptor: number, bytes: Buffer): Promise<void> {
  for (let at = 0; at < bytes.length; ) {
    const { bytesWritten } = await writeOn(descriptor, bytes, at, bytes.length - at, null);
    at += bytesWritten;
  }
}

describe.skipIf(!canCarry)('what a program writes', () => {
  test('is in the file byte for byte, in chunks of any size', async () => {
    const seed = Number(process.env.SEED ?? Date.now() % 1_000_000);
    const random = dice(seed);
    const s = scene();
    const { stdout, close } = s.open();
    const written: Buffer[] = [];
    for (let i = 0; i < 60; i++) {
      const most = [1, 100, 5000, 70_000, 1_000_000][random(5)] ?? 1;
      const chunk = Buffer.from(Array.from({ length: random(most + 1) % 200_000 }, () => random(256)));
      written.push(chunk);
      await writeAll(stdout, chunk);
      if (random(8) === 0) await s.drain();
    }
    close();
    await s.over();
    expect(readFileSync(s.log).equals(Buffer.concat(written)), `seed ${seed}`).toBe(true);
  });

  test('is there also when it comes just after somebody has looked and found nothing', async () => {
    const s = scene();
    let looks = 0;
    let late = (): void => {};
    s.through = (real) => ({
      ...real,
      pendingIn(pipe) {
        const bytes = real.pendingIn(pipe);
        if (++looks === 2) late(); // after those of whoever drains, and of the sink
        return bytes;
      },
    });
    const { stdout, close } = s.open();
    s.close(); // the next daemon has no file open yet
    expect(s.captures.warnings).toEqual([]);
    looks = 0;
    late = () => void writeSync(stdout, 'late\n');
    s.captures.drain();
    await s.drain();
    expect(readFileSync(s.log, 'utf8')).toBe('late\n');
    close();
    await s.over();
  });

  test('is there by itself, without anybody asking', async () => {
    const s = scene();
    const { stdout, close } = s.open();
    await writeAll(stdout, Buffer.from('one\n'));
    await until('a line', () => existsSync(s.log) && readFileSync(s.log, 'utf8') === 'one\n');
    await writeAll(stdout, Buffer.from('two\n'));
    await until('another', () => readFileSync(s.log, 'utf8') === 'one\ntwo\n');
    close();
  });

  test('is in the file when the end of its leader has been told, however short its life', async () => {
    const s = scene();
    for (let i = 0; i < 20; i++) {
      const { stdout, close } = s.open(s.log, { run: run(i) });
      const { ended } = s.start(['echo', String(i)], stdout);
      close();
      await ended;
      await s.over(run(i));
      expect(readFileSync(s.log, 'utf8').split('\n').at(-2)).toBe(String(i));
    }
  });

  test('by a grandchild after that end comes too', async () => {
    const s = scene();
    const { stdout, close } = s.open();
    const go = join(s.folder, 'go');
    const { ended } = s.start(
      ['sh', '-c', `(until [ -e ${go} ]; do sleep 0.01; done; echo late) & echo early`],
      stdout,
    );
    close();
    await ended;
    await s.over();
    expect(readFileSync(s.log, 'utf8')).toBe('early\n');
    writeFileSync(go, '');
    await until('the grandchild', () => readFileSync(s.log, 'utf8') === 'early\nlate\n');
  });

  test('is counted to the run that wrote it: none of it comes after the place that the next one begins at', async () => {
    const s = scene();
    const first = s.open();
    await writeAll(first.stdout, Buffer.from('stale\n'));
    await s.drain();
    expect(statSync(s.log).size).toBe(6);
    first.close();
  });

  test('goes to two files where it has two streams, and to none where none is wanted', async () => {
    const s = scene();
    const err = join(s.folder, 'err.log');
    const { stdout, stderr, close } = s.open(s.log, { stderr: err });
    await writeAll(stdout, Buffer.from('out'));
    await writeAll(stderr, Buffer.from('err'));
    close();
    await s.over();
    expect([s.log, err].map((path) => readFileSync(path, 'utf8'))).toEqual(['out', 'err']);
    const output = s.captures.openOutput({
      run: run(2),
      id: ID,
      stdout: null,
      stderr: null,
      logging: PLAIN,
      credentials: null,
    });
    expect(output.ok && [output.value.stdout, output.value.stderr]).toEqual(['ignore', 'ignore']);
  });

  test('goes to another file when its next run is to write there', async () => {
    const s = scene();
    const other = join(s.folder, 'other.log');
    await s.write('one');
    await s.write('two', other, { run: run(2) });
    expect([s.log, other].map((path) => readFileSync(path, 'utf8'))).toEqual(['one', 'two']);
  });

  test('into a device is its own affair', () => {
    const s = scene();
    const { stdout, close } = s.open('/dev/null');
    expect(readlinkSync(`/proc/self/fd/${stdout}`)).toBe('/dev/null');
    close();
    expect(existsSync(s.fifos)).toBe(false);
  });
});

describe.skipIf(!canCarry)('the file', () => {
  test('is made with its folder, for the group to read', async () => {
    const s = scene();
    const path = join(s.folder, 'a/b/c.log');
    await s.write('text', path);
    expect(readFileSync(path, 'utf8')).toBe('text');
    expect(statSync(path).mode & 0o777).toBe(0o640 & ~process.umask());
  });

  const goneSomehow: [string, (path: string) => void][] = [
    ['removed', (path) => rmSync(path)],
    ['moved away', (path) => renameSync(path, `${path}.1`)],
    ['replaced', (path) => writeFileSync(`${path}.new`, '')],
    ['gone with its folder', (path) => rmSync(join(path, '..'), { recursive: true })],
  ];
  test.each(goneSomehow)(
    '%s is written anew, within moments also while the program goes on',
    async (_, act) => {
      const s = scene();
      const path = join(s.folder, 'logs/worker.log');
      const { stdout, close } = s.open(path);
      await writeAll(stdout, Buffer.from('before\n'));
      await until('the first line', () => existsSync(path) && statSync(path).size > 0);
      act(path);
      if (existsSync(`${path}.new`)) renameSync(`${path}.new`, path);
      for (let i = 0; !existsSync(path) || statSync(path).size === 0; i++) {
        await writeAll(stdout, Buffer.from(`${i}\n`));
        await s.drain();
        expect(i).toBeLessThan(100_000);
      }
      close();
      expect(s.warned).toEqual([]);
      expect(s.captures.droppedBytes(ID)).toBe(0);
    },
  );

  test('that somebody cuts short has no hole', async () => {
    const s = scene();
    const { stdout, close } = s.open();
    await writeAll(stdout, Buffer.alloc(100_000, 'x'));
    await s.drain();
    truncateSync(s.log, 0);
    await writeAll(stdout, Buffer.from('after'));
    await s.drain();
    close();
    expect(readFileSync(s.log, 'utf8')).toBe('after');
  });

  test.skipIf(!isRoot)(
    'is not written through a link that its own program could have put there',
    async () => {
      const s = scene();
      const secret = join(s.folder, 'secret');
      writeFileSync(secret, 'mine');
      chmodSync(s.folder, 0o755);
      const open = join(s.folder, 'open');
      mkdirSync(open);
      chownSync(open, NOBODY.uid, NOBODY.gid);
      const path = join(open, 'log');
      symlinkSync(secret, path);
      lchownSync(path, NOBODY.uid, NOBODY.gid);
      await s.write('text', path);
      expect(readFileSync(secret, 'utf8')).toBe('mine');
      expect(s.captures.warnings[0]).toContain('it is a symbolic link of another user');
      expect(s.captures.droppedBytes(ID)).toBe(4);
    },
  );

  test('may be a link of our own', async () => {
    const s = scene();
    const real = join(s.folder, 'real.log');
    symlinkSync(real, s.log);
    await s.write('text');
    expect(readFileSync(real, 'utf8')).toBe('text');
  });

  test('that cannot be opened holds up nobody; what is lost is counted, said once, and it is written to again', async () => {
    const s = scene();
    const { stdout, close } = s.open();
    rmSync(s.log);
    mkdirSync(s.log); // not there yet when the program was begun
    const chunk = Buffer.alloc(500_000, 'x');
    for (let i = 0; i < 8; i++) await writeAll(stdout, chunk);
    await s.drain();
    expect(s.said).toEqual([
      `cannot write to ${s.log}: illegal operation on a directory; what comes is dropped and counted`,
    ]);
    expect(s.captures.droppedBytes(ID)).toBe(4_000_000);
    expect(s.captures.warnings).toEqual([`${s.said[0]}, 4000000 bytes so far`]);
    rmSync(s.log, { recursive: true });
    while (s.captures.warnings.length > 0) {
      await writeAll(stdout, Buffer.from('again\n'));
      await s.drain();
    }
    await s.drain();
    expect(readFileSync(s.log, 'utf8')).toMatch(/^(again\n)+$/);
    expect(s.captures.warnings).toEqual([]);
    const dropped = s.captures.droppedBytes(ID);
    expect(dropped).toBeGreaterThanOrEqual(4_000_000);
    expect(s.warned).toEqual([`${s.log} can be written to again; ${dropped} bytes of output were dropped`]);
    close();
  });
});

describe.skipIf(!canCarry)('a FIFO', () => {
  test.skipIf(!isRoot)("is its user's, for him alone, and he can open it by name", async () => {
    const s = scene();
    chmodSync(s.folder, 0o755);
    const { stdout, close } = s.open(s.log, { credentials: NOBODY });
    const { uid, gid, mode } = statSync(join(s.fifos, `${ID}.out`));
    expect({ uid, gid, mode: mode & 0o777 }).toEqual({ uid: NOBODY.uid, gid: NOBODY.gid, mode: 0o600 });
    const { ended } = s.start(
      ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups', 'sh', '-c', 'echo text > /dev/stdout'],
      stdout,
    );
    close();
    await ended;
    await s.over();
    expect(readFileSync(s.log, 'utf8')).toBe('text\n');
    s.open(s.log, { run: run(2) }).close();
    expect(statSync(join(s.fifos, `${ID}.out`)).uid).toBe(0);
  });

  test('is one for all runs of an instance, and goes with it', async () => {
    const s = scene();
    await s.write('one');
    await s.write('two', s.log, { run: run(2) });
    const there = () => readdirSync(s.fifos).filter((name) => name !== 'keeper');
    expect(there().sort()).toEqual(['worker:0.out', 'worker:0.out.to']);
    s.captures.dismiss(ID);
    expect(there()).toEqual([]);
    expect(readFileSync(s.log, 'utf8')).toBe('onetwo');
  });

  test('is given ahead of the next run as it is, or not at all: nothing changes for the one that still writes', async () => {
    const s = scene();
    const ahead = (path: string, credentials: typeof NOBODY | null = null) =>
      s.captures.openOutput(
        { run: run(2), id: ID, stdout: path, stderr: path, logging: PLAIN, credentials },
        true,
      );
    expect(ahead(s.log).ok).toBe(false); // no run was there before
    await s.write('first\n');
    const { stdout, close } = s.open();
    const before = readdirSync('/proc/self/fd').length;
    const same = ahead(s.log);
    if (!same.ok) throw new Error(same.error);
    expect(statSync(`/proc/self/fd/${same.value.stdout}`).ino).toBe(statSync(`/proc/self/fd/${stdout}`).ino);
    same.value.close();
    expect(ahead(join(s.folder, 'other.log')).ok).toBe(false);
    if (isRoot) expect(ahead(s.log, NOBODY).ok).toBe(false);
    expect(readdirSync('/proc/self/fd')).toHaveLength(before);
    await writeAll(stdout, Buffer.from('still the old one\n'));
    await s.drain();
    expect(readFileSync(s.log, 'utf8')).toBe('first\nstill the old one\n');
    expect(existsSync(join(s.folder, 'other.log'))).toBe(false);
    expect(statSync(`/proc/self/fd/${stdout}`).uid).toBe(process.geteuid?.());
    close();
  });

  test('that somebody has removed is made anew for the next run, and the last one is heard to its end', async () => {
    const s = scene();
    const { stdout, close } = s.open();
    await writeAll(stdout, Buffer.from('one'));
    rmSync(s.fifos, { recursive: true });
    await s.write('two', s.log, { run: run(2) });
    close();
    expect(readFileSync(s.log, 'utf8')).toBe('onetwo');
  });

  test('that cannot be made is no reason not to begin: the program writes to the file by itself', async () => {
    const s = scene();
    writeFileSync(s.fifos, 'in the way');
    await s.write('text');
    expect(readFileSync(s.log, 'utf8')).toBe('text');
    expect(s.captures.warnings).toEqual([
      `cannot make FIFOs in ${s.fifos}: file already exists; programs write to their log files by themselves`,
    ]);
    rmSync(s.fifos);
    await s.write('more', s.log, { run: run(2) });
    expect(s.captures.warnings).toEqual([]);
    expect(readFileSync(s.log, 'utf8')).toBe('textmore');
  });

  test('leaves no descriptor behind, however many lives it has', async () => {
    const s = scene();
    await s.write('x');
    await until('its keeper', () => existsSync(join(s.fifos, 'keeper')));
    const before = readdirSync('/proc/self/fd').length;
    for (let i = 0; i < 200; i++) s.open(s.log, { run: run(i) }).close();
    const id = instanceId(programName('worker'), 1);
    await s.write('x', join(s.folder, 'other'), { id, run: run(300) });
    s.captures.dismiss(id);
    expect(readdirSync('/proc/self/fd')).toHaveLength(before);
  });
});
