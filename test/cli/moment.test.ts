/** A moment, as people name it to `--since`. */
import { describe, expect, it } from 'vitest';
import { moment } from '../../src/cli/moment.ts';

const now = new Date(2026, 0, 31, 14, 0, 0, 500);

describe('a moment', () => {
  it.each([
    ['90s', new Date(2026, 0, 31, 13, 58, 30, 500)],
    ['1d', new Date(2026, 0, 30, 14, 0, 0, 500)],
    ['1h30m', new Date(2026, 0, 31, 12, 30, 0, 500)],
    ['14:05', new Date(2026, 0, 31, 14, 5)],
    ['9:05:07', new Date(2026, 0, 31, 9, 5, 7)],
    ['2026-01-30', new Date(2026, 0, 30)],
    ['2026-01-30T10:11', new Date(2026, 0, 30, 10, 11)],
    ['2026-01-30 10:11:12', new Date(2026, 0, 30, 10, 11, 12)],
    ['2026-01-30T10:11:12.345Z', new Date(Date.UTC(2026, 0, 30, 10, 11, 12, 345))],
    ['2026-01-30T10:11:12+02:00', new Date(Date.UTC(2026, 0, 30, 8, 11, 12))],
  ])('%s', (text, expected) => {
    expect(moment(text, now)).toEqual(expected);
  });

  it.each(['', 'yesterday', '25:00', '10:61', '2026-13-01', '2026-01-30T', '12', '-5m', '2026'])(
    'is not %j',
    (text) => {
      expect(() => moment(text, now)).toThrow(/is no time; write so long ago/);
    },
  );
});
