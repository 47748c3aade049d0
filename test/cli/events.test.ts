/** `events`: each kind of event is its sentence, whatever it is about. */
import { afterEach, expect, test } from 'vitest';
import { colour } from '../../src/cli/render/colour.ts';
import { eventLine } from '../../src/cli/render/events.ts';
import { plain } from '../../src/cli/render/paint.ts';
import type { Happening, WireEvent } from '../../src/protocol/events.ts';
import { type FakeDaemon, fakeDaemon, stream } from './fake-daemon.ts';
import { event } from './samples.ts';
import { command } from './terminal.ts';

let daemon: FakeDaemon | undefined;

afterEach(async () => {
  await daemon?.close();
  daemon = undefined;
});

const one = { instance: 'worker:0', run: 3 };
const exit = {
  code: null,
  signal: 'KILL',
  at: '2026-01-31T14:00:00.000Z',
  because: 'crash',
  drained: false,
  killed: false,
  oom: false,
};

const LOG = { path: '/l/worker-0.log', of: 'worker:0' };
const [RED, GREEN, YELLOW] = ['\x1b[31m', '\x1b[32m', '\x1b[33m'];

const LOOKS: readonly (readonly [Happening, string | undefined])[] = [
  [{ type: 'hook_failed', ...one, hook: 'pre_start', error: 'it exited with code 1' }, RED],
  [{ type: 'health', ...one, ok: false, detail: 'it answered 500' }, RED],
  [{ type: 'health', ...one, ok: true, detail: '' }, GREEN],
  [{ type: 'worn', ...one, why: 'memory', detail: '900MB' }, YELLOW],
  [{ type: 'watchdog', ...one, detail: 'nothing for 10s' }, RED],
  [{ type: 'scaled', program: 'worker', added: ['worker:1'], removed: [] }, undefined],
  [{ type: 'schedule', program: 'backup', what: 'skipped', detail: 'the last run goes on' }, YELLOW],
  [{ type: 'dependency', program: 'worker', on: 'redis', lost: true }, RED],
  [{ type: 'dependency', program: 'worker', on: 'redis', lost: false }, GREEN],
  [{ type: 'exited', ...one, exit }, undefined],
  [{ type: 'exited', ...one, exit: { ...exit, oom: true } }, RED],
  [{ type: 'turn', rollout: 7, instance: 'worker:0', step: 'done' }, undefined],
  [{ type: 'turn', rollout: 7, instance: 'worker:0', step: 'skipped', why: 'it is stopped' }, YELLOW],
  [{ type: 'turn', rollout: 7, instance: 'worker:0', step: 'failed', why: 'not ready in 5m' }, RED],
  [{ type: 'log', ...LOG, state: 'failing', why: 'no space left on device', dropped_bytes: 0 }, RED],
  [{ type: 'log', ...LOG, state: 'well', why: null, dropped_bytes: 7 }, GREEN],
  [{ type: 'daemon', state: 'shutting_down' }, undefined],
  [{ type: 'daemon', state: 'shutting_down', fault: 'migrate:0 was given up' }, RED],
];

const wire = (happening: object): WireEvent => event(41, happening, 'what has happened') as WireEvent; // with the head, an event of the wire

test.each(LOOKS)('%j is its sentence, in the colour of what it means', (happening, look) => {
  expect(eventLine(wire(happening), plain)).toMatch(
    /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d\d:\d\d what has happened$/,
  );
  const painted = eventLine(wire(happening), colour);
  if (look === undefined) expect(painted).toMatch(/ what has happened$/);
  else expect(painted).toContain(`${look}what has happened`);
});

test('an event that only a newer daemon knows is its sentence', async () => {
  daemon = await fakeDaemon({
    'GET /v1/events': stream([event(41, { type: 'eclipse' }, 'the sun is gone')], 'ends'),
  });
  const { exit, out } = await command(['--socket', daemon.socket, 'events']);
  expect(exit).toBe(0);
  expect(out).toMatch(/^\S+T\d\d:\d\d:\d\d[+-]\d\d:\d\d the sun is gone\n$/);
});

test('with --json each event is as the daemon sent it', async () => {
  const sent = LOOKS.map(([happening], at) => event(at, happening, 'what has happened'));
  daemon = await fakeDaemon({ 'GET /v1/events': stream(sent, 'ends') });
  const { out, err } = await command(['--socket', daemon.socket, 'events', '--json']);
  expect(err).toBe('');
  expect(
    out
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line)),
  ).toEqual(sent);
});

test.each([
  [[], '?last=all'],
  [['-n', '3'], '?last=3'],
  [['-f'], '?follow=1&last=10'],
  [['-f', '-n', '0'], '?follow=1&last=0'],
  [['--since', '2026-01-31T14:00:00Z'], '?from=2026-01-31T14%3A00%3A00.000Z&last=all'],
  [['-f', '--since', '2026-01-31T14:00:00Z'], '?follow=1&from=2026-01-31T14%3A00%3A00.000Z&last=all'],
])('how much of the past: %j', async (argv, query) => {
  daemon = await fakeDaemon({ 'GET /v1/events': stream([], 'ends') });
  await command(['--socket', daemon.socket, 'events', ...argv]);
  expect(daemon.asked.map(({ path }) => path)).toEqual([`/v1/events${query}`]);
});

test('a time that is none is said to be none', async () => {
  const { exit, err } = await command(['events', '--since', 'yesterday']);
  expect(exit).toBe(2);
  expect(err).toContain('"yesterday" is no time; write so long ago');
});

test('a stream that goes on with the next daemon tells what came between, and nothing twice', async () => {
  const at = (seconds: number) => ({ at: `2026-01-31T14:00:0${seconds}.000Z` });
  const over = { type: 'daemon', state: 'handing_over', to: '0.2.0', ...at(3) };
  const before = [
    event(7, at(9), 'by a clock that was wrong'),
    event(1, at(1), 'one'),
    event(2, over, 'two'),
  ];
  const after = [...before.slice(2), event(3, at(3), 'three'), event(1, at(4), 'four')];
  let times = 0;
  daemon = await fakeDaemon({
    'GET /v1/events': (response) => stream(times++ === 0 ? before : after, 'ends')(response),
  });
  const { out } = await command(['--socket', daemon.socket, 'events', '-f', '--json']);
  const told: readonly { readonly message: string }[] = out
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(told.map(({ message }) => message)).toEqual([
    'by a clock that was wrong',
    'one',
    'two',
    'three',
    'four',
  ]);
  expect(daemon.asked.map(({ path }) => path)).toEqual([
    '/v1/events?follow=1&last=10',
    '/v1/events?follow=1&from=2026-01-31T14%3A00%3A03.000Z',
  ]);
});
