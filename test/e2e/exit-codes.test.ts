import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, type TestContext } from 'vitest';
import { EXIT } from '../../src/protocol/errors.ts';
import { crashesAtOnce, drainsUntilThereIs, slowToDrain, steady } from './puppets.ts';
import { createWorld, type World } from './world.ts';

function newWorld({ onTestFinished }: TestContext): World {
  const world = createWorld();
  onTestFinished(() => world.close());
  return world;
}

async function code(world: World, ...args: string[]): Promise<number | null> {
  const outcome = await world.cli(...args);
  if (outcome.code !== EXIT.done) expect(outcome.stderr + outcome.stdout, args.join(' ')).not.toBe('');
  return outcome.code;
}

describe.concurrent('the exit code says how it went', () => {
  it('where no daemon runs: commands that only ask start none', async (test) => {
    const world = newWorld(test);
    world.configure({ worker: steady });
    for (const args of [
      ['status'],
      ['rolling-restart', 'worker'],
      ['stop', 'worker'],
      ['rollout', 'status'],
    ]) {
      expect(await code(world, ...args), args.join(' ')).toBe(EXIT.noDaemon);
    }
    expect(world.left()).toEqual([]);
    expect(await code(world, 'shutdown'), 'it was so already').toBe(EXIT.done);
  });

  it('where the config has mistakes, which are shown with their place', async (test) => {
    const world = newWorld(test);
    world.configure({ worker: { ...steady, instancs: 4 } });
    const { code: start, stderr } = await world.cli('start');
    expect(start).toBe(EXIT.configInvalid);
    expect(stderr).toMatch(/supervisor\.yaml:\d+:\d+/);
    expect(stderr).toContain('instances');
    expect(await code(world, 'config', 'check')).toBe(EXIT.configInvalid);
    expect(world.left()).toEqual([]);
  });

  it('where a mistake in the config meets a running fleet: nothing changes', async (test) => {
    const world = newWorld(test);
    world.configure({ worker: steady });
    await world.succeed('start');
    const before = await world.instance('worker:0');
    world.configure({ worker: { ...steady, instancs: 4 } });
    expect(await code(world, 'rolling-restart', 'worker')).toBe(EXIT.configInvalid);
    expect(await code(world, 'restart', 'worker')).toBe(EXIT.configInvalid);
    world.configure({ worker: steady });
    expect((await world.instance('worker:0')).run).toBe(before.run);
  });

  it('where something that is wanted does not run, and where an operator has stopped it', async (test) => {
    const world = newWorld(test);
    world.configure({ worker: steady, broken: { ...crashesAtOnce, autostart: false } });
    await world.succeed('start');
    expect(await code(world, 'status')).toBe(EXIT.done);
    expect(await code(world, 'start', 'broken')).toBe(EXIT.failed);
    expect(await code(world, 'status')).toBe(EXIT.degraded);
    expect(await code(world, 'status', 'worker')).toBe(EXIT.done);
    await world.succeed('stop', 'broken');
    expect(await code(world, 'status'), 'an operator’s stop is not a fault').toBe(EXIT.done);
    expect(await code(world, 'stop', 'broken'), 'it was so already').toBe(EXIT.done);
  });

  it('where a selector matches nothing, or the usage is wrong', async (test) => {
    const world = newWorld(test);
    world.configure({ worker: steady });
    await world.succeed('start');
    expect(await code(world, 'stop', 'wroker')).toBe(EXIT.usage);
    expect(await code(world, 'status', 'worker:9')).toBe(EXIT.usage);
    expect(await code(world, 'rolling-restart')).toBe(EXIT.usage);
    expect(await code(world, 'no-such-command')).toBe(EXIT.usage);
  });

  it('where a rolling restart meets another of the same program', async (test) => {
    const world = newWorld(test);
    const goOn = join(world.dir, 'go-on');
    world.configure({ worker: { ...drainsUntilThereIs(goOn), instances: 2 } });
    await world.succeed('start');
    await world.succeed('rolling-restart', 'worker', '--detach');
    expect(await code(world, 'rolling-restart', 'worker', '--max-parallel', '2')).toBe(EXIT.conflict);
    writeFileSync(goOn, '');
    await world.see('the first one ends well', (it) => it.rollouts[0]?.state === 'succeeded');
  });

  it('where the time is up: the work goes on', async (test) => {
    const world = newWorld(test);
    const goOn = join(world.dir, 'go-on');
    world.configure({ worker: drainsUntilThereIs(goOn) });
    await world.succeed('start');
    expect(await code(world, 'stop', 'worker', '--timeout', '200ms')).toBe(EXIT.timeout);
    expect((await world.instance('worker:0')).state).toBe('draining');
    writeFileSync(goOn, '');
    const stopped = await world.see('it has stopped', (it) =>
      it.instances.every(({ state }) => state === 'stopped'),
    );
    expect(stopped.instances[0]?.last_exit).toMatchObject({ drained: true, killed: false });
  });

  it('where a stop is told to hurry while it drains', async (test) => {
    const world = newWorld(test);
    world.configure({ worker: { ...slowToDrain(60), drain: { timeout: '2m' } } });
    await world.succeed('start');
    const patient = world.begin('stop', 'worker');
    await world.see('it drains', (it) => it.instances.every(({ state }) => state === 'draining'));
    await world.succeed('stop', 'worker', '--now');
    expect((await patient.ended).code).toBe(EXIT.done);
    expect((await world.instance('worker:0')).state).toBe('stopped');
  });
});
