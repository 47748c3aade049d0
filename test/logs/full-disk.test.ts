/** A disk that is full holds up nobody: what does not fit is dropped and counted, and all is well when there is room again. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { run } from '../../src/base/ids.ts';
import { useLeakCheck } from '../rig/leaks.ts';
import { endsOf, filesOf } from './put-aside.ts';
import { canCarry, ID, type Scene, until, useScene } from './rig.ts';

const leaks = useLeakCheck();
const mounted: string[] = [];
const scene = useScene(leaks);
// Registered after the scenes are, so called before they are removed.
afterEach(() => {
  for (const path of mounted.splice(0)) spawnSync('umount', ['-l', path]);
});

const whyNoMount = ((): string | null => {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return 'only root can mount';
  const path = `/tmp/mount-${process.pid}`;
  mkdirSync(path);
  const tried = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', path], { encoding: 'utf8' });
  if (tried.status === 0) spawnSync('umount', [path]);
  rmSync(path, { recursive: true });
  return tried.status === 0 ? null : `cannot mount: ${tried.stderr ?? ''}`;
})();
if (whyNoMount !== null) console.warn(`tests of a full disk are skipped: ${whyNoMount}`);

/** A folder with room for 64 KB. */
function smallDisk(s: Scene): string {
  const path = join(s.folder, 'disk');
  mkdirSync(path);
  mounted.push(path);
  spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', path]);
  return path;
}

describe.skipIf(!canCarry || whyNoMount !== null)('a full disk', () => {
  test('takes what fits; the rest is dropped, counted and said once; then all of it is written again', async () => {
    const s = scene();
    const disk = smallDisk(s);
    const other = join(disk, 'other');
    writeFileSync(other, Buffer.alloc(32 * 1024));
    const log = join(disk, 'worker.log');
    const { stdout, close } = s.open(log);
    let written = 0;
    const write = async (bytes: number): Promise<void> => {
      written += writeSync(stdout, Buffer.alloc(bytes, 'x'));
      await s.drain();
    };
    for (let i = 0; i < 40; i++) await write(100_000);
    const fits = statSync(log).size;
    expect(fits).toBeGreaterThan(0);
    expect(s.captures.droppedBytes(ID)).toBe(written - fits);
    expect(s.said).toEqual([
      `cannot write to ${log}: no space left on device; what comes is dropped and counted`,
    ]);
    expect(s.captures.warnings).toEqual([`${s.said[0]}, ${written - fits} bytes so far`]);

    rmSync(other);
    while (s.captures.warnings.length > 0) await write(10);
    const [size, dropped] = [statSync(log).size, s.captures.droppedBytes(ID)];
    expect(size + dropped).toBe(written);
    expect(size).toBeGreaterThan(fits);
    expect(s.warned).toEqual([`${log} can be written to again; ${dropped} bytes of output were dropped`]);
    expect(s.said).toHaveLength(1);
    await write(1000);
    expect(s.captures.droppedBytes(ID)).toBe(dropped);
    close();
    await s.over();
    expect(readFileSync(log).equals(Buffer.alloc(size + 1000, 'x'))).toBe(true);
  });

  test('makes whoever wants all of it wait, and nobody else; then goes on where it stopped', async () => {
    const s = scene();
    const disk = smallDisk(s);
    const other = join(disk, 'other');
    writeFileSync(other, Buffer.alloc(32 * 1024));
    const log = join(disk, 'worker.log');
    const { stdout, close } = s.open(log, { logging: { whenFull: 'block' } });
    const { ended } = s.start(['sh', '-c', 'head -c 40000 /dev/zero; echo'], stdout);
    await ended;
    await until('the disk to be full', () => s.said.length > 0);
    expect(s.said).toEqual([
      `cannot write to ${log}: no space left on device; what comes waits, and so do the programs that write it`,
    ]);
    expect(s.captures.warnings).toEqual(s.said);
    // Nobody is held up by that: neither whoever asks for its end, nor the loop.
    await s.over();
    const fits = statSync(log).size;
    expect(fits).toBeLessThan(40_001);
    writeSync(stdout, 'more\n');
    await s.drain();
    const busy = process.cpuUsage();
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(process.cpuUsage(busy).user).toBeLessThan(200_000);

    rmSync(other);
    await until('all of it', () => statSync(log).size === 40_006);
    expect(readFileSync(log, 'utf8')).toBe(`${'\0'.repeat(40_000)}\nmore\n`);
    await until('the word about that', () => s.warned.length > 0);
    expect(s.warned).toEqual([`${log} can be written to again; nothing of the output was lost`]);
    expect([s.captures.droppedBytes(ID), s.captures.warnings]).toEqual([0, []]);
    close();
    await s.over();
  });

  test('is no obstacle to what was put aside before: the oldest goes, and there is room', async () => {
    const s = scene();
    const log = join(smallDisk(s), 'worker.log');
    const { stdout, close } = s.open(log, { logging: { maxBytes: 8000, keep: 2 } });
    for (let i = 0; i < 40; i++) {
      writeSync(stdout, `${'x'.repeat(3999)}\n`);
      await s.drain();
      await until('the oldest to be removed', () => endsOf(log).length <= 3);
    }
    expect(filesOf(log).map(({ length }) => length)).toEqual([8000, 8000, 8000]);
    expect(s.captures.droppedBytes(ID)).toBe(0);
    close();
    await s.over();
  });

  test('of one instance is no other one’s', async () => {
    const s = scene();
    const log = join(smallDisk(s), 'worker.log');
    const id = 'other:0' as typeof ID; // a name of the same form
    const full = s.open(log);
    const well = s.open(s.log, { run: run(2), id });
    for (let i = 0; i < 10; i++) {
      for (const { stdout } of [full, well]) writeSync(stdout, Buffer.alloc(100_000, 'x'));
      await s.drain();
      await s.drain(id);
    }
    full.close();
    well.close();
    // A disk that is busy with others takes its time.
    await new Promise<void>((done) => s.captures.ended(run(2), done));
    expect(s.captures.droppedBytes(id)).toBe(0);
    expect(statSync(s.log).size).toBe(1_000_000);
  });
});
