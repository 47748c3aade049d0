import { expect, test } from 'vitest';
import { run } from '../../src/base/ids.ts';
import type { FleetEvent } from '../../src/core/fleet/event.ts';
import { processEvents } from '../../src/daemon/process-events.ts';

const RUN = run(7);

/** What becomes of a message. */
function heard(text: string, channel: 'line' | 'datagram' = 'line', wasWaiting = false): FleetEvent[] {
  const events: FleetEvent[] = [];
  processEvents((event) => void events.push(event)).notified(RUN, text, channel, wasWaiting);
  return events;
}

const notified = (message: object) => [{ type: 'notified', run: RUN, message }];

test('what a program says is told', () => {
  expect(heard('STATUS=busy\nX_INFLIGHT=2', 'datagram')).toEqual(notified({ status: 'busy', inFlight: 2 }));
  expect(heard('')).toEqual(notified({ ready: true }));
  expect(heard('COLOUR=blue')).toEqual([]);
});

test.each([
  ['0', false],
  ['1', true],
] as const)('X_ASKED=%s is the answer to this daemon', (value, asked) => {
  expect(heard(`X_ASKED=${value}`)).toEqual(notified({ asked }));
});

test('an answer that nobody can give is passed over', () => {
  for (const value of ['', '2', 'yes', '-1']) expect(heard(`X_ASKED=${value}`)).toEqual([]);
});

test('an answer to an earlier daemon is none: that one may have asked it since. All else that waited counts', () => {
  expect(heard('X_ASKED=0', 'line', true)).toEqual([]);
  expect(heard('X_ASKED=0\nSTOPPING=1', 'datagram', true)).toEqual(notified({ stopping: true }));
  expect(heard('STOPPING=1', 'line', true)).toEqual(notified({ stopping: true }));
});
