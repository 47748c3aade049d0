import {
  chmodSync,
  closeSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Journal } from '../../src/daemon/journal.ts';

let folder: string;
let path: string;
let warnings: string[];
let open: Journal[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'journal-'));
  path = join(folder, 'journal');
  warnings = [];
  open = [];
});
afterEach(() => {
  for (const journal of open) journal.close();
  rmSync(folder, { recursive: true, force: true });
});

function journalAt(): Journal {
  const journal = new Journal(path, (text) => warnings.push(text));
  open.push(journal);
  return journal;
}

const NEWLINE = 10;

/** What is told once all of it has been looked at. */
function settled(): string {
  open.at(-1)?.settle();
  return warnings.join();
}

/** Everything in it, as the next daemon would read it. */
function contents(journal: Journal = journalAt()): Record<string, unknown> {
  return Object.fromEntries(journal.under(''));
}

/** What every journal begins with. */
const HEAD = '"format"\t1\n';
const text = (): string => readFileSync(path, 'utf8');
const linesIn = (): number => text().split('\n').length - 2;

describe('the journal', () => {
  it('gives back to the next daemon what was put last, of any JSON kind', () => {
    const journal = journalAt();
    const values = {
      number: 7,
      text: 'tab\there, newline\nthere, "quotes", \u0000 and ünïcode ✓',
      object: { a: [1, 'two', { three: false }] },
      list: [1, 2],
      yes: true,
      'key\twith tab': 1,
    };
    for (const key of Object.keys(values)) journal.put(key, 'an earlier one');
    journal.flush();
    for (const [key, value] of Object.entries(values)) journal.put(key, value);
    journal.flush();
    expect(contents()).toEqual(values);
    expect(warnings).toEqual([]);
  });

  it('writes nothing before it is flushed, and all of it at once then', () => {
    const journal = journalAt();
    journal.put('a', 1);
    journal.put('b', 2);
    expect(text()).toBe(HEAD);
    journal.flush();
    expect(text()).toBe(`${HEAD}"a"\t1\n"b"\t2\n`);
  });

  it('deletes with null, also what had not been flushed yet', () => {
    const journal = journalAt();
    journal.put('kept', 1);
    journal.put('deleted', 1);
    journal.flush();
    journal.put('deleted', null);
    journal.put('brief', 1);
    journal.put('brief', null);
    journal.flush();
    expect(contents()).toEqual({ kept: 1 });
    expect(journal.get('deleted', (value) => value)).toBeNull();
  });

  it('does not write again what is so already, nor delete what is not there', () => {
    const journal = journalAt();
    journal.put('a', { b: 1 });
    journal.flush();
    const before = text();
    journal.put('a', { b: 1 });
    journal.put('nothing', null);
    journal.flush();
    expect(text()).toBe(before);
  });

  it('reads by key through a reader, which may refuse', () => {
    const journal = journalAt();
    journal.put('n', 5);
    const number = (value: unknown): number | null => (typeof value === 'number' ? value : null);
    expect(journal.get('n', number)).toBe(5);
    expect(journal.get('none', number)).toBeNull();
    journal.put('n', 'five');
    expect(journal.get('n', number)).toBeNull();
  });

  it('gives everything under a prefix, without it', () => {
    const journal = journalAt();
    for (const key of ['a/1', 'a/2', 'b/1', 'a']) journal.put(key, key);
    expect([...journal.under('a/')]).toEqual([
      ['1', 'a/1'],
      ['2', 'a/2'],
    ]);
  });

  it('is for its owner alone, also where an earlier attempt left a file that was not', () => {
    writeFileSync(`${path}.new`, 'left by a crash');
    chmodSync(`${path}.new`, 0o644);
    const journal = journalAt();
    journal.put('secret', 1);
    journal.flush();
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  it('goes on with the file of the daemon before, and waits for no disk', () => {
    const before = journalAt();
    before.put('a', 1);
    before.close();
    const { ino } = statSync(path);
    const next = journalAt();
    next.settle();
    next.put('b', 2);
    next.flush();
    expect(statSync(path).ino).toBe(ino);
    expect(text()).toBe(`${HEAD}"a"\t1\n"b"\t2\n`);
    expect(contents()).toEqual({ a: 1, b: 2 });
  });

  it.each([
    ['others may read it', () => chmodSync(path, 0o644)],
    ['it does not say what format it has', () => writeFileSync(path, '"a"\t1\n')],
    ['most of it does not count any more', () => writeFileSync(path, HEAD + '"a"\t1\n'.repeat(20_000))],
    [
      'it is somewhere else',
      () => {
        renameSync(path, join(folder, 'elsewhere'));
        symlinkSync(join(folder, 'elsewhere'), path);
      },
    ],
  ])('writes it anew where %s', (_, change) => {
    const before = journalAt();
    before.put('a', 1);
    before.close();
    change();
    journalAt();
    expect(text()).toBe(`${HEAD}"a"\t1\n`);
    expect(lstatSync(path).mode & 0o777).toBe(0o600);
  });

  it('keeps a file aside as it was, although it went on with that', () => {
    const before = journalAt();
    before.put('good', 1);
    before.put('bad', 2);
    before.close();
    const was = text();
    const next = journalAt();
    next.reject('bad');
    expect(settled()).toMatch(/1 records cannot be made sense of: bad; it is kept as journal\.corrupt-/);
    next.put('later', 3);
    next.flush();
    const aside = readdirSync(folder).filter((name) => name.includes('.corrupt-'));
    expect(aside.map((name) => readFileSync(join(folder, name), 'utf8'))).toEqual([was]);
    expect(contents()).toEqual({ good: 1, later: 3 });
  });

  it('passes over a torn last line, and says so', () => {
    writeFileSync(path, '"a"\t1\n"b"\t2');
    expect(contents()).toEqual({ a: 1 });
    expect(settled()).toMatch(
      /journal cannot be read as a whole: its last line was cut off; it is kept as journal\.corrupt-/,
    );
  });

  it('passes over spoilt lines with one warning that counts them, and keeps the rest', () => {
    const spoilt = [
      '',
      'garbage',
      '"no tab"',
      '"a"\tnot json',
      '5\t5',
      '\t',
      '{"a":1}\t1',
      '"a\t1',
      '"a"\t1\t2',
      '\u0000\u0000',
    ];
    writeFileSync(path, `"a"\t1\n${spoilt.join('\n')}\n"b"\t2\n`);
    expect(contents()).toEqual({ a: 1, b: 2 });
    expect(settled()).toContain(`${spoilt.length} of its lines cannot be read`);
  });

  it('loads without throwing, and with a prefix of its history, from a file cut off after any byte', () => {
    const journal = journalAt();
    const history: Record<string, unknown>[] = [{}];
    const steps: [string, string | number | null | { x: string }][] = [
      ['a', 1],
      ['b', 'zwölf ✓'],
      ['a', 2],
      ['b', null],
      ['c', { x: 'tab\tnewline\n' }],
    ];
    for (const [key, value] of steps) {
      journal.put(key, value);
      journal.flush();
      history.push(contents(journal));
    }
    const bytes = readFileSync(path);
    for (let cut = 0; cut <= bytes.length; cut++) {
      writeFileSync(path, bytes.subarray(0, cut));
      const read = new Journal(path, (warning) => warnings.push(warning));
      expect(history, `cut after ${cut} bytes`).toContainEqual(contents(read));
      read.settle();
      read.close();
      const isWhole = cut === 0 || bytes[cut - 1] === NEWLINE;
      expect(warnings.splice(0), `cut after ${cut} bytes`).toHaveLength(isWhole ? 0 : 1);
    }
  });

  it('loads without throwing from a file in which any one byte is another', () => {
    const journal = journalAt();
    for (let i = 0; i < 5; i++) journal.put(`key/${i}`, { value: i });
    journal.flush();
    const bytes = readFileSync(path);
    for (let at = 0; at < bytes.length; at++) {
      const spoilt = Buffer.from(bytes);
      spoilt[at] = (spoilt[at] ?? 0) ^ 0x15;
      writeFileSync(path, spoilt);
      const read = new Journal(path, () => {});
      expect(Object.keys(contents(read)).length, `byte ${at}`).toBeGreaterThanOrEqual(3);
      read.close();
    }
  });

  it('is written anew when it has grown, so that its size follows what counts', () => {
    const journal = journalAt();
    const filler = 'x'.repeat(1000);
    for (let i = 0; i < 5000; i++) {
      journal.put(`key/${i % 10}`, `${i} ${filler}`);
      journal.flush();
    }
    expect(statSync(path).size).toBeLessThan(1.1 * 1024 * 1024);
    expect(contents()).toHaveProperty('key/9', `4999 ${filler}`);
    expect(linesIn()).toBe(10);
  });

  it('appends even where what counts is large: it is not written anew at each change', () => {
    const journal = journalAt();
    const large = 'x'.repeat(100_000);
    for (let i = 0; i < 30; i++) journal.put(`large/${i}`, large + i);
    journal.flush();
    for (let i = 0; i < 10; i++) {
      journal.put('small', i);
      journal.flush();
    }
    expect(linesIn()).toBe(40);
  });
});

describe('the journal on a disk that is full', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  /** From now on appending to the present file fails as on a full disk, and so does making a new one. */
  function fill(): () => void {
    redirectDescriptor();
    mkdirSync(`${path}.new`);
    return () => rmdirSync(`${path}.new`);
  }

  /** The journal's descriptor is put in the place of one of /dev/full: closed, and the lowest free number taken again. */
  function redirectDescriptor(): void {
    const own = readdirSync('/proc/self/fd').find((fd) => linkOf(fd) === path);
    if (own === undefined) throw new Error('the journal has no descriptor');
    closeSync(Number(own));
    const taken: number[] = [];
    for (let fd = -1; fd !== Number(own); taken.push(fd)) fd = openSync('/dev/full', 'w');
    for (const fd of taken) if (fd !== Number(own)) closeSync(fd);
  }

  function linkOf(fd: string): string {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`);
    } catch {
      return '';
    }
  }

  it.runIf(process.platform === 'linux')(
    'neither throws nor loses anything: once there is space, all of it is written, with one warning for the whole time',
    () => {
      const journal = journalAt();
      journal.put('before', 1);
      journal.flush();
      const empty = fill();
      for (let i = 0; i < 5; i++) {
        journal.put(`during/${i}`, i);
        expect(() => journal.flush()).not.toThrow();
      }
      journal.put('before', 2);
      journal.flush();
      vi.advanceTimersByTime(60_000);
      expect(warnings).toHaveLength(1);
      expect(warnings[0]).toMatch(/cannot write .*journal: .*ENOSPC/);
      expect(journal.trouble).toContain(
        '6 changed records are not written down (during/0, during/1, during/2, during/3, during/4, 1 more)',
      );
      expect(readFileSync(path, 'utf8'), 'the last good file is untouched').toBe(`${HEAD}"before"\t1\n`);
      empty();
      vi.advanceTimersByTime(15_000);
      expect(warnings[1]).toMatch(/journal is written again, with all that was owed: 6 records/);
      expect(journal.trouble).toBeNull();
      expect(vi.getTimerCount(), 'it does not look any more').toBe(0);
      expect(contents()).toEqual({
        before: 2,
        'during/0': 0,
        'during/1': 1,
        'during/2': 2,
        'during/3': 3,
        'during/4': 4,
      });
    },
  );

  it.runIf(process.platform === 'linux')(
    'can be closed, and closes no descriptor that is not its own',
    () => {
      const journal = journalAt();
      journal.put('a', 1);
      const empty = fill();
      journal.flush();
      journal.put('b', 1);
      expect(() => journal.close()).not.toThrow();
      empty();
      const other = openSync(join(folder, 'other'), 'w'); // takes the number that the journal had
      journal.put('c', 1);
      expect(() => journal.flush()).not.toThrow();
      expect(() => closeSync(other), 'it is still ours to close').not.toThrow();
    },
  );

  it('begins without it, and writes all of it once it goes', () => {
    writeFileSync(path, '"a"\t1\n');
    mkdirSync(`${path}.new`);
    const journal = journalAt();
    expect(warnings[0]).toMatch(/cannot write .*journal: .*journal\.new/);
    journal.put('b', 2);
    journal.flush();
    expect(text(), 'what is there stays').toBe('"a"\t1\n');
    rmdirSync(`${path}.new`);
    vi.advanceTimersByTime(500);
    expect(contents()).toEqual({ a: 1, b: 2 });
  });

  it('tries ever more seldom, however much changes meanwhile', () => {
    mkdirSync(`${path}.new`);
    const journal = journalAt();
    for (let i = 0; i < 1000; i++) {
      journal.put('a', i);
      journal.flush();
    }
    expect(vi.getTimerCount()).toBe(1);
    expect(warnings).toHaveLength(1);
    let tries = 0;
    for (const stop = Date.now() + 60_000; Date.now() < stop; tries++) vi.advanceTimersToNextTimer();
    expect(tries).toBeLessThan(10);
  });
});

describe('a journal that was closed', () => {
  it('writes nothing any more: its descriptor may be another file by now', () => {
    const journal = journalAt();
    journal.put('a', 1);
    journal.close();
    const other = join(folder, 'other');
    const fd = openSync(other, 'w');
    journal.put('b', 2);
    journal.flush();
    closeSync(fd);
    expect(readFileSync(other, 'utf8')).toBe('');
    expect(warnings).toEqual([]);
  });

  it('may be closed twice', () => {
    const journal = journalAt();
    journal.close();
    expect(() => journal.close()).not.toThrow();
  });
});
