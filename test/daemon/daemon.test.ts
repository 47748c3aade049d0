import { existsSync, mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { RolloutReply, RolloutsCreatedReply, ShutdownReply } from '../../src/protocol/replies.ts';
import type { StatusReply } from '../../src/protocol/status.ts';
import { useLeakCheck } from '../rig/leaks.ts';
import { within } from '../rig/within.ts';
import { expectRefusal, Raw } from './wire.ts';
import { PROGRAMS, World } from './world.ts';

const leaks = useLeakCheck();
let world: World;

beforeEach(() => {
  world = new World(leaks);
});
afterEach(() => world.close());

const { steady, neverReady, crashesAtOnce, ignoresTerm } = PROGRAMS;
const runs = ({ instances }: StatusReply): (number | null)[] => instances.map(({ run }) => run);
const states = ({ instances }: StatusReply): string => instances.map(({ state }) => state).join(' ');
const rollOut = (selectors: string[], more: object = {}) =>
  world.request('POST', '/v1/rollouts', { selectors, ...more });

describe('what others depend on', () => {
  it('is missed by those that run: the answer to a stop says so, and so does their status', async () => {
    const needs = { ...PROGRAMS.steady, depends_on: { redis: 'ready' } };
    await world.begin({
      redis: PROGRAMS.steady,
      worker: needs,
      mailer: needs,
      idle: { ...needs, autostart: false },
    });
    await world.act('start', []);
    expect(await world.act('stop', ['mailer', 'redis'])).toMatchObject({
      remarks: ['worker works on without redis, which it depends on; its next start waits for that'],
    });
    expect((await world.instance('worker:0')).message).toBe(
      'works without redis, which it depends on: redis was stopped by the operator',
    );
    await world.act('start', ['redis']);
    expect((await world.instance('worker:0')).message).toBe('');
    expect((await world.act('stop', ['worker', 'redis'])).remarks).toBeUndefined();
  });
});

describe('a program that has run to completion', () => {
  const once = { ...PROGRAMS.steady, command: ['/bin/sh', '-c', 'echo run >> runs'], restart: 'on_failure' };
  const count = (): number => readFileSync(join(world.folder, 'runs'), 'utf8').split('\n').length - 1;

  it('is run again by whoever names it, and by no other start', async () => {
    await world.begin({
      migrate: once,
      worker: { ...PROGRAMS.steady, depends_on: { migrate: 'completed' } },
    });
    expect(await world.act('start', [])).toMatchObject({
      instances: [
        { ok: true, already: false, state: 'exited', message: 'migrate:0 has completed' },
        { ok: true },
      ],
    });
    expect(await world.act('start', [])).toMatchObject({
      instances: [
        {
          id: 'migrate:0',
          state: 'exited',
          ok: true,
          already: true,
          message: 'migrate:0 has completed already; "tsup-visor start migrate:0" runs it again',
        },
        { already: true },
      ],
    });
    await world.act('stop', ['worker']);
    await world.act('start', ['worker']);
    expect(count()).toBe(1);
    expect(await world.act('start', ['migrate'])).toMatchObject({
      instances: [{ ok: true, already: false }],
    });
    expect(count()).toBe(2);
  });

  it('and was ready before that is told as completed where the answer comes later', async () => {
    const ready = { ...once, command: ['/bin/sh', '-c', 'echo READY=1 >&3; sleep 0.1'] };
    const waits = 'while ! grep -q 1 done; do sleep 0.05; done; echo READY=1 >&3; exec sleep 1000';
    const slow = { ...PROGRAMS.steady, command: ['/bin/sh', '-c', `touch done; ${waits}`] };
    await world.begin({ migrate: ready, slow });
    const answer = world.act('start', []);
    await world.see('its end', ({ instances }) => instances[0]?.state === 'exited');
    writeFileSync(join(world.folder, 'done'), '1\n');
    expect(await answer).toMatchObject({
      instances: [{ state: 'exited', ok: true, message: 'migrate:0 has completed' }, { state: 'running' }],
    });
  });
});

describe('a daemon', () => {
  it('starts nothing by itself; then start, status, restart, stop and the end, with nothing left', async () => {
    await world.begin({ worker: { ...steady, instances: 2 }, mailer: { ...steady, autostart: false } });
    expect(states(await world.status())).toBe('stopped stopped stopped');

    const started = await world.act('start', []);
    expect(started.instances).toMatchObject([
      { id: 'worker:0', ok: true, already: false, state: 'running' },
      { id: 'worker:1', ok: true, already: false },
    ]);
    expect((await world.act('start', ['worker'])).instances).toMatchObject([
      { already: true },
      { already: true },
    ]);
    const before = await world.status();
    expect(states(before)).toBe('running running stopped');

    const restarted = await world.act('restart', ['worker:0']);
    expect(restarted).toMatchObject({
      instances: [{ id: 'worker:0', ok: true, message: 'worker:0 is ready' }],
      changes: [],
    });
    const after = await world.status();
    expect(after.instances[0]?.run).not.toBe(before.instances[0]?.run);
    expect(after.instances[1]?.run).toBe(before.instances[1]?.run);
    expect(leaks.processes()).toHaveLength(2);

    expect(await world.act('stop', ['@nothing', 'worker']).catch(String)).toMatch(/no_match/);
    expect((await world.act('stop', ['worker'])).instances).toMatchObject([
      { ok: true, already: false, message: 'worker:0 has drained and is stopped' },
      { ok: true },
    ]);
    expect(leaks.processes()).toEqual([]);
    expect(await world.act('start', [])).toMatchObject({
      instances: [],
      left_stopped: ['worker:0', 'worker:1'],
    });

    const { instances } = await world.ask<ShutdownReply>('POST', '/v1/shutdown');
    expect(instances).toEqual([]);
    await within('the end', world.daemon.ended);
    expect(existsSync(world.socket)).toBe(false);
    expect(world.said.at(-1)).toBe('the daemon has ended');
  });

  it('remembers what the operator has stopped, and uses no run number twice, over its own end', async () => {
    await world.begin({ worker: { ...steady, instances: 2 } });
    await world.act('start', []);
    await world.act('stop', ['worker:1']);
    const before = runs(await world.status());
    world.daemon.shutDown('drain');
    await within('the end', world.daemon.ended);
    await world.begin();
    expect(await world.act('start', [])).toMatchObject({
      instances: [{ id: 'worker:0' }],
      left_stopped: ['worker:1'],
    });
    const [run] = runs(await world.status());
    expect(run).toBeGreaterThan(Math.max(...before.map(Number)));
    expect((await world.instance('worker:1')).message).toBe('stopped by the operator');
  });

  it('tells the first failure of a start at once, and goes on trying', async () => {
    await world.begin({ worker: crashesAtOnce });
    const { instances } = await world.act('start', []);
    expect(instances).toMatchObject([
      { ok: false, message: expect.stringMatching(/exited with code 7 after .*; it is tried again/) },
    ]);
    await world.see('a later try', ({ instances }) => (instances[0]?.restarts ?? 0) > 1);
  });

  it('answers whoever waits for a start when another stops it, and when the daemon is shut down', async () => {
    await world.begin({ worker: { ...neverReady, instances: 2 } });
    const first = world.act('start', ['worker:0']);
    const second = world.act('start', ['worker:1']);
    await world.see('both to be starting', (status) => states(status) === 'starting starting');
    await world.act('stop', ['worker:0']);
    expect((await first).instances).toMatchObject([{ ok: false, message: 'worker:0 was stopped meanwhile' }]);
    world.daemon.shutDown('drain');
    expect((await second).instances).toMatchObject([
      { ok: false, message: 'worker:1 was stopped meanwhile' },
    ]);
  });

  it('forgets a request whose client disappears while it waits', async () => {
    await world.begin({ worker: neverReady });
    const body = '{"selectors":["worker"]}';
    const clients = Array.from({ length: 20 }, () =>
      new Raw(world.socket).say(`POST /v1/start HTTP/1.1\r\ncontent-length: ${body.length}\r\n\r\n${body}`),
    );
    await world.see('it to be starting', (status) => states(status) === 'starting');
    for (const { socket } of clients) socket.destroy();
    await Promise.all(clients.map(({ closed }) => closed));
    // The descriptors of those connections are counted by the leak check.
    await world.act('stop', ['worker'], { now: true });
  });
});

describe('a restart takes the config as it stands now', () => {
  it('says what that changes, and applies it to what was named alone', async () => {
    await world.begin({ worker: steady, mailer: steady });
    await world.act('start', []);
    const before = await world.status();
    const changed = { ...steady, environment: { NEW: '1' } };
    world.configure({ worker: { ...changed, instances: 3 }, mailer: changed });
    const { changes } = await world.act('restart', ['worker']);
    expect(changes.map(({ program, key }) => `${program} ${key}`).sort()).toEqual([
      'worker environment.NEW',
      'worker instances',
    ]);
    expect(changes.find(({ key }) => key === 'instances')?.note).toMatch(/not applied/);
    const after = await world.status();
    expect(after.instances).toHaveLength(2);
    expect(after.instances[0]?.revision).not.toBe(before.instances[0]?.revision);
    expect(after.instances[1]?.revision).toBe(before.instances[1]?.revision);
    const { pid } = await world.instance('worker:0');
    expect(readFileSync(`/proc/${pid}/environ`, 'latin1')).toContain('NEW=1');
  });

  it('keeps it when asked to, also when the file is broken or gone by now', async () => {
    await world.begin({ worker: steady });
    await world.act('start', []);
    world.write('programs: {');
    expect(await world.act('restart', ['worker'], { keep_config: true })).toMatchObject({
      changes: [],
      instances: [{ ok: true }],
    });
  });

  it.each([
    ['broken', 'programs: {'],
    ['mistaken', '{"programs":{"worker":{"command":"x","comand":"y"}}}'],
    ['empty', ''],
  ])('and changes nothing when that is %s', async (_, config) => {
    await world.begin({ worker: { ...steady, instances: 2 } });
    await world.act('start', []);
    const before = await world.status();
    world.write(config);
    expectRefusal(await world.request('POST', '/v1/restart', { selectors: ['worker'] }), 'config_invalid');
    expectRefusal(await rollOut(['worker']), 'config_invalid');
    const after = await world.status();
    expect(runs(after)).toEqual(runs(before));
    expect(after.rollouts).toEqual([]);
    expect(after.instances.map(({ revision }) => revision)).toEqual(
      before.instances.map(({ revision }) => revision),
    );
  });

  it('and refuses a program that is not in it any more', async () => {
    await world.begin({ worker: steady });
    await world.act('start', []);
    world.configure({ other: steady });
    expectRefusal(await world.request('POST', '/v1/restart', { selectors: ['worker'] }), 'conflict');
    expect((await world.instance('worker:0')).state).toBe('running');
  });
});

describe('a rollout', () => {
  it('that is paused keeps others off its program until it is aborted, and then is over for good', async () => {
    await world.begin({ worker: { ...steady, instances: 2 }, mailer: steady });
    await world.act('start', []);
    world.configure({ worker: { ...crashesAtOnce, instances: 2 }, mailer: steady });
    const created = await world.ask<RolloutsCreatedReply>('POST', '/v1/rollouts', { selectors: ['worker'] });
    expect(created.rollouts).toMatchObject([{ id: 1, total: 2 }]);
    const paused = await world.see('it to pause', ({ rollouts }) => rollouts[0]?.state === 'paused');
    expect(paused.rollouts[0]?.reason).toMatch(/worker:0/);
    expect((await world.instance('worker:1')).state, 'nobody else was touched').toBe('running');

    world.configure({ worker: { ...steady, instances: 2 }, mailer: steady });
    expectRefusal(await rollOut(['worker']), 'conflict');
    expectRefusal(await world.request('POST', '/v1/restart', { selectors: ['*'] }), 'conflict');
    expect(await rollOut(['mailer'])).toMatchObject({ status: 200 });

    world.configure({ worker: { ...steady, instances: 2 }, mailer: steady });
    const { rollout } = await world.ask<RolloutReply>('POST', '/v1/rollouts/worker/abort');
    expect(rollout.state).toBe('aborted');
    const kept = await world.act('restart', ['worker'], { keep_config: true });
    expect(kept.instances, 'what runs is not what was aborted').toMatchObject([{ ok: true }, { ok: true }]);
    expectRefusal(await world.request('POST', '/v1/rollouts/1/resume'), 'conflict');
    expectRefusal(await world.request('POST', '/v1/rollouts/1/abort'), 'conflict');
    await world.see('all to be whole', (status) => states(status) === 'running running running');
  });

  it('of what is stopped rolls nothing, and says so', async () => {
    await world.begin({ worker: steady });
    const reply = await world.ask<RolloutsCreatedReply>('POST', '/v1/rollouts', { selectors: ['worker'] });
    expect(reply.skipped).toEqual([
      { program: 'worker', reason: 'it is stopped, and takes the config at its next start' },
    ]);
    expect(reply.rollouts).toEqual([]);
    expect(states(await world.status())).toBe('stopped');
  });

  it('of what is stopped has it take the config at its next start', async () => {
    await world.begin({ worker: steady });
    const before = (await world.status()).instances[0]?.revision;
    world.configure({ worker: { ...steady, environment: { NEW: '1' } } });
    await world.ask('POST', '/v1/rollouts', { selectors: ['worker'] });
    await world.act('start', ['worker']);
    const after = (await world.status()).instances[0];
    expect(after?.state).toBe('running');
    expect(after?.revision).not.toBe(before);
  });

  it('tried dry leaves out what is stopped, and says why', async () => {
    await world.begin({ worker: { ...steady, instances: 2 } });
    await world.act('start', []);
    await world.act('stop', ['worker:1']);
    expect(await rollOut(['worker'], { dry_run: true })).toMatchObject({
      json: {
        rollouts: [{ turns: [{ step: 'skipped', why: 'it is stopped' }, { step: 'pending' }] }],
      },
    });
    await world.act('stop', ['worker:0']);
    expect(await rollOut(['worker'], { dry_run: true })).toMatchObject({
      json: { rollouts: [], skipped: [{ program: 'worker' }] },
    });
  });

  it('tried dry changes nothing at all', async () => {
    await world.begin({ worker: { ...steady, instances: 2 } });
    await world.act('start', []);
    const before = await world.status();
    world.configure({ worker: { ...crashesAtOnce, instances: 2 } });
    expect(await rollOut(['worker:1'], { dry_run: true })).toMatchObject({
      json: { rollouts: [{ total: 1, turns: [{ instance: 'worker:1', step: 'pending' }] }] },
    });
    const after = await world.status();
    expect([runs(after), after.rollouts]).toEqual([runs(before), []]);
    world.write('programs: {'); // were the plan taken, a restart with --keep-config would crash
    expect(await world.act('restart', ['worker:1'], { keep_config: true })).toMatchObject({
      instances: [{ ok: true }],
    });
  });
});

describe('while it is shutting down', () => {
  it('it answers status, begins nothing any more, and can be hurried', async () => {
    await world.begin({ worker: ignoresTerm });
    await world.act('start', []);
    world.daemon.shutDown('drain');
    const { daemon, instances } = await world.status();
    expect(daemon.state).toBe('shutting_down');
    expect(instances).toMatchObject([{ state: 'draining', because: 'shutdown' }]);
    expectRefusal(await world.request('POST', '/v1/start', { selectors: [] }), 'shutting_down');
    expectRefusal(await world.request('POST', '/v1/restart', { selectors: ['worker'] }), 'shutting_down');
    expectRefusal(await rollOut(['worker']), 'shutting_down');
    await world.ask('POST', '/v1/shutdown', { how: 'kill' });
    await within('the end', world.daemon.ended, 3000);
    expect(leaks.processes()).toEqual([]);
  });

  it('a limit to the whole of it ends every drain', async () => {
    await world.begin({ worker: { ...ignoresTerm, stop: { timeout: '100ms' } } });
    await world.act('start', []);
    await world.ask('POST', '/v1/shutdown', { timeout_ms: 100 });
    await within('the end', world.daemon.ended, 3000);
  });

  it('followers hear of it to the last', async () => {
    await world.begin({ worker: steady });
    await world.act('start', []);
    const own = new Raw(world.socket).say('GET /v1/events?follow HTTP/1.0\r\n\r\n');
    await own.heard(/"seq":1,/);
    world.daemon.shutDown('drain');
    await within('the end of the stream', own.closed);
    expect(own.text.trim().split('\n').at(-1)).toContain('"state":"stopped"');
  });
});

describe('where it cannot run', () => {
  it('it is the second: it says who holds the lock, and leaves the first as it is', async () => {
    await world.begin({ worker: steady });
    await world.act('start', []);
    const inode = statSync(world.socket).ino;
    const second = await world.create();
    expect(second).toMatchObject({ ok: false, error: { kind: 'locked' } });
    expect(second.ok ? '' : second.error.message).toContain(`pid ${process.pid}`);
    expect(statSync(world.socket).ino).toBe(inode);
    expect((await world.instance('worker:0')).state).toBe('running');
  });

  it('it is the second with the same state_dir, by another run_dir: it does not take up what the first has begun', async () => {
    await world.begin({ worker: steady });
    await world.act('start', []);
    const { pid } = await world.instance('worker:0');
    world.configure({ worker: steady }, { run_dir: 'run-2' });
    const second = await world.create();
    expect(second).toMatchObject({
      ok: false,
      error: { kind: 'state_locked', message: expect.stringContaining(join(world.folder, 'state')) },
    });
    // And again: nothing of it was left behind.
    expect(await world.create()).toMatchObject({ ok: false, error: { kind: 'state_locked' } });
    expect(await world.instance('worker:0')).toMatchObject({ pid, state: 'running' });
  });

  it('it is the second with the same config file, under another name: it says which one runs', async () => {
    await world.begin({ worker: steady });
    const elsewhere = { name: 'new', run_dir: 'run-2', state_dir: 'state-2' };
    world.configure({ worker: steady }, elsewhere);
    const second = await world.create();
    expect(second).toEqual({
      ok: false,
      error: {
        kind: 'config_taken',
        message: `the daemon "test" (pid ${process.pid}) runs with this config file already; end it first with "tsup-visor --socket ${world.socket} shutdown", or give the second fleet a config file of its own`,
      },
    });
    // What it had taken in the new folders, it has let go; and once the first is gone, nothing keeps the next.
    world.daemon.shutDown('kill');
    await within('the end of the first', world.daemon.ended);
    await world.begin({ worker: steady }, elsewhere);
  });

  it('it is another one with the same socket: that is not taken away', async () => {
    const other = new World(leaks);
    try {
      await world.begin({ worker: steady });
      const { socket } = world;
      other.configure({ worker: steady });
      const made = await other.create(socket);
      expect(made).toMatchObject({
        ok: false,
        error: { kind: 'failed', message: expect.stringContaining('another daemon answers') },
      });
      expect((await world.status()).daemon.pid).toBe(process.pid);
      // Nothing of the failed one is in the way of the next.
      await other.begin();
      expect((await other.status()).instances).toHaveLength(1);
    } finally {
      await other.close();
    }
  });

  it('a socket that a daemon has left without a word is taken over', async () => {
    world.configure({ worker: steady });
    mkdirSync(join(world.folder, 'run'), { mode: 0o700 });
    const dead = createServer();
    await new Promise<void>((resolve) => dead.listen(join(world.folder, 'dead'), resolve));
    renameSync(join(world.folder, 'dead'), world.socket); // so that closing does not remove it
    await new Promise((resolve) => dead.close(resolve));
    expect(existsSync(world.socket)).toBe(true);
    await world.begin();
    expect((await world.status()).instances).toHaveLength(1);
  });

  it('the path of the socket is longer than the system takes: it says so, and leaves nothing behind', async () => {
    world.configure({ worker: steady });
    const made = await world.create(join(world.folder, 'x'.repeat(120)));
    expect(made).toMatchObject({
      ok: false,
      error: { kind: 'failed', message: expect.stringContaining('too long') },
    });
    expect(process.listeners('uncaughtException').filter(({ name }) => name === 'uncaught')).toEqual([]);
  });

  it.each([
    ['the config has a mistake', 'config_invalid', (at: World) => at.write('programs: {}\nprogams: {}\n')],
    ['the config is missing', 'config_invalid', () => {}],
    [
      'run_dir cannot be made',
      'failed',
      (at: World) => at.configure({ worker: steady }, { run_dir: '/dev/null/run' }),
    ],
    [
      'log_dir is a file',
      'failed',
      (at: World) => at.configure({ worker: steady }, { log_dir: 'supervisor.yaml' }),
    ],
    [
      'the lock cannot be made',
      'failed',
      (at: World) => {
        at.configure({ worker: steady });
        mkdirSync(join(at.folder, 'run/lock'), { recursive: true });
      },
    ],
  ] as const)('%s: it says so, and leaves nothing behind', async (_, kind, prepare) => {
    const listeners = process.listenerCount('uncaughtException');
    prepare(world);
    const made = await world.create();
    expect(made).toMatchObject({ ok: false, error: { kind, message: expect.stringMatching(/\S/) } });
    expect(process.listenerCount('uncaughtException')).toBe(listeners);
  });
});
