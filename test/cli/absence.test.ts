/** A daemon that ends while it is being watched, and the one that comes after it. */
import type { ServerResponse } from 'node:http';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Absence } from '../../src/cli/absence.ts';
import { run } from '../../src/cli/command-line.ts';
import { NoDaemonError } from '../../src/client/errors.ts';
import { EXIT } from '../../src/protocol/errors.ts';
import type { RolloutStatus } from '../../src/protocol/status.ts';
import { type FakeDaemon, fakeDaemon, stream } from './fake-daemon.ts';
import { created, event, rollout, status, turn } from './samples.ts';
import { type Given, type Terminal, terminal } from './terminal.ts';

let daemons: FakeDaemon[];

beforeEach(() => {
  daemons = [];
});
afterEach(async () => {
  vi.useRealTimers();
  for (const daemon of daemons) await daemon.close();
});

async function daemon(
  rollouts: readonly RolloutStatus[],
  events: readonly object[] = [],
): Promise<FakeDaemon> {
  const one = await fakeDaemon(
    {
      'POST /v1/rollouts': created({ rollouts }),
      'GET /v1/rollouts': { version: 1, rollouts },
      ...Object.fromEntries(
        rollouts.map((each) => [`GET /v1/rollouts/${each.id}`, { version: 1, rollout: each }]),
      ),
      'GET /v1/events': stream(events, 'stays open'),
      'GET /v1/status': status(),
    },
    daemons.at(-1),
  );
  daemons.push(one);
  return one;
}

/** Watches what the first daemon has, until that is being asked. */
async function watching(first: FakeDaemon, given: Given = {}, argv = ['rolling-restart', 'worker']) {
  const there = terminal(given);
  const asked = first.got('GET /v1/events');
  const ended = run(['--socket', first.socket, ...argv], there.io);
  await asked;
  return { there, ended };
}

const isSaid = (there: Terminal, text: string) =>
  vi.waitUntil(() => (there.err() + there.out()).includes(text), { timeout: 10_000 });

const AWAY = 'the daemon does not answer: waiting for the next one';
const ended = rollout({ state: 'succeeded', done: 4, current: [], ended_at: '2026-01-31T14:01:12.000Z' });

test('the next daemon is waited for, and the same rollout watched on', async () => {
  const first = await daemon([rollout()]);
  const { there, ended: exit } = await watching(first);
  await first.die();
  await isSaid(there, AWAY);
  await daemon([ended]);
  expect(await exit).toBe(EXIT.done);
  expect(there.err()).toContain('a daemon answers again');
  expect(there.out()).toContain('rollout 7 of worker succeeded');
});

test('on a terminal it is said below the bar', async () => {
  const first = await daemon([rollout()]);
  const { there, ended: exit } = await watching(first, { terminal: { columns: 80, rows: 24 } });
  await first.die();
  await isSaid(there, AWAY);
  await daemon([ended]);
  expect(await exit).toBe(EXIT.done);
  expect(there.err()).toBe('');
});

test('with --json it is said on stderr, and stdout stays NDJSON', async () => {
  const first = await daemon([rollout()]);
  const { there, ended: exit } = await watching(first, {}, ['--json', 'rolling-restart', 'worker']);
  await first.die();
  await isSaid(there, AWAY);
  await daemon([ended]);
  expect(await exit).toBe(EXIT.done);
  for (const line of [...there.out().trim().split('\n'), ...there.err().trim().split('\n')]) JSON.parse(line);
});

test('what the next daemon tells again is not shown twice', async () => {
  const phase = { type: 'phase', instance: 'worker:0', program: 'worker', run: 3, from: 'running' };
  const drains = event(41, { ...phase, to: 'draining', because: 'rollout 7' }, 'worker:0 is draining');
  const first = await daemon([rollout()], [drains]);
  const { there, ended: exit } = await watching(first);
  await isSaid(there, 'worker:0 is draining');
  await first.die();
  const later = {
    ...event(3, { type: 'daemon', state: 'started' }, 'it is back'),
    at: '2026-01-31T14:00:09.000Z',
  };
  const back = performance.now();
  await daemon([ended], [drains, later]);
  expect(await exit).toBe(EXIT.done);
  // Not only at the next look, which in a pipe comes after five seconds.
  expect(performance.now() - back).toBeLessThan(4000);
  expect(there.out().match(/worker:0 is draining/g)).toHaveLength(1);
});

test('a daemon that knows nothing of it ends the watching, as a failure', async () => {
  const first = await daemon([rollout()]);
  const { there, ended: exit } = await watching(first);
  await first.die();
  await daemon([]);
  expect(await exit).toBe(EXIT.failed);
  expect(there.err()).toContain('knows nothing of rollout 7 of worker, which stood at 1 of 4');
  expect(there.err()).toContain('begin anew with');
});

test('one that has another rollout of that number knows nothing of it either', async () => {
  const first = await daemon([rollout()]);
  const { there, ended: exit } = await watching(first);
  await first.die();
  await daemon([rollout({ started_at: '2026-03-31T14:00:00.000Z' })]);
  expect(await exit).toBe(EXIT.failed);
  expect(there.err()).toContain('knows nothing of rollout 7 of worker');
});

test('when no daemon comes it says what is left, and what goes on with it', async () => {
  const first = await daemon([rollout()]);
  const { there, ended: exit } = await watching(first);
  vi.useFakeTimers({ toFake: ['performance'] });
  await first.die();
  // The clock has to jump after the loss has been seen, however long that takes.
  const jump = setInterval(() => vi.advanceTimersByTime(5000), 200);
  expect(await exit).toBe(EXIT.noDaemon);
  clearInterval(jump);
  expect(there.err()).toContain('it left rollout 7 of worker at 1 of 4');
  expect(there.err()).toContain('start" starts a daemon that goes on with it');
});

test('what its last events have told is not taken back by that', async () => {
  const turn = { type: 'turn', rollout: 7, instance: 'worker:1', step: 'done' };
  const first = await fakeDaemon({
    'POST /v1/rollouts': created({ rollouts: [rollout()] }),
    // It dies before it can be asked how that stands.
    'GET /v1/rollouts/7': () => {},
    'GET /v1/events': stream([event(41, turn, 'worker:1 is done')], 'stays open'),
  });
  daemons.push(first);
  const { there, ended: exit } = await watching(first);
  await isSaid(there, 'worker:1 is done (2 of 4)');
  await first.die();
  await daemon([]);
  expect(await exit).toBe(EXIT.failed);
  expect(there.err()).toContain('knows nothing of rollout 7 of worker, which stood at 2 of 4');
});

test('a daemon that is shut down has told before what became of its rollouts', async () => {
  const about = {
    type: 'rollout',
    rollout: 7,
    program: 'worker',
    state: 'aborted',
    reason: 'the daemon shuts down',
  };
  let isEnding = false;
  const first = await fakeDaemon({
    'POST /v1/rollouts': created(),
    'GET /v1/rollouts/7': (response: ServerResponse) => {
      if (isEnding) response.destroy();
      else response.end(JSON.stringify({ version: 1, rollout: rollout() }));
    },
    'GET /v1/events': (response: ServerResponse) => {
      // Nobody can be asked any more when the event arrives.
      isEnding = true;
      stream([event(41, about, 'it is aborted')], 'stays open')(response);
    },
  });
  daemons.push(first);
  const there = terminal();
  const exit = run(['--socket', first.socket, 'rolling-restart', 'worker'], there.io);
  await isSaid(there, 'it is aborted');
  await first.die();
  expect(await exit).toBe(EXIT.failed);
  expect(there.out()).toContain('rollout 7 of worker was aborted after 0 of 4: the daemon shuts down');
});

test('one that waits for another that has paused does not keep the watching up', async () => {
  const paused = rollout({ state: 'paused', reason: 'worker:1 exited with code 1' });
  const waiting = rollout({
    id: 8,
    program: 'mailer',
    after: 7,
    done: 0,
    reason: 'waits for rollout 7 of worker',
    turns: [turn('mailer:0')],
  });
  const first = await daemon([paused, waiting]);
  const there = terminal();
  expect(await run(['--socket', first.socket, 'rolling-restart', 'worker', 'mailer'], there.io)).toBe(
    EXIT.failed,
  );
  expect(there.out()).toContain('rollout 8 of mailer has not begun: waits for rollout 7 of worker');
});

test('a short absence is not worth a word, a long one ends the patience', () => {
  let time = 0;
  const said: boolean[] = [];
  const absence = new Absence(
    (isAway) => said.push(isAway),
    () => time,
  );
  const error = new NoDaemonError('/x', 'absent');
  absence.lost(error);
  time = 200;
  absence.found();
  absence.lost(error);
  time = 499;
  absence.lost(error);
  expect(said).toEqual([]);
  time = 500;
  absence.lost(error);
  absence.lost(error);
  absence.found();
  expect(said).toEqual([true, false]);
  absence.lost(error);
  time = 10_500;
  expect(() => absence.lost(error)).toThrow(error);
});
