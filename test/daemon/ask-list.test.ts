import {
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Run, run } from '../../src/base/ids.ts';
import { AskFile, readAskList } from '../../src/daemon/ask-list.ts';

let folder: string;
let path: string;
let open: AskFile[];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ask-list-'));
  path = join(folder, 'asking');
  open = [];
});
afterEach(() => {
  for (const list of open) list.close();
  rmSync(folder, { recursive: true, force: true });
});

const begin = (): AskFile => {
  const list = new AskFile(path);
  open.push(list);
  return list;
};
const RUNS = [run(7), run(123_456), run(8)];
const doubts = (): [Run, string][] => [...readAskList(path)];

describe('who is being asked', () => {
  it.each([
    [0, ['owed', 'owed', 'owed']],
    [1, ['perhaps', 'owed', 'owed']],
    [2, ['sent', 'perhaps', 'owed']],
    [3, ['sent', 'sent', 'perhaps']],
  ] as const)('is known after %i turns but for the last', (turns, expected) => {
    const list = begin();
    list.begin(RUNS);
    for (const one of RUNS.slice(0, turns)) list.mark(one);
    expect(doubts()).toEqual(RUNS.map((one, n) => [one, expected[n]]));
  });

  it('is nobody of an earlier list, and nobody that is on none', () => {
    const list = begin();
    list.begin(RUNS);
    list.begin([run(9)]);
    list.mark(run(7));
    expect(doubts()).toEqual([[run(9), 'owed']]);
  });

  it('is what the last daemon has left until others are asked', () => {
    begin().begin(RUNS);
    const next = begin();
    expect(doubts()).toHaveLength(3);
    next.begin([run(9)]);
    expect(doubts()).toEqual([[run(9), 'owed']]);
  });

  it('needs no more room to have its turn', () => {
    const list = begin();
    list.begin(RUNS);
    const { length } = readFileSync(path);
    for (const one of RUNS) list.mark(one);
    expect(readFileSync(path)).toHaveLength(length);
  });
});

describe('nobody knows of whom', () => {
  it('there is no list of', () => {
    expect(doubts()).toEqual([]);
    mkdirSync(path);
    expect(doubts()).toEqual([]);
    const list = begin();
    list.begin(RUNS);
    list.mark(run(7));
    expect(doubts()).toEqual([]);
  });

  it.each([
    ['a line that was not written whole', ' 00000000000', 1],
    ['a line of somebody else', 'worker:7 was asked\n', 1],
    ['a mark that there is not', '?000000000000008\n 000000000000009\n', 1],
  ])('%s stands for, or comes after', (_, text, known) => {
    writeFileSync(path, ` 000000000000007\n${text}`);
    expect(doubts()).toHaveLength(known);
  });

  it('stands in a list that cannot be gone on with: it is removed', () => {
    const list = begin();
    list.begin(RUNS);
    // Its descriptor is gone, as on a disk that has failed.
    const own = descriptorOf(path);
    closeSync(own);
    try {
      list.mark(run(7));
      expect(existsSync(path)).toBe(false);
      list.begin(RUNS);
      expect(doubts()).toEqual([]);
    } finally {
      open = [];
    }
  });
});

/** Of this process, for that file. */
function descriptorOf(file: string): number {
  const next = openSync(file, 'r');
  closeSync(next);
  return next - 1; // the one that was opened before it
}
