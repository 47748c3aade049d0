/** What a command writes to its own streams. */
import { afterEach, expect, test, vi } from 'vitest';
import { processIo } from '../../src/cli/io.ts';

afterEach(() => {
  vi.restoreAllMocks();
});

/** Notes what is written to stderr, of which so much has not been taken yet. */
function stderrWith(unread: number): string[] {
  const written: string[] = [];
  vi.spyOn(process.stderr, 'writableLength', 'get').mockReturnValue(unread);
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => written.push(String(text)) > 0);
  return written;
}

test('a daemon in this process keeps no more than so much that nobody takes from its stderr', () => {
  const io = processIo('');
  io.outliveReaders();
  let written = stderrWith(1000);
  io.stderr.write('one');
  expect(written).toEqual(['one']);
  vi.restoreAllMocks();
  written = stderrWith(10_000_000);
  io.stderr.write('two');
  expect(written).toEqual([]);
});

test('a command keeps all', () => {
  const written = stderrWith(10_000_000);
  processIo('').stderr.write('one');
  expect(written).toEqual(['one']);
});
