/** A wait that is cut short ends the asking, never the work. */
import { afterEach, expect, test } from 'vitest';
import { run } from '../../src/cli/command-line.ts';
import { EXIT } from '../../src/protocol/errors.ts';
import { type FakeDaemon, fakeDaemon, stream } from './fake-daemon.ts';
import { action, created, instance, rollout, status } from './samples.ts';
import { command, terminal } from './terminal.ts';

let daemon: FakeDaemon;

afterEach(() => daemon.close());

const never = () => {};

const WAITS = [
  [['start', 'worker'], 'POST /v1/start', 'the start goes on'],
  [['stop', 'worker'], 'POST /v1/stop', 'the stop goes on'],
  [['scale', 'worker=4'], 'POST /v1/scale', 'the scaling goes on'],
  [['restart', '--keep-config', 'worker'], 'POST /v1/restart', 'the restart goes on'],
] as const;

test.each(WAITS)(
  '%s --timeout exits with 7 and says that the work goes on',
  async (argv, route, sentence) => {
    daemon = await fakeDaemon({ [route]: never });
    const result = await command(['--socket', daemon.socket, ...argv, '--timeout', '30ms']);
    expect(result).toMatchObject({ exit: EXIT.timeout, out: '' });
    expect(result.err).toContain(`not done after 30ms: ${sentence}`);
  },
);

test.each(WAITS)(
  'Ctrl-C in %s exits with 130 and says that the work goes on',
  async (argv, route, sentence) => {
    daemon = await fakeDaemon({ [route]: never });
    const there = terminal();
    const asked = daemon.got(route);
    const ended = run(['--socket', daemon.socket, ...argv], there.io);
    await asked;
    there.interrupt();
    expect(await ended).toBe(EXIT.interrupted);
    expect(there.err()).toContain(sentence);
    expect(() => there.interrupt()).toThrow('nobody listens');
  },
);

const running = {
  'POST /v1/rollouts': created(),
  'GET /v1/rollouts/7': { version: 1, rollout: rollout() },
  'GET /v1/events': stream([], 'stays open'),
};

test('Ctrl-C in a rolling restart ends the watching alone', async () => {
  daemon = await fakeDaemon(running);
  const there = terminal();
  const asked = daemon.got('GET /v1/events');
  const ended = run(['--socket', daemon.socket, 'rolling-restart', 'worker'], there.io);
  await asked;
  there.interrupt();
  expect(await ended).toBe(EXIT.interrupted);
  expect(there.err()).toContain('the rollout goes on; see "tsup-visor --socket');
  expect(daemon.asked.filter(({ method }) => method === 'POST')).toHaveLength(1);
});

test('a rolling restart that takes longer than its --timeout goes on', async () => {
  daemon = await fakeDaemon(running);
  const result = await command(['--socket', daemon.socket, 'rolling-restart', 'worker', '--timeout', '50ms']);
  expect(result.exit).toBe(EXIT.timeout);
  expect(result.err).toContain('the rollout goes on');
});

test('a followed stream of events ends with Ctrl-C', async () => {
  daemon = await fakeDaemon({ 'GET /v1/events': stream([], 'stays open') });
  const there = terminal();
  const asked = daemon.got('GET /v1/events');
  const ended = run(['--socket', daemon.socket, 'events', '--follow'], there.io);
  await asked;
  there.interrupt();
  expect(await ended).toBe(EXIT.interrupted);
});

test('a stop that takes its time says what it waits for', async () => {
  const killed = { id: 'worker:0', state: 'stopped', ok: true, already: false, message: 'x' } as const;
  let stopped = () => {};
  daemon = await fakeDaemon({
    'POST /v1/stop': (response) => {
      stopped = () => void response.end(JSON.stringify(action({ instances: [killed] })));
    },
    'GET /v1/status': (response) => {
      const message = 'told to stop, is killed in 9s';
      response.end(
        JSON.stringify(status([instance({ state: 'stopping', message }), instance({ id: 'b:0' })])),
      );
      stopped();
    },
  });
  expect(await command(['--socket', daemon.socket, 'stop', '--now', 'worker'])).toEqual({
    exit: EXIT.done,
    out: '1 instance stopped (worker:0)\n',
    err: 'waiting for worker:0: told to stop, is killed in 9s\n',
  });
});
