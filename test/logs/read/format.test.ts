/** What is in a line of a log: what the program wrote, and what was written down with it. */
import { expect, test } from 'vitest';
import { type LineFormat, wordsOf } from '../../../src/logs/read/format.ts';

const TIME = '2026-11-23T20:30:00.123Z';
const read = (line: string, format: LineFormat) => {
  const { text, ...rest } = wordsOf(Buffer.from(line), format);
  return { text: text.toString(), ...rest };
};

test('with times: what comes after the time, which may be nothing', () => {
  expect(read(`${TIME} a b\r`, 'timestamps')).toEqual({ text: 'a b\r', time: TIME, isPartial: false });
  expect(read(`${TIME} `, 'timestamps')).toEqual({ text: '', time: TIME, isPartial: false });
  expect(read(`${TIME} part…`, 'timestamps')).toEqual({ text: 'part…', time: TIME, isPartial: true });
});

test('as JSON: the message, and what stands beside it', () => {
  const line = { time: TIME, instance: 'worker:0', run: 17, stream: 'stderr', message: 'a\u2028"b"' };
  const words = { text: line.message, time: TIME, run: 17, stream: 'stderr', isPartial: false };
  expect(read(JSON.stringify(line), 'json')).toEqual(words);
  expect(read(JSON.stringify({ ...line, partial: true }), 'json')).toEqual({ ...words, isPartial: true });
});

test.each([
  '',
  'plain',
  `${TIME}text`,
  '2026-11-23T20:30:00Z text',
  '{"time":1}',
  '[1]',
  '{"message":1}',
  '{',
])('%j is as it is, whatever is written now', (line) => {
  for (const format of ['raw', 'timestamps', 'json'] as const)
    expect(read(line, format)).toEqual({ text: line, time: null, isPartial: false });
});
