/** Watching a rolling restart, in each of its three forms. */
import type { ServerResponse } from 'node:http';
import { afterEach, expect, test } from 'vitest';
import { EXIT } from '../../src/protocol/errors.ts';
import { type Asked, type FakeDaemon, fakeDaemon, refusal, stream } from './fake-daemon.ts';
import { created, draining, event, rollout, status } from './samples.ts';
import { command } from './terminal.ts';

let daemon: FakeDaemon;

afterEach(() => daemon.close());

const ended = rollout({ state: 'succeeded', done: 4, current: [], ended_at: '2026-01-31T14:01:12.000Z' });
const drains = {
  type: 'phase',
  instance: 'worker:0',
  program: 'worker',
  run: 3,
  from: 'running',
  to: 'draining',
};
const EVENTS = [
  event(41, { ...drains, because: 'rollout 7' }, 'worker:0 is draining (rollout 7)'),
  event(42, { ...drains, instance: 'mailer:0', program: 'mailer' }, 'mailer:0 is draining (operator)'),
  event(43, { type: 'spawned', instance: 'worker:0', run: 4, pid: 9, generation: 7 }, 'worker:0 has pid 9'),
  event(44, { type: 'turn', rollout: 7, instance: 'worker:0', step: 'done' }, 'rollout 7: worker:0 is done'),
  event(
    45,
    { type: 'rollout', rollout: 7, program: 'worker', state: 'succeeded', reason: null },
    'it is over',
  ),
];

/** A rollout that goes on until its events have been read. */
function script() {
  let told = false;
  return {
    'POST /v1/rollouts': created({
      changes: [
        { program: 'worker', key: 'drain.timeout', from: '5m', to: '10m', effect: 'next_start', note: null },
      ],
      skipped: [{ program: 'mailer', reason: 'mailer is stopped' }],
    }),
    'GET /v1/rollouts/7': (response: ServerResponse) => {
      response.end(JSON.stringify({ version: 1, rollout: told ? ended : rollout() }));
    },
    'GET /v1/events': (response: ServerResponse) => {
      told = true;
      stream(EVENTS, 'stays open')(response);
    },
    'GET /v1/status': status([draining({ id: 'worker:1' })]),
  };
}

test('without a terminal there is a line for each event that matters, then the end', async () => {
  daemon = await fakeDaemon(script());
  const result = await command(['--socket', daemon.socket, 'rolling-restart', 'worker']);
  expect(result.exit).toBe(EXIT.done);
  expect(result.err.split('\n')).toEqual([
    'worker: drain.timeout 5m -> 10m',
    'mailer is left alone: mailer is stopped',
    '',
  ]);
  expect(result.out.replace(/^\S+T\d\d:\d\d:\d\d[+-]\d\d:\d\d /gm, '').split('\n')).toEqual([
    'worker:0 is draining (rollout 7), 2 jobs in flight',
    'rollout 7: worker:0 is done (1 of 4)',
    'it is over',
    'rollout 7 of worker succeeded: 4 instances restarted in 1m12s',
    '',
  ]);
});

test('the events are followed from where the rollout began', async () => {
  daemon = await fakeDaemon(script());
  await command(['--socket', daemon.socket, 'rolling-restart', 'worker', 'mailer', '--max-parallel', '25%']);
  expect(daemon.asked[0]?.body).toEqual({
    selectors: ['worker', 'mailer'],
    keep_config: false,
    dry_run: false,
    max_parallel: '25%',
  });
  expect(daemon.asked.map(({ path }) => path)).toContain('/v1/events?follow=1&since=40');
});

test('with --json there is nothing on stdout but NDJSON', async () => {
  daemon = await fakeDaemon(script());
  const result = await command(['--socket', daemon.socket, '--json', 'rolling-restart', 'worker']);
  const lines = result.out
    .trimEnd()
    .split('\n')
    .map((line): { type: string } => JSON.parse(line));
  expect(lines.map(({ type }) => type)).toEqual(['created', 'phase', 'spawned', 'turn', 'rollout', 'result']);
  expect(result.err).toBe('');
});

test('on a terminal the block is drawn in place and the cursor is given back', async () => {
  let drawn = false;
  daemon = await fakeDaemon({
    ...script(),
    'GET /v1/events': stream([], 'stays open'),
    'GET /v1/rollouts/7': (response: ServerResponse) => {
      response.end(JSON.stringify({ version: 1, rollout: drawn ? ended : rollout() }));
    },
    'GET /v1/status': (response: ServerResponse) => {
      drawn = true;
      response.end(JSON.stringify(status([draining({ id: 'worker:1' })])));
    },
  });
  const size = { terminal: { columns: 80, rows: 24 }, env: { LANG: 'C.UTF-8', NO_COLOR: '1' } };
  const { out, exit } = await command(['--socket', daemon.socket, 'rolling-restart', 'worker'], size);
  expect(exit).toBe(EXIT.done);
  expect(out.startsWith('\x1b[?25l')).toBe(true);
  expect(out.lastIndexOf('\x1b[?25h')).toBeGreaterThan(out.lastIndexOf('\x1b[?25l'));
  expect(out).toMatch(/worker:1 {2}draining +41s {2}2 jobs in flight, no deadline/);
  expect(out.trimEnd().endsWith('rollout 7 of worker succeeded: 4 instances restarted in 1m12s')).toBe(true);
});

test('a program that is gone by now does not end the watching', async () => {
  let looked = false;
  const gone = { ...ended, state: 'aborted', reason: 'worker is not in the config any more' };
  daemon = await fakeDaemon({
    ...script(),
    'GET /v1/events': stream([], 'stays open'),
    'GET /v1/rollouts/7': (response: ServerResponse) => {
      response.end(JSON.stringify({ version: 1, rollout: looked ? gone : rollout() }));
    },
    'GET /v1/status': (response: ServerResponse, asked: Asked) => {
      looked = true;
      const answer = refusal(404, 'no_match', 'nothing is called worker');
      if (typeof answer === 'function') answer(response, asked);
    },
  });
  const size = { terminal: { columns: 80, rows: 24 } };
  const { out, exit } = await command(['--socket', daemon.socket, 'rolling-restart', 'worker'], size);
  expect(exit).toBe(EXIT.failed);
  expect(out).toContain('was aborted after 4 of 4: worker is not in the config any');
});

test('a rollout that pauses says why and what leads on', async () => {
  const paused = rollout({ state: 'paused', reason: 'worker:1 exited with code 1' });
  daemon = await fakeDaemon({ ...script(), 'GET /v1/rollouts/7': { version: 1, rollout: paused } });
  const result = await command(['--socket', daemon.socket, 'rolling-restart', 'worker']);
  expect(result.exit).toBe(EXIT.failed);
  expect(result.out).toContain('rollout 7 of worker is paused after 1 of 4: worker:1 exited with code 1');
  expect(result.out).toContain(`"tsup-visor --socket ${daemon.socket} rollout resume 7"`);
});

test('what is over before the first event is read is told event by event all the same', async () => {
  const paused = rollout({ state: 'paused', reason: 'worker:0 exited with code 1' });
  const begun = { type: 'rollout', rollout: 7, program: 'worker', state: 'running', reason: null };
  const events = [
    event(40, begun, 'it is running'),
    ...EVENTS.slice(0, 1),
    event(46, { ...begun, state: 'paused', reason: 'worker:0 exited with code 1' }, 'it is paused'),
  ];
  daemon = await fakeDaemon({
    ...script(),
    'GET /v1/rollouts/7': { version: 1, rollout: paused },
    'GET /v1/events': stream(events, 'stays open'),
  });
  const { out } = await command(['--socket', daemon.socket, 'rolling-restart', 'worker']);
  expect(out).toMatch(
    /it is running\n.*worker:0 is draining.*\n.*it is paused\nrollout 7 of worker is paused/,
  );
});

test('--detach and --dry-run do not watch', async () => {
  daemon = await fakeDaemon(script());
  for (const option of ['--detach', '--dry-run']) {
    expect((await command(['--socket', daemon.socket, 'rolling-restart', 'worker', option])).exit).toBe(
      EXIT.done,
    );
  }
  expect(daemon.asked.map(({ method }) => method)).toEqual(['POST', 'POST']);
  expect(daemon.asked.map(({ body }) => body)).toMatchObject([{ dry_run: false }, { dry_run: true }]);
});

test('--dry-run tells the order', async () => {
  daemon = await fakeDaemon(script());
  const { out } = await command(['--socket', daemon.socket, 'rolling-restart', 'worker', '--dry-run']);
  expect(out).toBe('worker: would restart 4 instances, in this order: worker:0-3\n  1 at a time\n');
});

test('nothing to roll is no failure', async () => {
  const nothing = created({ rollouts: [], skipped: [{ program: 'worker', reason: 'worker is stopped' }] });
  daemon = await fakeDaemon({ 'POST /v1/rollouts': nothing });
  const result = await command(['--socket', daemon.socket, 'rolling-restart', 'worker']);
  expect(result).toEqual({ exit: EXIT.done, out: '', err: 'worker is left alone: worker is stopped\n' });
});

test('a stream that breaks off is taken up again', async () => {
  let times = 0;
  const broken = script();
  daemon = await fakeDaemon({
    ...broken,
    'GET /v1/events': (response: ServerResponse) => {
      times += 1;
      if (times === 1) response.end();
      else broken['GET /v1/events'](response);
    },
  });
  expect((await command(['--socket', daemon.socket, 'rolling-restart', 'worker'])).exit).toBe(EXIT.done);
  expect(times).toBe(2);
});
