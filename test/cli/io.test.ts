/** What a command writes to its own streams. */
import { afterEach, expect, test, vi } from 'vitest';
import { processIo } from '../../src/cli/io.ts';

afterEach(() => {
  vi.restoreAllMocks();
});

/** Notes what is written to stderr, and lets nobody take it before `take` is called. */
function stderrUntaken() {
  const written: string[] = [];
  const taken: (() => void)[] = [];
  vi.spyOn(process.stderr, 'write').mockImplementation((text, done) => {
    written.push(String(text));
    if (typeof done === 'function') taken.push(done);
    return false;
  });
  return { written, take: () => taken.splice(0).forEach((done) => void done()) };
}

const MUCH = 'x'.repeat(300 * 1024);

test('a daemon in this process keeps no more than so much that nobody takes from its stderr', () => {
  const io = processIo('');
  io.outliveReaders();
  const { written, take } = stderrUntaken();
  for (const text of ['one', MUCH, 'two']) io.stderr.write(text);
  expect(written).toEqual(['one', MUCH]);
  take();
  io.stderr.write('three');
  expect(written.at(-1)).toBe('three');
});

test('a command keeps all', () => {
  const io = processIo('');
  const { written } = stderrUntaken();
  for (const text of [MUCH, MUCH, 'two']) io.stderr.write(text);
  expect(written).toEqual([MUCH, MUCH, 'two']);
});
