/** The small parts that need no process. */
import { describe, expect, test } from 'vitest';
import { run } from '../../src/base/ids.ts';
import { isKnown } from '../../src/os/libc.ts';
import { Lines } from '../../src/os/lines.ts';
import { createMark } from '../../src/os/mark.ts';
import { parseStat } from '../../src/os/proc.ts';
import { attributeRows, parsePs } from '../../src/os/ps-scanner.ts';
import { RateLimit } from '../../src/os/rate-limit.ts';

test('what the C library says is read only where its structures are known', () => {
  expect(['x64', 'arm64'].map((arch) => isKnown(arch))).toEqual([true, true]);
  expect(['arm', 'ia32', 's390x', 'ppc64'].map((arch) => isKnown(arch))).toEqual(Array(4).fill(false));
});

describe('stat', () => {
  test('a command name with spaces and parentheses does not shift the fields', () => {
    const rest = 'S 10 20 30 0 -1 4194304 1 2 3 4 5 6 7 8 20 0 1 0 987654321 1000 2000';
    for (const name of ['sleep', 'a b', ') S 1 1 1', '((', 'tmux: server)'])
      expect(parseStat(`42 (${name}) ${rest}`)).toEqual({
        state: 'S',
        ppid: 10,
        session: 30,
        start: '987654321',
      });
  });

  test('a torn line is nothing', () => expect(parseStat('42 (sleep) S 10')).toBeNull());
});

describe('the mark', () => {
  test('names the run, and no other daemon’s', () => {
    const mark = createMark('/run/a', '');
    expect(mark.read(mark.of(run(12)))).toBe(12);
    expect(createMark('/run/b', '').read(mark.of(run(12)))).toBeNull();
    expect(mark.read('nonsense')).toBeNull();
  });

  test('a daemon that is itself an instance keeps the mark that it bears', () => {
    const outer = createMark('/run/outer', '');
    const inner = createMark('/run/inner', outer.of(run(3)));
    const value = inner.of(run(4));
    expect(inner.read(value)).toBe(4);
    expect(outer.read(value)).toBe(3);
  });
});

describe('lines', () => {
  const cut = (...chunks: string[]) => {
    const seen: string[] = [];
    const lines = new Lines(8, {
      line: (text) => void seen.push(text),
      overlong: () => void seen.push('<too long>'),
    });
    for (const chunk of chunks) lines.push(Buffer.from(chunk));
    return { seen, lines };
  };

  test('are put together from any pieces', () => {
    expect(cut('a\nb', 'c\n', '\n', 'd').seen).toEqual(['a', 'bc', '']);
  });

  test('a character that is torn apart is whole again', () => {
    const bytes = Buffer.from('ä\n');
    const { seen, lines } = cut();
    lines.push(bytes.subarray(0, 1));
    lines.push(bytes.subarray(1));
    expect(seen).toEqual(['ä']);
  });

  test('one that is too long is dropped once, whatever its pieces, and the next is heard', () => {
    expect(cut('123456789\nok\n').seen).toEqual(['<too long>', 'ok']);
    expect(cut('12345', '6789', '0123456789', 'x\nok\n').seen).toEqual(['<too long>', 'ok']);
    expect(cut('12345678\n').seen).toEqual(['12345678']);
  });

  test('what is held counts at the end', () => {
    const { seen, lines } = cut('a\nb');
    lines.finish();
    lines.finish();
    expect(seen).toEqual(['a', 'b']);
  });
});

test('a limit lets through so many a second and counts the rest', () => {
  let now = 0;
  const limit = new RateLimit(2, () => now);
  const three = () => [limit.admits(), limit.admits(), limit.admits()];
  expect(three()).toEqual([true, true, false]);
  now = 999;
  expect(limit.admits()).toBe(false);
  now = 1000;
  expect(three()).toEqual([true, true, false]);
  expect(limit.dropped).toBe(3);
});

describe('the list of ps', () => {
  const rows = parsePs(`
    1     0     1      0 Ss   Mon Jan  1 00:00:00 2024
  100     1   100      0 Ss   Tue Jan  2 00:00:00 2024
  101   100   100      0 S    Tue Jan  2 00:00:01 2024
  102   101   102      0 S    Tue Jan  2 00:00:02 2024
  103   100   100      0 Z    Tue Jan  2 00:00:03 2024
  104     1   104      0 S    Tue Jan  2 00:00:04 2024
`);
  const kin = { run: run(1), leader: 100, leaderAlive: true, adopted: false, members: [] };

  test('gives a run its group, and the children that have left it, but no zombie', () => {
    const scan = attributeRows(rows, new Map([[kin.run, kin]]));
    expect(scan.members.get(kin.run)?.map(({ pid }) => pid)).toEqual([101, 102]);
    expect([...scan.leadersSeen]).toEqual([100]);
  });

  test('knows a member again that has lost its parent, by its start', () => {
    const member = (start: string) => ({ ...kin, members: [{ pid: 104, start }] });
    const found = (start: string) =>
      attributeRows(rows, new Map([[kin.run, member(start)]]))
        .members.get(kin.run)
        ?.some(({ pid }) => pid === 104);
    expect(found('Tue Jan  2 00:00:04 2024')).toBe(true);
    expect(found('Mon Jan  1 09:00:00 2024')).toBe(false);
  });
});
