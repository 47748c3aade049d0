/** Log files that are opened for a program to write to by itself. */
import {
  closeSync,
  lchownSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { openLog } from '../../src/os/output.ts';

const isRoot = process.geteuid?.() === 0;
if (!isRoot) console.warn('links of other users are not tested: only root can make them');
const NOBODY = 65534;

const made: string[] = [];
afterEach(() => {
  for (const dir of made.splice(0)) rmSync(dir, { recursive: true, force: true });
});

/** Null: to a file beside it. */
function linkTo(target: string | null): string {
  const dir = mkdtempSync(join(tmpdir(), 'tv-output-'));
  made.push(dir);
  const beside = join(dir, 'target');
  writeFileSync(beside, '');
  const link = join(dir, 'w.log');
  symlinkSync(target ?? beside, link);
  return link;
}

describe('a log file that is a symbolic link', () => {
  it('is followed where it is ours', () => {
    const link = linkTo(null);
    const opened = openLog(link);
    if (!opened.ok) throw new Error(opened.error);
    writeSync(opened.value, 'words\n');
    closeSync(opened.value);
    expect(readFileSync(link, 'utf8')).toBe('words\n');
  });

  it.runIf(isRoot).each([null, '/dev/null'])(
    'is refused to root where another user has made it, to %s',
    (target) => {
      const link = linkTo(target);
      lchownSync(link, NOBODY, NOBODY);
      expect(openLog(link)).toEqual({
        ok: false,
        error: `cannot open the log file ${link}: it is a symbolic link of another user`,
      });
    },
  );
});
