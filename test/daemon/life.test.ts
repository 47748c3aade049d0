/** The whole life of an instance through a real daemon: what only comes together there. */
import { existsSync, readFileSync, rmSync, watch, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { InstanceStatus, StatusReply } from '../../src/protocol/status.ts';
import { useLeakCheck } from '../rig/leaks.ts';
import { within } from '../rig/within.ts';
import { PROGRAMS, World } from './world.ts';

// Node keeps one descriptor for all that it ever watches, from the first time on.
watch(tmpdir()).close();
const leaks = useLeakCheck();
let world: World;

beforeEach(() => {
  world = new World(leaks);
});
afterEach(() => world.close());

const { steady, neverReady, crashesAtOnce } = PROGRAMS;
const shell = (script: string): readonly string[] => ['/bin/sh', '-c', script];
const states = ({ instances }: StatusReply): string =>
  instances.map(({ id, state }) => `${id} ${state}`).join(', ');
const only = ({ instances }: StatusReply): InstanceStatus | undefined => instances[0];
const file = (name: string): string => join(world.folder, name);
const text = (name: string): string => (existsSync(file(name)) ? readFileSync(file(name), 'utf8') : '');

describe('hooks', () => {
  const note = (what: string): { exec: readonly string[] } => ({
    exec: shell(`echo ${what} $TSUP_VISOR_HOOK $TSUP_VISOR_INSTANCE $TSUP_VISOR_RUN >> hooks.txt`),
  });

  it('run in their places, once each, as the run that they belong to', async () => {
    await world.begin({
      worker: {
        ...steady,
        hooks: {
          pre_start: note('a'),
          post_start: note('b'),
          pre_drain: note('c'),
          post_stop: note('d'),
        },
      },
    });
    await world.act('start', []);
    expect(text('hooks.txt')).toBe('a pre_start worker:0 1\nb post_start worker:0 1\n');
    await world.act('stop', ['worker']);
    expect(text('hooks.txt').split('\n').slice(2)).toEqual([
      'c pre_drain worker:0 1',
      'd post_stop worker:0 1',
      '',
    ]);
  });

  it('that fail make a failed start, which says what the hook said', async () => {
    await world.begin({
      worker: { ...steady, hooks: { pre_start: { exec: shell('echo no table >&2; exit 2') } } },
    });
    const { instances } = await world.act('start', []);
    expect(instances).toMatchObject([
      { ok: false, message: expect.stringMatching(/pre_start.*exited with code 2.*no table/) },
    ]);
    expect(leaks.processes()).toEqual([]);
    await world.see('another try', (status) => (only(status)?.run ?? 0) > 1);
  });

  it('that hang are ended by stop --now, with all that they have begun', async () => {
    await world.begin({
      worker: {
        ...steady,
        hooks: { pre_start: { exec: shell('sleep 1000 & sleep 1000'), timeout: '1m' } },
      },
    });
    const started = world.act('start', []);
    await world.see('the hook to run', (status) => only(status)?.message === 'its pre_start hook runs');
    expect((await world.act('stop', ['worker'], { now: true })).instances).toMatchObject([{ ok: true }]);
    expect((await started).instances).toMatchObject([{ ok: false }]);
    expect(leaks.processes()).toEqual([]);
  });

  it('that are under way when the daemon is left end with it', async () => {
    await world.begin({
      worker: { ...steady, hooks: { pre_start: { exec: shell('sleep 1000'), timeout: '1m' } } },
    });
    await world.act('start', [], { wait: false });
    await world.see('the hook to run', (status) => only(status)?.message === 'its pre_start hook runs');
    world.daemon.leave();
    await within('the end', world.daemon.ended);
  });
});

describe('readiness', () => {
  it('by a line of output is that line of this run, not of the last one', async () => {
    await world.begin({
      worker: {
        ...steady,
        command: shell(
          'echo started >> runs.txt; while [ ! -e go ]; do sleep 0.02; done; echo now listening; exec sleep 1000',
        ),
        ready: { when: { log: '/listening$/' }, timeout: '20s' },
        logs: { stdout: 'default' },
      },
    });
    writeFileSync(file('go'), '');
    await world.act('start', []);
    await world.act('stop', ['worker'], { now: true });
    rmSync(file('go'));
    const started = world.act('start', ['worker']);
    await world.see(
      'the second run',
      (status) => only(status)?.state === 'starting' && only(status)?.run === 2,
    );
    expect((await world.instance('worker:0')).message).toMatch(/waits for the line of output/);
    writeFileSync(file('go'), '');
    expect((await started).instances).toMatchObject([{ ok: true }]);
  });

  it('by a check is asked until it is there, and a time-out is a failure', async () => {
    await world.begin({
      worker: {
        ...steady,
        command: shell('sleep 0.1; : > here; exec sleep 1000'),
        ready: { when: { file: 'here' }, interval: '20ms', timeout: '10s' },
      },
      never: {
        ...steady,
        ready: { when: { exec: 'false' }, interval: '20ms', timeout: '100ms' },
      },
    });
    const { instances } = await world.act('start', []);
    expect(instances).toMatchObject([
      { id: 'worker:0', ok: true },
      { id: 'never:0', ok: false },
    ]);
  });
});

describe('health', () => {
  it('that is lost has the instance drained and begun anew, and is told', async () => {
    await world.begin({
      worker: {
        ...steady,
        health: { exec: shell('test ! -e sick'), interval: '20ms', timeout: '5s', failures: 2 },
      },
    });
    await world.act('start', []);
    await world.see('it to be healthy', (status) => only(status)?.healthy === true);
    writeFileSync(file('sick'), '');
    await world.see('another run', (status) => (only(status)?.run ?? 0) > 1);
    const events = world.said.join('\n');
    expect(events).toMatch(/worker:0 is unhealthy: .*exited with code 1/);
    expect(events).toMatch(/worker:0 is draining \(unhealthy\)/);
  });

  it('without an action is only shown', async () => {
    await world.begin({
      worker: { ...steady, health: { exec: 'false', interval: '20ms', failures: 1, action: 'none' } },
    });
    await world.act('start', []);
    const status = await world.see(
      'it to be unhealthy',
      (s) => only(s)?.message.startsWith('unhealthy') === true,
    );
    expect(only(status)).toMatchObject({ state: 'running', ready: true, healthy: false });
  });
});

describe('dependencies', () => {
  it('come along, are waited for, and are answered for', async () => {
    await world.begin({
      redis: { ...steady, autostart: false, command: shell('sleep 0.1; echo READY=1 >&3; exec sleep 1000') },
      worker: { ...steady, depends_on: { redis: 'ready' } },
    });
    const { instances } = await world.act('start', ['worker']);
    expect(instances).toMatchObject([
      { id: 'redis:0', ok: true },
      { id: 'worker:0', ok: true },
    ]);
  });

  it('that the operator has stopped are waited for in vain, which the answer says', async () => {
    await world.begin({ redis: steady, worker: { ...steady, depends_on: { redis: 'ready' } } });
    await world.act('start', []);
    await world.act('stop', ['redis', 'worker']);
    const { instances } = await world.act('start', ['worker']);
    expect(instances).toMatchObject([
      {
        id: 'worker:0',
        ok: false,
        state: 'waiting',
        message: expect.stringMatching(/waits for redis to be ready/),
      },
    ]);
    expect(await world.instance('worker:0')).toMatchObject({ state: 'waiting', waits_for: 'redis' });
    await world.act('start', ['redis']);
    await world.see('both to run', (status) => states(status) === 'redis:0 running, worker:0 running');
  });
});

it('a user who does not exist is a failed start, with the reason', async () => {
  await world.begin({ worker: { ...steady, user: 'nobody-of-that-name' } });
  const { instances } = await world.act('start', []);
  expect(instances).toMatchObject([
    { ok: false, message: expect.stringContaining('user "nobody-of-that-name" does not exist') },
  ]);
  expect(world.said.join('\n')).toContain('cannot start worker:0: user "nobody-of-that-name" does not exist');
});

it('an env file is read anew at each start, under the environment of the plan', async () => {
  writeFileSync(file('.env'), 'A=file\nB=file\n');
  await world.begin({
    worker: {
      ...steady,
      command: shell('echo $A $B > vars.txt; echo READY=1 >&3; exec sleep 1000'),
      env_file: ['.env'],
      environment: { B: 'plan' },
    },
  });
  await world.act('start', []);
  expect(text('vars.txt')).toBe('file plan\n');
  writeFileSync(file('.env'), 'A=other\n');
  await world.act('restart', ['worker']);
  expect(text('vars.txt')).toBe('other plan\n');
});

it('a program with a schedule runs at its time, ends, and waits for the next', async () => {
  await world.begin({
    job: {
      ...steady,
      ready: { when: 'spawned' },
      command: shell('echo ran >> job.txt'),
      restart: 'never',
      schedule: '* * * * * *',
    },
  });
  const { instances } = await world.act('start', []);
  expect(instances).toMatchObject([{ ok: true, message: expect.stringMatching(/^job:0 runs next at /) }]);
  expect(await world.instance('job:0')).toMatchObject({ next_run: expect.stringMatching(/Z$/) });
  await world.see('two runs', (status) => (only(status)?.run ?? 0) >= 2);
  await world.act('stop', ['job'], { now: true });
  expect((await world.instance('job:0')).next_run).toBeNull();
});

it('too much memory has the instance replaced', async () => {
  await world.begin({
    worker: {
      ...steady,
      command: [
        process.execPath,
        '-e',
        'require("fs").writeSync(3, "READY=1\\n"); if (process.env.TSUP_VISOR_RUN === "1") globalThis.x = Buffer.alloc(150e6, 1); setInterval(() => {}, 1000)',
      ],
      max_memory: { size: '120MB', for: '0s' },
    },
  });
  await world.act('start', []);
  await world.see('another run to work', (s) => only(s)?.run === 2 && only(s)?.state === 'running');
  expect(world.said.join('\n')).toMatch(/worker:0 is to be replaced/);
});

it('an essential program that is given up ends the daemon, with the reason', async () => {
  await world.begin({
    db: { ...crashesAtOnce, essential: true, backoff: { initial: '10ms', max: '10ms', give_up_after: 2 } },
    worker: steady,
  });
  await world.act('start', [], { wait: false });
  const fault = await within('the end', world.daemon.ended);
  expect(fault).toMatch(/db/);
  expect(world.said.at(-1)).toBe(`the daemon has ended: ${fault}`);
  expect(leaks.processes()).toEqual([]);
});

it('a daemon that goes leaves no watch and no timer behind, whatever was under way', async () => {
  await world.begin({
    worker: { ...steady, health: { exec: 'sleep 1000', interval: '10ms', timeout: '1m' }, max_memory: '1GB' },
    slow: {
      ...neverReady,
      ready: { when: { http: 'http://127.0.0.1:1/' }, interval: '10ms', timeout: 'none' },
    },
    lines: { ...neverReady, ready: { when: { log: 'never' }, timeout: 'none' }, logs: { stdout: 'default' } },
    job: { ...steady, restart: 'never', schedule: '0 0 1 1 *' },
  });
  await world.act('start', [], { wait: false });
  await world.see('the worker to run', (status) => only(status)?.state === 'running');
  world.daemon.shutDown('kill');
  await within('the end', world.daemon.ended);
  expect(leaks.processes()).toEqual([]);
});
