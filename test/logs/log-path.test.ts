/** Where an instance's output goes. */
import { expect, test } from 'vitest';
import { instanceId, programName } from '../../src/base/ids.ts';
import { logPathIn } from '../../src/logs/log-path.ts';

const id = instanceId(programName('worker'), 2);
const path = logPathIn('/var/log/orders');

test('by default into a file for each instance and stream', () => {
  expect(path(id, { kind: 'default' }, 'out')).toBe('/var/log/orders/worker-2.log');
  expect(path(id, { kind: 'default' }, 'err')).toBe('/var/log/orders/worker-2.err.log');
});

test('nowhere, when told so', () => expect(path(id, { kind: 'none' }, 'out')).toBeNull());

test('into a path of the user’s own, its templates filled in', () => {
  const target = { kind: 'file', path: '/tmp/{{program}}/{{ index }}/{{instance}}-{{other}}' } as const;
  expect(path(id, target, 'out')).toBe('/tmp/worker/2/worker:2-{{other}}');
});
