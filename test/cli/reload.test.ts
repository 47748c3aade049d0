/** `reload`: the plan that is shown, and what is watched until it is over. */
import type { ServerResponse } from 'node:http';
import { afterEach, expect, test } from 'vitest';
import { run } from '../../src/cli/command-line.ts';
import { EXIT } from '../../src/protocol/errors.ts';
import type { PlanChange, ReloadReply } from '../../src/protocol/replies.ts';
import type { InstanceStatus } from '../../src/protocol/status.ts';
import { type Answer, type FakeDaemon, fakeDaemon, refusal, stream } from './fake-daemon.ts';
import { draining, event, instance, reloaded, rollout, status } from './samples.ts';
import { command, type Given, terminal } from './terminal.ts';

let daemon: FakeDaemon;

afterEach(() => daemon.close());

const change = (given: Partial<PlanChange> = {}): PlanChange => ({
  program: 'worker',
  key: 'command',
  from: 'node a.js',
  to: 'node b.js',
  effect: 'rolling',
  note: null,
  ...given,
});

const succeeded = rollout({ state: 'succeeded', done: 4, current: [], ended_at: '2026-01-31T14:01:12.000Z' });
const over = event(
  45,
  { type: 'rollout', rollout: 7, program: 'worker', state: 'succeeded', reason: null },
  'rollout 7 of worker has succeeded',
);

const QUIET = { 'GET /v1/events': stream([], 'stays open') };

async function reload(
  script: Readonly<Record<string, Answer>>,
  argv: readonly string[] = [],
  given: Given = {},
) {
  daemon = await fakeDaemon({ ...QUIET, ...script });
  return command(['--socket', daemon.socket, 'reload', ...argv], given);
}

/** A daemon that rolls `worker`, and is done when its events have been read. */
function rolling(given: Partial<ReloadReply> = {}) {
  let told = false;
  return {
    'POST /v1/reload': reloaded({ changes: [change()], rollouts: [rollout({ done: 0 })], ...given }),
    'GET /v1/rollouts/7': (response: ServerResponse) => {
      response.end(JSON.stringify({ version: 1, rollout: told ? succeeded : rollout() }));
    },
    'GET /v1/events': (response: ServerResponse) => {
      told = true;
      stream([over], 'stays open')(response);
    },
  };
}

/** What the instances are at one look after the other; the last remains. */
function looks(...each: (readonly InstanceStatus[])[]): Answer {
  let at = 0;
  return (response) => {
    response.end(JSON.stringify(status(each[Math.min(at, each.length - 1)])));
    at += 1;
  };
}

const mailer = (given: Partial<InstanceStatus> = {}) =>
  instance({ id: 'mailer:0', program: 'mailer', ...given });

test('the plan tells what comes, what goes, and key by key what changes and when', async () => {
  const { exit, out, err } = await reload(
    {
      'POST /v1/reload': reloaded({
        added: ['mailer'],
        removed: ['legacy'],
        changes: [
          change({ program: '', key: 'supervisor.name', from: 'a', to: 'b', effect: 'immutable', note: 'x' }),
          change(),
          change({ key: 'drain.timeout', from: '5m', to: '10m', effect: 'next_start' }),
          change({ key: 'health.interval', from: '10s', to: '5s', effect: 'live' }),
        ],
        skipped: [{ program: 'batch', reason: 'it is stopped, and takes the config at its next start' }],
      }),
    },
    ['--detach'],
  );
  expect({ exit, err }).toEqual({ exit: EXIT.done, err: '' });
  expect(out.split('\n')).toEqual([
    '+ mailer',
    '- legacy',
    '~ supervisor.name a -> b (not before the daemon is started anew)',
    '~ worker: command node a.js -> node b.js (by a rolling restart)',
    '~ worker: drain.timeout 5m -> 10m (at the next start)',
    '~ worker: health.interval 10s -> 5s (now)',
    'batch is left alone: it is stopped, and takes the config at its next start',
    '',
  ]);
});

test('a number that an operator has given is told where it stays', async () => {
  const counts = [{ program: 'worker', instances: 0, configured: 3 }];
  const { out } = await reload({ 'POST /v1/reload': reloaded({ kept_counts: counts }) });
  expect(
    out,
  ).toBe(`nothing to change: the daemon runs with the config as it stands, but for the number of instances
worker keeps the number that an operator has scaled it to: 0; the config has 3, as before
`);
});

test('where nothing has changed it is said, and nothing is watched', async () => {
  const result = await reload({ 'POST /v1/reload': reloaded() });
  expect(result).toEqual({
    exit: EXIT.done,
    out: 'nothing to change: the daemon runs with the config as it stands\n',
    err: '',
  });
  expect(daemon.asked.map(({ path }) => path)).not.toContain('/v1/events?follow=1&since=40');
});

test('--dry-run asks for no more than the plan, and says what would be restarted', async () => {
  const { exit, out, err } = await reload(rolling({ dry_run: true }), ['--dry-run']);
  expect({ exit, err }).toEqual({ exit: EXIT.done, err: 'nothing was changed: this was a dry run\n' });
  expect(out.split('\n')).toEqual([
    '~ worker: command node a.js -> node b.js (by a rolling restart)',
    'worker: would restart 4 instances, in this order: worker:0-3',
    '  1 at a time',
    '',
  ]);
  expect(daemon.asked.filter(({ path }) => !path.startsWith('/v1/status'))).toEqual([
    { method: 'POST', path: '/v1/reload', body: { dry_run: true } },
  ]);
});

test('--dry-run of what would be refused prints the plan, says why, and ends with the code of the refusal', async () => {
  const refused = [{ program: 'worker', reason: 'rollout 7 of worker is paused', hint: 'end it first' }];
  const plan = {
    'POST /v1/reload': reloaded({ dry_run: true, added: ['newer'], counts: { newer: 3 }, refused }),
  };
  const { exit, out, err } = await reload(plan, ['--dry-run']);
  expect({ exit, out }).toEqual({ exit: EXIT.conflict, out: '+ newer (3 instances)\n' });
  expect(err).toBe(
    'would be refused: rollout 7 of worker is paused; end it first\nnothing was changed: this was a dry run\n',
  );
});

test('a rollout that it began is followed from where it began to its end', async () => {
  const { exit, out } = await reload(rolling());
  expect(exit).toBe(EXIT.done);
  expect(out.replace(/^\S+T\d\d:\d\d:\d\d[+-]\d\d:\d\d /gm, '').split('\n')).toEqual([
    '~ worker: command node a.js -> node b.js (by a rolling restart)',
    'rollout 7 of worker begins: 4 instances, 1 at a time, 77ab01 -> 9f2c1a',
    'rollout 7 of worker has succeeded',
    'rollout 7 of worker succeeded: 4 instances restarted in 1m12s',
    '',
  ]);
  expect(daemon.asked.map(({ path }) => path)).toContain('/v1/events?follow=1&since=40');
});

test('--detach says what has begun and does not watch', async () => {
  const { exit, out } = await reload(rolling(), ['--detach']);
  expect(exit).toBe(EXIT.done);
  expect(out).toContain('rollout 7 of worker is running: 0 of 4 done');
  expect(daemon.asked.map(({ path }) => path)).not.toContain('/v1/events?follow=1&since=40');
});

test.each(['paused', 'aborted', 'failed'] as const)('a rollout that ends %s is a failure', async (state) => {
  const bad = rollout({ state, reason: 'worker:1 exited with code 1' });
  const script = { ...rolling(), ...QUIET, 'GET /v1/rollouts/7': { version: 1, rollout: bad } };
  const { exit, out } = await reload(script);
  expect(exit).toBe(EXIT.failed);
  expect(out).toContain('worker:1 exited with code 1');
});

test('a program that was added is waited for', async () => {
  const { exit, out } = await reload({
    'POST /v1/reload': reloaded({ added: ['mailer'] }),
    'GET /v1/status': looks(
      [mailer({ state: 'starting', ready: false })],
      [mailer({ ready: false })],
      [mailer(), instance({ state: 'backoff', ready: false })],
    ),
  });
  expect({ exit, out }).toEqual({ exit: EXIT.done, out: '+ mailer\n1 instance ready (mailer:0)\n' });
  // A program that goes cannot be selected any more when it is gone.
  expect(daemon.asked.map(({ path }) => path)).toContain('/v1/status?usage=0');
});

test('a program that was added and does not start is a failure, and says why', async () => {
  const failing = mailer({
    state: 'backoff',
    ready: false,
    message: 'exited with code 1; tried again in 1s',
  });
  const { exit, out } = await reload({
    'POST /v1/reload': reloaded({ added: ['mailer'] }),
    'GET /v1/status': looks([failing]),
  });
  expect(exit).toBe(EXIT.failed);
  expect(out).toContain('mailer:0 is not ready: backoff; exited with code 1; tried again in 1s');
});

test('what fails and is tried again at once is not waited for until all of it rests at the same time', async () => {
  const failing = (id: string) => mailer({ id, state: 'backoff', ready: false, message: `${id} has failed` });
  const again = (id: string) => mailer({ id, state: 'starting', ready: false, message: 'tries' });
  const { exit, out } = await reload({
    'POST /v1/reload': reloaded({ added: ['mailer'] }),
    'GET /v1/status': looks(
      [failing('mailer:0'), again('mailer:1'), failing('mailer:2')],
      [again('mailer:0'), failing('mailer:1'), mailer({ id: 'mailer:2' })],
      [again('mailer:0'), again('mailer:1'), mailer({ id: 'mailer:2' })],
    ),
  });
  expect(exit).toBe(EXIT.failed);
  expect(out.split('\n').slice(1)).toEqual([
    'mailer:0 is not ready: backoff; mailer:0 has failed',
    'mailer:1 is not ready: backoff; mailer:1 has failed',
    '1 instance ready (mailer:2)',
    '',
  ]);
});

test('who waits for another program is waited for as long as anything is on its way', async () => {
  const waiting = mailer({
    state: 'waiting',
    ready: false,
    waits_for: 'redis',
    message: 'waits for redis to be ready: it is stopped',
  });
  const redis = instance({ id: 'redis:0', program: 'redis', state: 'starting', ready: false });
  const added = { 'POST /v1/reload': reloaded({ added: ['mailer'] }) };
  const idle = await reload({ ...added, 'GET /v1/status': looks([waiting]) });
  expect(idle.exit).toBe(EXIT.failed);
  expect(idle.out).toContain('mailer:0 is not ready: waiting; for redis to be ready: it is stopped');
  await daemon.close();
  const begun = await reload({ ...added, 'GET /v1/status': looks([waiting, redis], [mailer()]) });
  expect(begun.exit).toBe(EXIT.done);
});

test('what comes and goes beside a rollout is looked at without naming it, for what is gone has no name', async () => {
  const script = rolling({ added: ['mailer'], removed: ['legacy'] });
  const { exit } = await reload({ ...script, 'GET /v1/status': looks([mailer(), instance()]) });
  expect(exit).toBe(EXIT.done);
  const looked = daemon.asked.map(({ path }) => path).filter((path) => path.startsWith('/v1/status'));
  expect(new Set(looked)).toEqual(new Set(['/v1/status?usage=0']));
});

test('one that waits for its schedule is where it is wanted', async () => {
  const backup = mailer({ state: 'waiting', ready: false, next_run: '2026-02-01T00:00:00.000Z' });
  const { exit } = await reload({
    'POST /v1/reload': reloaded({ added: ['mailer'] }),
    'GET /v1/status': looks([backup]),
  });
  expect(exit).toBe(EXIT.done);
});

test('a program that was removed, and instances that are too many, are waited for until they are gone', async () => {
  const leaving = (id: string, program: string) => draining({ id, program, wanted: 'down' });
  const { exit, out } = await reload({
    'POST /v1/reload': reloaded({
      removed: ['legacy'],
      changes: [change({ key: 'instances', from: '2', to: '1', effect: 'live' })],
    }),
    'GET /v1/status': looks(
      [instance(), leaving('worker:1', 'worker'), leaving('legacy:0', 'legacy')],
      [instance(), leaving('worker:1', 'worker')],
      [instance()],
    ),
  });
  expect(exit).toBe(EXIT.done);
  expect(out.split('\n').slice(2)).toEqual(['1 instance ready (worker:0)', 'nothing is left of legacy', '']);
});

test('a line is told of what happens to a program that comes, and to no other', async () => {
  const told = (seq: number, program: string) => [
    event(seq, { type: 'scaled', program, added: [], removed: [] }, `${program} is scaled`),
    event(
      seq + 1,
      { type: 'phase', instance: `${program}:0`, program, run: null, from: 'stopped', to: 'waiting' },
      `${program}:0 waits`,
    ),
    event(seq + 2, { type: 'spawned', instance: `${program}:0`, run: 1 }, `${program}:0 has pid 9`),
    event(seq + 3, { type: 'ready', instance: `${program}:0`, run: 1 }, `${program}:0 is ready`),
  ];
  const { out } = await reload({
    'POST /v1/reload': reloaded({ added: ['mailer'] }),
    'GET /v1/events': stream([...told(41, 'other'), ...told(51, 'mailer')], 'stays open'),
    'GET /v1/status': looks([mailer()]),
  });
  expect(out.replace(/^\S+T\d\d:\d\d:\d\d[+-]\d\d:\d\d /gm, '').split('\n')).toEqual([
    '+ mailer',
    'mailer is scaled',
    'mailer:0 waits',
    'mailer:0 is ready',
    '1 instance ready (mailer:0)',
    '',
  ]);
});

test('what needs a new run and no rollout, for its schedule is new, is waited for too', async () => {
  const { exit } = await reload({
    'POST /v1/reload': reloaded({ changes: [change({ program: 'mailer', key: 'schedule' })] }),
    'GET /v1/status': looks([draining({ id: 'mailer:0', program: 'mailer' })], [mailer()]),
  });
  expect(exit).toBe(EXIT.done);
  expect(daemon.asked.filter(({ path }) => path.startsWith('/v1/status')).length).toBeGreaterThan(1);
});

test('with --json stdout has the reply alone, and stderr what went wrong', async () => {
  const paused = rollout({ state: 'paused', reason: 'worker:1 exited with code 1' });
  const script = { ...rolling(), 'GET /v1/rollouts/7': { version: 1, rollout: paused } };
  const { exit, out, err } = await reload(script, ['--json']);
  expect(exit).toBe(EXIT.failed);
  expect(JSON.parse(out)).toEqual(script['POST /v1/reload']);
  expect(err).toContain('rollout 7 of worker is paused after 1 of 4: worker:1 exited with code 1');
});

test('a config with mistakes exits with 5, a conflict with 6', async () => {
  const wrong = refusal(422, 'config_invalid', 'x.yaml has 1 mistake', 'nothing was changed');
  expect((await reload({ 'POST /v1/reload': wrong })).exit).toBe(EXIT.configInvalid);
  await daemon.close();
  const busy = refusal(409, 'conflict', 'rollout 7 of worker is under way', 'nothing was changed');
  expect(await reload({ 'POST /v1/reload': busy })).toEqual({
    exit: EXIT.conflict,
    out: '',
    err: 'tsup-visor: rollout 7 of worker is under way; nothing was changed\n',
  });
});

test('--timeout and Ctrl-C end the watching alone, with 7 and 130', async () => {
  const goesOn = { ...rolling(), ...QUIET };
  const late = await reload(goesOn, ['--timeout', '30ms']);
  expect(late.exit).toBe(EXIT.timeout);
  expect(late.err).toContain('not done after 30ms: the reload goes on; see "tsup-visor --socket');
  await daemon.close();
  daemon = await fakeDaemon(goesOn);
  const there = terminal();
  const asked = daemon.got('GET /v1/events');
  const ended = run(['--socket', daemon.socket, 'reload'], there.io);
  await asked;
  there.interrupt();
  expect(await ended).toBe(EXIT.interrupted);
  expect(there.err()).toContain('the reload goes on');
  expect(daemon.asked.filter(({ method }) => method === 'POST')).toHaveLength(1);
});

test('on a terminal the plan is painted, and what comes and goes is drawn under it in place', async () => {
  const size = { terminal: { columns: 80, rows: 24 }, env: { LANG: 'C.UTF-8', TERM: 'xterm' } };
  const { exit, out } = await reload(
    {
      'POST /v1/reload': reloaded({ added: ['mailer'], removed: ['legacy'] }),
      'GET /v1/status': looks(
        [
          mailer({ state: 'starting', ready: false, uptime_ms: 2000, message: 'warming up' }),
          draining({ id: 'legacy:0', program: 'legacy', wanted: 'down' }),
          instance(),
        ],
        [mailer(), instance()],
      ),
    },
    [],
    size,
  );
  expect(exit).toBe(EXIT.done);
  expect(out).toContain('\x1b[32m+ mailer\x1b[39m\n');
  expect(out).toContain('mailer:0  starting 2s  warming up\x1b[K\n');
  expect(out).toContain('legacy:0  draining 41s, 2 jobs in flight, no deadline\x1b[K\n');
  expect(out).toContain('Ctrl-C ends the watching only; the reload goes on');
  expect(out).not.toContain('worker:0');
  expect(out.lastIndexOf('\x1b[?25h')).toBeGreaterThan(out.lastIndexOf('\x1b[?25l'));
});
