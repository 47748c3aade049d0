import { describe, expect, test } from 'vitest';
import { type Mistake, renderMistake } from '../../src/config/mistake.ts';
import { mistakesIn } from './config.ts';

const at = (line: number, column: number, length: number): Mistake => ({
  file: 'a.yaml',
  line,
  column,
  length,
  message: 'it is wrong',
});

describe('a mistake is shown', () => {
  test('with its place, the line, a mark and the likely word', () => {
    expect(renderMistake({ ...at(2, 3, 5), suggestion: 'drain' }, 'a:\n  drian: 1\n')).toBe(
      ['a.yaml:2:3: it is wrong; did you mean "drain"?', '   2 |   drian: 1', '     |   ^~~~~'].join('\n'),
    );
  });

  test('without a line when it is about the file', () => {
    expect(renderMistake({ ...at(0, 0, 0), suggestion: 'b' }, '')).toBe(
      'a.yaml: it is wrong; did you mean "b"?',
    );
  });

  test('without a line that is not there', () => {
    expect(renderMistake(at(9, 1, 1), 'a')).toBe('a.yaml:9:1: it is wrong');
  });

  test('with a mark that keeps to the tabs and to the line', () => {
    expect(renderMistake(at(1, 4, 99), ['\ta bcd'])).toBe(
      'a.yaml:1:4: it is wrong\n   1 | \ta bcd\n     | \t  ^~~',
    );
    expect(renderMistake(at(1, 3, 1), ['ab'])).toBe('a.yaml:1:3: it is wrong\n   1 | ab\n     |   ^');
  });

  test('as a part of a line that is too long', () => {
    const [, line = '', mark = ''] = renderMistake(
      at(1, 5001, 3),
      `${'a'.repeat(5000)}xyz${'b'.repeat(5000)}`,
    ).split('\n');
    expect(line.length).toBeLessThan(120);
    expect(line.slice(mark.indexOf('^'), mark.length)).toBe('xyz');
  });

  test('without the control characters of the file', () => {
    expect(renderMistake(at(1, 1, 1), ['a\u001b[2Jb\u0085'])).toContain('a\uFFFD[2Jb\uFFFD');
  });
});

test('a mistake over several lines is marked on its first', () => {
  expect(mistakesIn('programs:\n  a:\n    command: x\n    drain:\n      - a\n      - b\n')).toMatchObject([
    { line: 5, column: 7, length: 3 },
  ]);
});
