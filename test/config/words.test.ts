import { describe, expect, test } from 'vitest';
import { distanceBetween, nearest } from '../../src/config/nearest.ts';
import { joinWords, splitWords } from '../../src/config/words.ts';

describe('a command line', () => {
  test.each<[line: string, words: string[]]>([
    ['', []],
    ['  a   b\t\nc ', ['a', 'b', 'c']],
    ['\'a b\' "c d"', ['a b', 'c d']],
    ['a\'b c\'"d e"f', ['ab cd ef']],
    ['\'\' ""', ['', '']],
    ['a\\ b \\"c', ['a b', '"c']],
    ["'a\\b'", ['a\\b']],
    ['"a\\"b\\\\c\\d\\$"', ['a"b\\c\\d$']],
    ['a\\\nb "c\\\nd"', ['ab', 'cd']],
    ['$HOME * ~ `x` # a | b > c', ['$HOME', '*', '~', '`x`', '#', 'a', '|', 'b', '>', 'c']],
    ['ü "é"', ['ü', 'é']],
  ])('is split as a shell would: %j', (line, words) => {
    expect(splitWords(line)).toEqual({ ok: true, value: words });
  });

  test.each(["a 'b", 'a "b', 'a "b\\"', 'a\\'])('that does not end is refused: %j', (line) => {
    expect(splitWords(line)).toMatchObject({ ok: false });
  });

  test.each([[['a', 'b c', '', "it's", '"', '$x', 'a\\b', '\n', '--x={{index}}']]])(
    'is made of %j again',
    (words) => {
      expect(splitWords(joinWords(words))).toEqual({ ok: true, value: words });
    },
  );
});

describe('the likely word', () => {
  test.each([
    ['drian', 'drain'],
    ['Drain', 'drain'],
    ['maxParallel', 'max_parallel'],
    ['max-paralel', 'max_parallel'],
    ['stops', 'stop'],
    ['xyzzy', undefined],
    ['', undefined],
    ['s'.repeat(10_000), undefined],
  ])('for %s is %s', (word, expected) => {
    expect(nearest(word, ['drain', 'stop', 'max_parallel'])).toBe(expected);
  });

  test('is as near as there are letters to change', () => {
    expect(['ab', 'ba', 'abc', 'a', 'xy', ''].map((other) => distanceBetween('ab', other))).toEqual([
      0, 1, 1, 1, 2, 2,
    ]);
  });
});
