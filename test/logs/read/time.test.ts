/** When a line was written, as it says itself. */
import { expect, test } from 'vitest';
import { timeOf } from '../../../src/logs/read/time.ts';

const at = (text: string): number | null => timeOf(Buffer.from(text));
const UTC = Date.UTC(2026, 10, 23, 20, 30, 0, 123);

test.each([
  ['2026-11-23T20:30:00.123Z text', 'ours'],
  ['2026-11-23 20:30:00.123Z text', 'a space for the T'],
  ['[2026-11-23T20:30:00.123456+00:00] text', 'in brackets, with millionths'],
  ['2026-11-23T22:30:00.123+0200 text', 'a zone without a colon'],
  ['2026-11-23 20:30:00,123 UTC text', 'a comma'],
  ['{"time":"2026-11-23T20:30:00.123Z","instance":"a:0"}', 'our JSON'],
  ['{"level":30,"time":1795465800123,"msg":"x"}', 'as pino has it'],
  [
    '{"level":"info","message":"a \\"time\\": b","timestamp":"2026-11-23T20:30:00.123Z"}',
    'as winston has it',
  ],
  ['{"ts":1795465800.1239,"msg":"x"}', 'as zap has it'],
  ['{"@timestamp":"2026-11-23T20:30:00.123Z"}', 'as logstash has it'],
  ['time="2026-11-23T20:30:00.123Z" level=info', 'as logrus has it'],
  ['ts=2026-11-23T20:30:00.123Z caller=x', 'as go-kit has it'],
  ['1795465800.123 text', 'seconds'],
  ['1795465800123: text', 'thousandths'],
])('%s: %s', (line) => expect(at(line)).toBe(UTC));

test('a time without a zone is that of this machine', () => {
  const local = new Date(2026, 10, 23, 20, 30, 1).getTime();
  expect(at('2026-11-23 20:30:01 text')).toBe(local);
  expect(at('2026/11/23 20:30:01 [error] text')).toBe(local);
  expect(at('2026-11-23 20:30 text')).toBe(new Date(2026, 10, 23, 20, 30).getTime());
});

test.each([
  '',
  'text 2026-11-23T20:30:00Z',
  '2026-13-23T20:30:00Z',
  '2026-11-23',
  '12345 text',
  '1795465800-1 is an order',
  '179546580012345',
  '9999999999 bottles',
  '{"req":{"time":1795465800123}}',
  '{"time":1795465800123',
  '{"message":"\\"time\\":1795465800123"}',
  'timeout',
])('none in %j', (line) => expect(at(line)).toBe(null));
