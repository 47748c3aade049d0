/** What is put aside is compressed when it is its turn, and is there as a whole in one form or the other all the time. */
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { Compressor } from '../../src/logs/compressor.ts';
import { putAsideSlowly } from '../../src/logs/rotation.ts';
import { useLeakCheck } from '../rig/leaks.ts';
import { endsOf, filesOf } from './put-aside.ts';
import { canCarry, type Scene, until, useScene } from './rig.ts';

const leaks = useLeakCheck();
const scene = useScene(leaks);

async function say(s: Scene, stdout: number, ...texts: string[]): Promise<void> {
  for (const text of texts) {
    writeSync(stdout, text);
    await s.drain();
  }
}

const settled = (s: Scene, ends: readonly string[]): Promise<void> =>
  until(`${ends.join(' ')} and nothing else`, () => endsOf(s.log).join() === ends.join());

describe.skipIf(!canCarry)('what is put aside', () => {
  test('is compressed, of the same date and for the same readers, and moved on like any other', async () => {
    const s = scene();
    writeFileSync(s.log, 'old\n', { mode: 0o600 });
    utimesSync(s.log, 1_000_000, 1_000_000);
    const { stdout, close } = s.open(s.log, { logging: { maxBytes: 1, keep: 3, compress: true } });
    await say(s, stdout, 'a\n');
    await settled(s, ['', '.1.gz']);
    const { mtimeMs, mode } = statSync(`${s.log}.1.gz`);
    expect([mtimeMs, mode & 0o777]).toEqual([1_000_000_000, 0o600]);
    for (const text of ['b\n', 'c\n', 'd\n']) await say(s, stdout, text);
    await settled(s, ['', '.1.gz', '.2.gz', '.3.gz']);
    expect(filesOf(s.log).map(String)).toEqual(['a\n', 'b\n', 'c\n', 'd\n']);
    close();
    await s.over();
  });

  test('is not, where nobody wants it; what is plain then is compressed with the next one', async () => {
    const s = scene();
    const { stdout, close } = s.open(s.log, { logging: { maxBytes: 1 } });
    await say(s, stdout, 'a\n', 'b\n', 'c\n');
    expect(endsOf(s.log)).toEqual(['', '.1', '.2']);
    s.follow({ maxBytes: 1, compress: true });
    await say(s, stdout, 'd\n');
    await settled(s, ['', '.1.gz', '.2.gz', '.3.gz']);
    expect(filesOf(s.log).map(String)).toEqual(['a\n', 'b\n', 'c\n', 'd\n']);
    close();
    await s.over();
  });

  test('is compressed under the number that it has by then, or not at all when it has none any more', async () => {
    const s = scene();
    const { stdout, close } = s.open(s.log, { logging: { maxBytes: 2_000_000, keep: 2, compress: true } });
    let written = '';
    // Some are put aside while one of those before is being compressed.
    for (let n = 0; n < 400; n++) {
      const text = `${n}${'x'.repeat(99)}\n`.repeat(600);
      writeSync(stdout, text);
      written += text;
      if (n % 8 === 0) await s.drain();
    }
    await s.drain();
    await settled(s, ['', '.1.gz', '.2.gz']);
    const files = filesOf(s.log).map(String);
    expect(files.map(({ length }) => length >= 2_000_000)).toEqual([true, true, false]);
    expect(written.endsWith(files.join(''))).toBe(true);
    expect(s.said).toEqual([]);
    close();
    await s.over();
  });

  test('is compressed anew, and swept, where an earlier daemon was killed in the middle of it', async () => {
    const s = scene();
    writeFileSync(`${s.log}.gz.tmp`, 'a part');
    writeFileSync(`${s.log}.1`, 'one\n');
    writeFileSync(`${s.log}.gone.abc-1`, 'on its way out');
    writeFileSync(`${s.log}.2.gone.abc-2`, 'on its way out');
    writeFileSync(`${s.log}.notes`, 'the user’s own');
    const { stdout, close } = s.open(s.log, { logging: { maxBytes: 1, compress: true } });
    await say(s, stdout, 'two\n', 'three\n');
    await settled(s, ['', '.1.gz', '.2.gz', '.notes']);
    // The plain one goes last: whoever is killed before that leaves both.
    writeFileSync(`${s.log}.1`, 'two\n');
    const { atime, mtime } = statSync(`${s.log}.1.gz`);
    utimesSync(`${s.log}.1`, atime, mtime);
    close();
    await s.over();
    s.close();
    const next = s.open(s.log, { logging: { maxBytes: 1 } });
    await say(s, next.stdout, 'four\n');
    await settled(s, ['', '.1', '.2.gz', '.3.gz', '.notes']);
    expect(filesOf(s.log).map(String)).toEqual(['one\n', 'two\n', 'three\n', 'four\n']);
    next.close();
    await s.over();
  });

  test('is all there, once, where other threads move it on while it is compressed', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'compressor-'));
    const log = join(folder, 'x.log');
    const said: string[] = [];
    const compressor = new Compressor((_, why) => void said.push(why));
    try {
      const count = 80;
      for (let n = 0; n < count; n++) {
        writeFileSync(log, `${n}\n`);
        await putAsideSlowly(log, 1000);
        compressor.look(log, true);
        await new Promise((resolve) => setTimeout(resolve, n % 16)); // some are met on their way
      }
      await until('all to be compressed', () => endsOf(log).every((end) => /^\.\d+\.gz$/.test(end)));
      const all = Array.from({ length: count }, (_, n) => `${n}\n`);
      expect(filesOf(log).map(String)).toEqual(all);
      expect(said).toEqual([]);
    } finally {
      compressor.close();
      rmSync(folder, { recursive: true });
    }
  });

  test('that cannot be compressed stays as it is, which is said', async () => {
    const s = scene();
    const { stdout, close } = s.open(s.log, { logging: { maxBytes: 1, compress: true } });
    mkdirSync(`${s.log}.gz.tmp`);
    await say(s, stdout, 'a\n', 'b\n');
    await until('the word about that', () => s.said.length > 0);
    // Whenever it has been tried.
    expect(new Set(s.said)).toEqual(
      new Set([`cannot compress what ${s.log} was before: file already exists; it stays as it is`]),
    );
    expect(existsSync(`${s.log}.1`)).toBe(true);
    close();
    await s.over();
  });
});
