/** What other supervisors do wrong when something ends. One line of the list, one test; each is red with the defect put in. */
import { spawnSync } from 'node:child_process';
import { readFileSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it, type TestContext } from 'vitest';
import { kill } from './processes.ts';
import { crashesAtOnce, steady } from './puppets.ts';
import { awaits, heeds, openScene, pause, READY, type Scene } from './scene.ts';
import { until } from './until.ts';
import type { Circumstances, Program } from './world.ts';

const bash = (script: string): readonly string[] => ['bash', '-c', script];
const looping: Program = { initial: '20ms', factor: 1, max: '20ms', jitter: '0%', give_up_after: 'none' };
/** Asked to end, it goes on until the test has made the file. */
const endsAt = (name: string): string => `echo TERM >> ${name}-told; ${awaits(name)}; exit 0`;

/** The deadline of its own stop is far away then. */
const MORE_TIME = 'echo EXTEND_TIMEOUT_USEC=60000000 >&3';

const prompt: Program = {
  ...steady,
  stop: { timeout: '20s' },
  command: heeds({ TERM: 'sleep 0.3 & exit 0' }),
};

/** All that can live in one daemon; each program belongs to one test. */
const PROGRAMS: Readonly<Record<string, Program>> = {
  leaky: {
    ...steady,
    backoff: looping,
    command: bash(`setsid sleep 1000 & set -m; sleep 1000 & ${READY}; exec sleep 1000`),
  },
  parent: {
    ...steady,
    command: bash(`
      trap 'wait $job; exit 0' TERM
      setsid bash -c 'trap "touch job-was-signalled" TERM; ${READY}; until [ -e job-go ]; do sleep 0.05; done; touch job-done' &
      job=$!
      wait $job
    `),
  },
  graceful: { ...steady, stop: { timeout: '20s' }, command: heeds({ TERM: endsAt('graceful-go') }) },
  noisy: { ...crashesAtOnce, autostart: false, backoff: looping },
  twice: {
    ...steady,
    stop: { timeout: '3s' },
    command: heeds({ TERM: `[ -e second ] || exit 0; ${MORE_TIME}; ${awaits('twice-go')}; exit 0` }),
  },
  promised: {
    ...steady,
    drain: { signal: 'USR1', timeout: '20s' },
    stop: { signal: 'TERM', timeout: '20s' },
    command: heeds({ USR1: 'exit 11', USR2: 'exit 12', TERM: 'exit 13', INT: 'exit 14' }),
  },
  'prompt-drain': prompt,
  'prompt-stop': prompt,
  stubborn: { ...steady, stop: { timeout: '300ms' }, command: heeds({ TERM: '' }) },
  default: { command: heeds({ TERM: endsAt('default-go') }), ready: { when: 'notify' } },
  endless: { ...steady, drain: { timeout: 'none' }, command: heeds({ TERM: endsAt('endless-go') }) },
  moved: { ...steady, autostart: false, backoff: looping, command: ['current/run'] },
  replaced: {
    ...steady,
    drain: { timeout: '300ms' },
    stop: { timeout: '300ms' },
    command: heeds({ TERM: '' }),
  },
};

describe.concurrent('ending things', { timeout: 60_000 }, () => {
  let scene: Scene;
  beforeAll(async () => {
    scene = await openScene(PROGRAMS);
  });
  afterAll(() => scene?.close());

  it('the crash path sweeps: no grandchild leaks per restart', async () => {
    for (let crashes = 0; crashes < 5; crashes++) {
      const { pid, run } = await scene.ready('leaky:0', scene.of('exited', 'leaky:0').at(-1)?.run);
      const grandchildren = ofProgram(scene, 'leaky').filter((found) => found.pid !== pid);
      expect(grandchildren, 'of this run alone').toHaveLength(2);
      expect(grandchildren.every((found) => found.environment.includes(`TSUP_VISOR_RUN=${run}\0`))).toBe(
        true,
      );
      kill(pid ?? 0, 'SIGKILL');
      await scene.sees('gone', 'leaky:0', crashes + 1);
      expect(scene.world.ofRun(run)).toEqual([]);
    }
    await scene.client.stop({ selectors: ['leaky'], now: true });
    expect(ofProgram(scene, 'leaky')).toEqual([]);
  });

  it('no tree is killed by parent pid: a job child in its own session gets no signal, and its parent waits for it', async () => {
    const { run } = await scene.ready('parent:0');
    const stopped = scene.client.stop({ selectors: ['parent'] });
    await scene.sees('signalled', 'parent:0');
    scene.touch('job-go');
    await stopped;
    await scene.made('job-done');
    expect(scene.world.left()).toEqual(expect.not.arrayContaining([expect.stringContaining('job-go')]));
    expect(() => readFileSync(scene.path('job-was-signalled'))).toThrow('ENOENT');
    expect(await scene.sees('gone', 'parent:0')).toMatchObject({ drained: true, killed: false });
    expect(scene.signals(run)).toEqual(['TERM']);
  });

  it('no SIGCHLD ends the graceful wait, and no SIGKILL follows it', async () => {
    const { pid, run } = await scene.ready('graceful:0');
    await scene.client.stop({ selectors: ['graceful'], now: true, wait: false });
    await scene.made('graceful-go-told');
    await scene.client.start({ selectors: ['noisy'], wait: false });
    await scene.sees('exited', 'noisy:0', 8);
    await scene.client.stop({ selectors: ['noisy'] });
    expect(await scene.now('graceful:0')).toMatchObject({ state: 'stopping', pid });
    scene.touch('graceful-go');
    expect(await scene.sees('gone', 'graceful:0')).toMatchObject({ run, killed: false });
    expect((await scene.sees('exited', 'graceful:0')).exit).toMatchObject({ code: 0 });
    expect(scene.signals(run)).toEqual(['TERM']);
  });

  it('a kill timer is tied to its run: stop, start, stop within the delay does not kill the second run early', async () => {
    const { run } = await scene.ready('twice:0');
    await scene.client.stop({ selectors: ['twice'], now: true });
    const first = performance.now();
    await scene.client.start({ selectors: ['twice'] });
    scene.touch('second');
    await scene.client.stop({ selectors: ['twice'], now: true, wait: false });
    await pause(first + 3300 - performance.now()); // beyond the delay of the first stop, not of the second
    const second = await scene.now('twice:0');
    expect(second).toMatchObject({ state: 'stopping', pid: expect.any(Number) });
    expect(second.run).not.toBe(run);
    scene.touch('twice-go');
    await scene.sees('gone', 'twice:0', 2);
    expect(scene.of('gone', 'twice:0').map(({ killed }) => killed)).toEqual([false, false]);
  });

  it('the stop parameters of a process are those that it was started under, not those of a new config', async () => {
    const { run } = await scene.ready('promised:0');
    const fresh = { drain: { signal: 'USR2', timeout: '20s' }, stop: { signal: 'INT', timeout: '20s' } };
    scene.world.configure({ ...PROGRAMS, promised: { ...PROGRAMS.promised, ...fresh } });
    await scene.world.succeed('reload', '--detach');
    await scene.client.stop({ selectors: ['promised'] });
    await scene.sees('gone', 'promised:0');
    expect(scene.signals(run)).toEqual(['USR1']);
    await scene.client.start({ selectors: ['promised'] });
    const next = await scene.now('promised:0');
    await scene.client.stop({ selectors: ['promised'] });
    await scene.sees('gone', 'promised:0', 2);
    expect(scene.signals(next.run)).toEqual(['USR2']);
    expect(scene.of('exited', 'promised:0').map(({ exit }) => exit.code)).toEqual([11, 12]);
  });

  it.each([
    ['drain', false],
    ['stop', true],
  ])('the grace period is not waited out when everything has exited (%s)', async (how, now) => {
    const { run } = await scene.ready(`prompt-${how}:0`);
    await scene.client.stop({ selectors: [`prompt-${how}`], now });
    const told = await scene.sees('signalled', `prompt-${how}:0`);
    const gone = await scene.sees('gone', `prompt-${how}:0`);
    expect(gone).toMatchObject({ run, killed: false });
    expect(gone.mono_ms - told.mono_ms, 'of 20,000 ms').toBeLessThan(6000);
  });

  it('a stop need not only be waited for: it can be forced while it is under way', async () => {
    const { run } = await scene.ready('stubborn:0');
    await scene.client.stop({ selectors: ['stubborn'], wait: false });
    expect(await scene.now('stubborn:0')).toMatchObject({ state: 'draining' });
    await scene.client.stop({ selectors: ['stubborn'], now: true });
    const gone = await scene.sees('gone', 'stubborn:0');
    expect(gone).toMatchObject({ run, killed: true, drained: false });
    expect(gone.mono_ms - (await scene.sees('signalled', 'stubborn:0')).mono_ms).toBeLessThan(10_000);
    expect(scene.signals(run)).toEqual(['TERM', 'TERM', 'KILL']);
  });

  it('no default means "never kill", and none is as short as 1.6 s', async () => {
    await scene.ready('default:0');
    await scene.client.stop({ selectors: ['default'], wait: false });
    const { drain } = await scene.now('default:0');
    const limit = Date.parse(drain?.deadline ?? '') - Date.parse(drain?.since ?? '');
    expect(Math.round(limit / 1000)).toBe(5 * 60);
    await scene.client.stop({ selectors: ['default'], now: true, wait: false });
    const { state, message } = await scene.now('default:0');
    expect(state).toBe('stopping');
    const left = /^told to stop, is killed in ([\d.]+)s$/.exec(message ?? '')?.[1];
    expect(Number(left), message ?? '').toBeGreaterThan(5);
    expect(Number(left)).toBeLessThanOrEqual(10);
    scene.touch('default-go');
    expect(await scene.sees('gone', 'default:0')).toMatchObject({ killed: false });
  });

  it('where nothing is ever killed, that is said: "no deadline"', async () => {
    await scene.ready('endless:0');
    await scene.client.stop({ selectors: ['endless'], wait: false });
    const { message, drain } = await scene.now('endless:0');
    expect({ message, deadline: drain?.deadline }).toEqual({
      message: 'draining, no deadline',
      deadline: null,
    });
    expect((await scene.world.cli('status', 'endless')).stdout).toMatch(/no deadline/);
    scene.touch('endless-go');
    await scene.sees('gone', 'endless:0');
  });

  it('a spawn error (ENOENT while a deploy swaps a symlink) is not final: it backs off, and mends itself', async () => {
    for (const release of ['one', 'two']) {
      spawnSync('mkdir', [scene.path(release)]);
      writeFileSync(
        scene.path(`${release}/run`),
        `#!/bin/bash\n${READY}\nexec sleep 100${release.length}\n`,
        {
          mode: 0o755,
        },
      );
    }
    symlinkSync('one', scene.path('current'));
    await scene.client.start({ selectors: ['moved'] });
    const { pid } = await scene.ready('moved:0');
    unlinkSync(scene.path('current'));
    kill(pid ?? 0, 'SIGKILL');
    const failed = await scene.sees('spawn_failed', 'moved:0', 3);
    expect(failed.error).toMatch(/current\/run/);
    const { state, because } = await scene.now('moved:0');
    expect(['backoff', 'starting']).toContain(state);
    expect(because).toBe('spawn error');
    symlinkSync('two', scene.path('current'));
    const mended = await scene.see('moved:0', 'it has mended', ({ ready }) => ready);
    expect(mended.state).toBe('running');
    const delays = scene.of('spawn_failed', 'moved:0').map(({ mono_ms }) => mono_ms);
    for (const [at, ms] of delays.slice(1).entries())
      expect(ms - (delays[at] ?? 0), 'no busy loop').toBeGreaterThanOrEqual(15);
  });

  it('nothing is respawned between TERM and KILL, and no stop loop kills the next run', async () => {
    const { run } = await scene.ready('replaced:0');
    await scene.client.restart({ selectors: ['replaced'], keep_config: true });
    const next = await scene.now('replaced:0');
    await scene.sees('ready', 'replaced:0', 2);
    expect(next.run).not.toBe(run);
    expect(scene.signals(run)).toEqual(['TERM', 'TERM', 'KILL']);
    const fate = scene.log.all.filter((it) => 'instance' in it && it.instance === 'replaced:0');
    const told = fate.findIndex((it) => it.type === 'signalled' && it.run === run);
    const gone = fate.findIndex((it) => it.type === 'gone' && it.run === run);
    expect(told).toBeGreaterThan(-1);
    expect(fate.slice(told, gone).filter((it) => it.type === 'spawned')).toEqual([]);
    await pause(1500); // SIGKILL is repeated each second as long as something is left
    expect(await scene.now('replaced:0')).toMatchObject({ run: next.run, pid: next.pid, state: 'running' });
    expect(scene.signals(next.run)).toEqual([]);
  });
});

const ofProgram = ({ world }: Scene, program: string) =>
  world.ofInstances().filter((found) => found.environment.includes(`TSUP_VISOR_PROGRAM=${program}\0`));

async function alone(
  { onTestFinished }: TestContext,
  programs: Readonly<Record<string, Program>>,
  circumstances?: Circumstances,
): Promise<Scene> {
  const scene = await openScene(programs, circumstances);
  onTestFinished(() => scene.close());
  return scene;
}

const isRoot = process.getuid?.() === 0;
const canLose = isRoot && spawnSync('setpriv', ['--bounding-set=-kill', 'true']).status === 0;

describe.concurrent('ending things, and the daemon with them', { timeout: 60_000 }, () => {
  it('a leader\'s exit is not taken for "stopped" while its group lives: a grandchild that ignores TERM survives neither stop nor shutdown', async (test) => {
    const stays = bash(
      `(trap "" TERM; ${READY}; exec sleep 1000) & trap 'exit 0' TERM; while :; do sleep 0.05; done`,
    );
    const limits = { drain: { timeout: '300ms' }, stop: { timeout: '300ms' } };
    const scene = await alone(test, { worker: { ...steady, ...limits, instances: 2, command: stays } });
    const { run } = await scene.ready('worker:0');
    await scene.ready('worker:1');
    const stopping = scene.client.stop({ selectors: ['worker:0'] });
    await scene.sees('exited', 'worker:0');
    if (scene.of('gone', 'worker:0').length === 0)
      expect((await scene.now('worker:0')).state).not.toBe('stopped');
    await stopping;
    expect(scene.world.ofRun(run)).toEqual([]);
    await scene.world.succeed('shutdown');
    expect(scene.world.left()).toEqual([]);
  });

  it('shutdown is not strictly one after another, and there is a status during it', async (test) => {
    const worker = { ...steady, instances: 4, command: heeds({ TERM: endsAt('go') }) };
    const scene = await alone(test, { worker });
    for (const index of [0, 1, 2, 3]) await scene.ready(`worker:${index}`);
    await scene.client.shutdown({});
    await until('all are told', () => scene.log.of('signalled').length === 4);
    expect(scene.log.of('exited')).toEqual([]);
    const { daemon, instances } = await scene.client.status();
    expect(daemon.state).toBe('shutting_down');
    expect(instances.map(({ state }) => state)).toEqual(Array(4).fill('draining'));
    expect((await scene.world.cli('status')).stdout.match(/^worker:\d +draining/gm)).toHaveLength(4);
    scene.touch('go');
    await until('all are gone', () => scene.world.processes().length === 0);
  });

  it('no second TERM is sent within moments, which would make a worker fail its jobs', async (test) => {
    const scene = await alone(test, { worker: { ...steady, command: heeds({ TERM: endsAt('go') }) } });
    const { run } = await scene.ready('worker:0');
    const { daemon } = await scene.client.status({ usage: false });
    for (const selectors of [['worker'], ['worker:0'], ['*']])
      await scene.client.stop({ selectors, wait: false });
    await scene.client.restart({ selectors: ['worker'], wait: false });
    await scene.client.stop({ selectors: ['worker'], wait: false });
    for (let times = 0; times < 3; times++) kill(daemon.pid, 'SIGTERM');
    await scene.log.sees('shutting down', (it) => it.type === 'daemon' && it.state === 'shutting_down');
    await scene.client.shutdown({});
    scene.touch('go');
    await until('all are gone', () => scene.world.processes().length === 0);
    await scene.log.sees('its last word', (it) => it.type === 'daemon' && it.state === 'stopped');
    expect(readFileSync(scene.path('go-told'), 'utf8')).toBe('TERM\n');
    expect(scene.signals(run)).toEqual(['TERM']);
  });

  it.skipIf(!canLose)('an error from kill other than ESRCH does not bring the daemon down', async (test) => {
    // Root without CAP_KILL may not signal what is another user's.
    const worker = {
      ...steady,
      user: '65534',
      directory: '/',
      stop: { timeout: '20s' },
      command: bash(`${READY}; exec sleep 1000`),
    };
    const scene = await alone(test, { worker }, { through: ['setpriv', '--bounding-set=-kill'] });
    const { pid } = await scene.ready('worker:0');
    await scene.client.stop({ selectors: ['worker'], wait: false });
    await scene.sees('signalled', 'worker:0');
    const { daemon, instances } = await scene.client.status();
    expect(instances).toMatchObject([{ state: 'draining', pid }]);
    expect(daemon.warnings.join('\n')).toContain(
      `cannot send TERM to process ${pid}: operation not permitted`,
    );
    kill(pid ?? 0, 'SIGTERM');
    await scene.see('worker:0', 'it is stopped', ({ state }) => state === 'stopped');
  });
});
