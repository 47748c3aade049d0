/** A hold, not a push: nobody is touched while anything else of the program, or what it needs, is not well. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, type TestContext } from 'vitest';
import { build, type Fleet, fleet, isRollout, turned } from './builds.ts';
import { starting } from './life.ts';

const MANUAL = { canary: 1, canary_hold: 'manual' };

async function held(life: Fleet, ...more: string[]): Promise<void> {
  await life.world.succeed('rolling-restart', 'worker', '--detach', ...more);
  await life.seesRollout('the hold', ({ canary }) => canary?.state === 'held');
}

/** Promotes it; it has to say what it waits for before anybody is touched. */
async function waitsFor(life: Fleet, what: RegExp): Promise<void> {
  await life.world.succeed('rollout', 'promote');
  await life.seesRollout(`it waits: ${what}`, ({ reason, current }) => {
    expect(current).toEqual([]);
    return what.test(reason ?? '');
  });
  expect(turned(life)).toEqual(['worker:0']);
}

async function allTurned(life: Fleet): Promise<void> {
  await life.log.sees('the end', isRollout('succeeded'));
  expect(await life.builds()).toMatch(/^two two two two/);
}

async function late(test: TestContext): Promise<Fleet> {
  const life = await fleet(test, build('late'), {}, ['ready0', 'ready1', 'ready2', 'ready3']);
  life.deploy(build('two', MANUAL));
  await held(life);
  return life;
}

describe.concurrent('the next turn waits', { timeout: 60_000 }, () => {
  it('for one that has crashed elsewhere, which comes back with what it had', async (test) => {
    const life = await late(test);
    const [, , run] = await life.runs();
    rmSync(join(life.world.dir, 'ready2'));
    await life.tell('worker:2', 'SIGKILL');
    await life.see('worker:2', 'it starts again', (it) => it.state === 'starting' && it.run !== run);
    await waitsFor(life, /worker:2/);
    expect(await life.builds()).toBe('two late late late');
    life.touch('ready2');
    await allTurned(life);
  });

  it('for one that is unhealthy elsewhere', async (test) => {
    const exec = ['sh', '-c', '[ ! -e sick$TSUP_VISOR_INDEX ]'];
    const health = { health: { exec, interval: '100ms', failures: 1, action: 'none' } };
    const life = await fleet(test, build('one', {}, health));
    life.deploy(build('two', MANUAL, health));
    await held(life, '--instances', '0-2'); // in a turn of its own it would be cured
    life.touch('sick3');
    await life.see('worker:3', 'it is unhealthy', ({ healthy }) => !healthy);
    await waitsFor(life, /worker:3/);
    rmSync(join(life.world.dir, 'sick3'));
    await life.log.sees('the end', isRollout('succeeded'));
    expect(await life.builds()).toBe('two two two one');
  });

  it('for what it needs and has lost', async (test) => {
    const redis = build('late', {}, { instances: 1 });
    const needs = { depends_on: { redis: 'ready' } };
    const life = await fleet(test, build('one', {}, needs), { redis }, ['ready0']);
    life.deploy(build('two', MANUAL, needs));
    await held(life);
    rmSync(join(life.world.dir, 'ready0'));
    await life.tell('redis:0', 'SIGKILL');
    await life.see('redis:0', 'it starts again', ({ state }) => state === 'starting');
    await waitsFor(life, /redis/);
    life.touch('ready0');
    await allTurned(life);
  });

  it('for somebody, when what it needs was stopped: it pauses, and resume goes on', async (test) => {
    const redis = build('one', {}, { instances: 1 });
    const needs = { depends_on: { redis: 'ready' } };
    const life = await fleet(test, build('one', {}, needs), { redis });
    life.deploy(build('two', MANUAL, needs));
    await held(life);
    await life.world.succeed('stop', 'redis');
    await life.world.cli('rollout', 'promote');
    const paused = await life.seesRollout('it pauses', ({ state }) => state === 'paused');
    expect(paused.blocker).toEqual({ name: 'redis', is: 'needed' });
    expect(turned(life)).toEqual(['worker:0']);
    await life.world.succeed('start', 'redis');
    await life.world.succeed('rollout', 'resume');
    await allTurned(life);
  });
});

describe.concurrent('max_parallel', { timeout: 60_000 }, () => {
  it('of the command line is a number or a share, and so many are away at once', async (test) => {
    const life = await fleet(test, build('patient'));
    life.deploy(build('two'));
    await life.world.succeed('rolling-restart', 'worker', '--max-parallel', '75%', '--detach');
    await life.seesRollout('three drain', ({ current }) => current.length === 3);
    expect(turned(life)).toEqual(['worker:0', 'worker:1', 'worker:2']);
    life.touch('finish1');
    await life.seesRollout('the fourth has its turn', ({ current }) => current.includes('worker:3'));
    for (const n of [0, 2, 3]) life.touch(`finish${n}`);
    await allTurned(life);
  });
});

describe.concurrent('an instance that was given up', { timeout: 60_000 }, () => {
  it('comes first, and a good build is its cure', async (test) => {
    const { log, see, start, ...rest } = await starting(test, { worker: build('crashes-at-2') });
    expect((await start.ended).code).toBe(1);
    rest.world.configure({ worker: build('two') });
    await rest.world.succeed('rolling-restart', 'worker');
    expect(turned({ ...rest, log, see })[0]).toBe('worker:2');
    expect((await rest.instances()).every(({ ready }) => ready)).toBe(true);
  });
});
