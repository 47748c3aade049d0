import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ActionReply, ReloadReply, RolloutsCreatedReply } from '../../src/protocol/replies.ts';
import type { StatusReply } from '../../src/protocol/status.ts';
import { useLeakCheck } from '../rig/leaks.ts';
import { within } from '../rig/within.ts';
import { expectRefusal } from './wire.ts';
import { PROGRAMS, World } from './world.ts';

const leaks = useLeakCheck();
let world: World;

beforeEach(() => {
  world = new World(leaks);
});
afterEach(() => world.close());

const { steady, neverReady, ignoresTerm } = PROGRAMS;
const ids = ({ instances }: StatusReply): string => instances.map(({ id }) => id).join(' ');
const scale = (counts: Record<string, number>, more: object = {}): Promise<ActionReply> =>
  world.ask('POST', '/v1/scale', { counts, ...more });

describe('a scale', () => {
  it('up has more instances, waits until they are ready, and touches no other', async () => {
    await world.begin({ worker: { ...steady, instances: 2 }, mailer: steady });
    await world.act('start', []);
    const before = await world.status();
    expect(await scale({ worker: 4 })).toMatchObject({
      instances: [
        { id: 'worker:2', ok: true, message: 'worker:2 is ready' },
        { id: 'worker:3', ok: true },
      ],
    });
    const after = await world.status();
    const runs = new Map(after.instances.map(({ id, run }) => [id, run]));
    for (const { id, run } of before.instances) expect(runs.get(id), id).toBe(run);
    expect(ids(after), 'in their places').toBe('worker:0 worker:1 worker:2 worker:3 mailer:0');
    expect(leaks.processes()).toHaveLength(5);
  });

  it('down drains the highest, and they are gone from the status when it answers', async () => {
    await world.begin({ worker: { ...steady, instances: 3 } });
    await world.act('start', []);
    expect(await scale({ worker: 1 })).toMatchObject({
      instances: [
        { id: 'worker:1', ok: true, message: 'worker:1 has ended and is gone' },
        { id: 'worker:2', ok: true },
      ],
    });
    expect(ids(await world.status())).toBe('worker:0');
    expect(leaks.processes()).toHaveLength(1);
  });

  it('to nothing leaves a program that can be scaled up again', async () => {
    await world.begin({ worker: steady });
    await world.act('start', []);
    await scale({ worker: 0 });
    expect(ids(await world.status())).toBe('');
    expect(await scale({ worker: 1 })).toMatchObject({ instances: [{ id: 'worker:0', ok: true }] });
  });

  it('to nothing is seen, and whoever names the program is told how to have instances again', async () => {
    await world.begin({
      worker: { ...steady, instances: 3 },
      mailer: steady,
      spare: { ...steady, instances: 0 },
    });
    await world.act('start', []);
    await scale({ worker: 0 });
    const worker = { program: 'worker', instances: 0, configured: 3 };
    const spare = { program: 'spare', instances: 0, configured: 0 };
    expect(await world.status()).toMatchObject({ instances: [{ id: 'mailer:0' }], counts: [worker, spare] });
    const only = await world.ask<StatusReply>('GET', '/v1/status?usage=0&selector=worker');
    expect(only).toMatchObject({ instances: [], counts: [worker] });
    for (const selector of ['worker', 'worker:1', 'work*']) {
      const reply = await world.request('POST', '/v1/restart', { selectors: [selector] });
      expectRefusal(reply, 'no_match');
      expect(reply.json, selector).toMatchObject({
        error: {
          message: 'worker has no instances: an operator has scaled it to 0',
          hint: 'give it what the config has: "tsup-visor scale worker=3"',
        },
      });
    }
    expect((await world.request('POST', '/v1/start', { selectors: ['spare'] })).json).toMatchObject({
      error: {
        message: 'spare has no instances: the config has 0 of it',
        hint: 'give it some: "tsup-visor scale spare=1"',
      },
    });
    expect(await scale({ worker: 0 })).toMatchObject({
      instances: [{ ok: true, already: true, message: 'worker has no instances already' }],
    });
  });

  it('is said by a reload that leaves it as it is, and by one that makes it give way', async () => {
    const configured = (instances: number): void => world.configure({ worker: { ...steady, instances } });
    configured(2);
    await world.begin();
    await world.act('start', []);
    await scale({ worker: 1 });
    const reload = (body: object): Promise<ReloadReply> => world.ask('POST', '/v1/reload', body);
    expect(await reload({ dry_run: true })).toMatchObject({
      changes: [],
      kept_counts: [{ program: 'worker', instances: 1, configured: 2 }],
    });
    configured(3);
    const note = 'the 1 of an operator gives way';
    expect(await reload({ dry_run: true })).toMatchObject({
      changes: [{ from: '2', to: '3', note }],
      kept_counts: [],
    });
    expect(await reload({})).toMatchObject({ changes: [{ key: 'instances', note }], kept_counts: [] });
    expect(await world.status()).toMatchObject({ counts: [] });
  });

  it('to what there is says so, and does nothing', async () => {
    await world.begin({ worker: { ...steady, instances: 2 } });
    await world.act('start', []);
    expect(await scale({ worker: 2 })).toMatchObject({
      instances: [{ ok: true, already: true, message: 'worker has 2 instances already' }],
    });
  });

  it('of what is stopped adds instances that are stopped as well', async () => {
    await world.begin({ worker: steady });
    expect(await scale({ worker: 2 })).toMatchObject({
      instances: [{ id: 'worker:1', ok: true, message: 'worker:1 was added, and stays stopped' }],
    });
    expect(leaks.processes()).toEqual([]);
    expect(await scale({ worker: 1 })).toMatchObject({ instances: [{ id: 'worker:1', ok: true }] });
  });

  it('that need not be waited for answers at once', async () => {
    await world.begin({ worker: { ...neverReady, instances: 0 } });
    expect(await scale({ worker: 1 }, { wait: false })).toMatchObject({
      instances: [{ id: 'worker:0', ok: null, state: 'starting' }],
    });
  });

  it('is remembered by the next daemon', async () => {
    await world.begin({ worker: steady });
    await world.act('start', []);
    await scale({ worker: 2 });
    world.daemon.shutDown('drain');
    await within('the end', world.daemon.ended);
    await world.begin();
    expect((await world.act('start', [])).instances).toHaveLength(2);
  });

  it('that is still draining is in nobody’s way: what is on its way out is not started again', async () => {
    await world.begin({ worker: { ...ignoresTerm, instances: 2, drain: { timeout: 'none' } } });
    await world.act('start', []);
    await scale({ worker: 1 }, { wait: false });
    for (const ids of [await world.act('start', []), await world.act('start', ['worker'])]) {
      expect(ids.instances).toMatchObject([{ id: 'worker:0', ok: true, already: true }]);
    }
    for (const [path, body] of [
      ['start', { selectors: ['worker:1'] }],
      ['restart', { selectors: ['worker:1'] }],
      ['rollouts', { selectors: ['worker:1'] }],
    ] as const) {
      const reply = await world.request('POST', `/v1/${path}`, body);
      expectRefusal(reply, 'conflict');
      expect(reply.json).toMatchObject({ error: { message: expect.stringContaining('on its way out') } });
    }
    expect(await world.instance('worker:1')).toMatchObject({ state: 'draining', because: 'scale' });
    expect(
      (await world.act('stop', ['worker:1'], { now: true })).instances,
      'hurried, it goes',
    ).toMatchObject([{ ok: true }]);
    expect(ids(await world.status())).toBe('worker:0');
  });

  it('names a program that there is not, and those that there are, and then changes nothing', async () => {
    await world.begin({ worker: steady, mailer: steady });
    const reply = await world.request('POST', '/v1/scale', { counts: { mailer: 2, wroker: 2 } });
    expectRefusal(reply, 'no_match');
    expect(reply.json).toMatchObject({
      error: { message: 'there is no program "wroker"', hint: 'the programs are: worker, mailer' },
    });
    expect(ids(await world.status())).toBe('worker:0 mailer:0');
  });

  it('takes effect while a rollout of the program is under way, and gives who comes a turn; a daemon that goes refuses it', async () => {
    await world.begin({ worker: { ...ignoresTerm, drain: { timeout: 'none' } } });
    await world.act('start', []);
    await world.ask<RolloutsCreatedReply>('POST', '/v1/rollouts', { selectors: ['worker'] });
    await scale({ worker: 2 });
    const { rollouts } = await world.status();
    expect(rollouts[0]?.turns).toMatchObject([
      { instance: 'worker:0', step: 'draining' },
      { instance: 'worker:1', step: 'pending' },
    ]);
    world.daemon.shutDown('drain');
    expectRefusal(await world.request('POST', '/v1/scale', { counts: { worker: 2 } }), 'shutting_down');
  });

  it('is refused where the instances would share one log file', async () => {
    const logs = { stdout: 'one.log' };
    const own = { stdout: '{{index}}.log' };
    await world.begin({ worker: { ...steady, logs }, other: { ...steady, logs: own } });
    const reply = await world.request('POST', '/v1/scale', { counts: { worker: 2 } });
    expectRefusal(reply, 'bad_request');
    expect(reply.json).toMatchObject({ error: { hint: expect.stringContaining('{{index}}') } });
    await scale({ worker: 1, other: 2 });
  });
});

describe('a signal', () => {
  const hears = {
    ...steady,
    // The sleeping child dies of HUP if it gets it; it says itself that it is there, for what the shell forks inherits the
    // shell's own trap for a moment. STOPPING is an event, which is what a test can wait for.
    command: [
      '/bin/sh',
      '-c',
      'trap "echo STATUS=heard >&3; echo STOPPING=1 >&3" HUP; sh -c "echo READY=1 >&3; exec sleep 1000" & while :; do wait $!; kill -0 $! || break; done; echo STATUS=alone >&3; echo STOPPING=1 >&3; sleep 1000',
    ],
  };

  it.each(['HUP', 'SIGHUP', '1'])('%s goes to the leader alone', async (signal) => {
    await world.begin({ worker: hears });
    await world.act('start', []);
    const reply = await world.ask<ActionReply>('POST', '/v1/signal', { signal, selectors: ['worker'] });
    expect(reply.instances).toMatchObject([{ id: 'worker:0', ok: true, message: 'worker:0 was sent HUP' }]);
    const { instances } = await world.see('it to hear', (s) => s.instances[0]?.message !== '');
    expect(instances).toMatchObject([{ state: 'running', message: 'heard' }]);
    await world.act('stop', ['worker'], { now: true });
  });

  it('with tree goes to all of it', async () => {
    await world.begin({ worker: hears });
    await world.act('start', []);
    const body = { signal: 'HUP', selectors: ['worker'], tree: true };
    const reply = await world.ask<ActionReply>('POST', '/v1/signal', body);
    expect(reply.instances).toMatchObject([{ ok: true, message: 'all processes of worker:0 were sent HUP' }]);
    await world.see('its child to end', (s) => s.instances[0]?.message === 'alone');
    await world.act('stop', ['worker'], { now: true });
  });

  it('to what does not run says so, of each', async () => {
    await world.begin({ worker: steady, mailer: steady });
    await world.act('start', ['mailer']);
    const body = { signal: 'WINCH', selectors: ['*'] };
    const reply = await world.ask<ActionReply>('POST', '/v1/signal', body);
    expect(reply.instances).toMatchObject([
      { id: 'worker:0', ok: false, message: 'worker:0 is not running: it is stopped' },
      { id: 'mailer:0', ok: true },
    ]);
  });

  it('that there is not is refused with those that there are', async () => {
    await world.begin({ worker: steady });
    const reply = await world.request('POST', '/v1/signal', { signal: 'HUPP', selectors: ['worker'] });
    expectRefusal(reply, 'bad_request');
    expect(reply.json).toMatchObject({
      error: { message: 'there is no signal "HUPP"', hint: expect.stringContaining('HUP') },
    });
  });
});
