import { describe, expect, it, type TestContext } from 'vitest';
import { followEvents } from './event-log.ts';
import { kill } from './processes.ts';
import { KINDS_OF_CHILDREN, leavesChildren, steady } from './puppets.ts';
import { until } from './until.ts';
import { createWorld, type World } from './world.ts';

async function started({ onTestFinished }: TestContext): Promise<World> {
  const world = createWorld();
  onTestFinished(() => world.close());
  world.configure({ rude: leavesChildren, steady: { ...steady, instances: 2 } });
  await world.succeed('start');
  return world;
}

/** The kinds of children that live, in the order in which they are listed above. */
const children = (world: World): string[] => {
  const commands = world.ofInstances().map((it) => it.command);
  return KINDS_OF_CHILDREN.filter((kind) => commands.some((command) => command.endsWith(kind)));
};

describe.concurrent('children that ignore TERM, have a group or a session of their own, or were forked twice', () => {
  it('are gone after stop', async (test) => {
    const world = await started(test);
    expect(children(world)).toEqual(KINDS_OF_CHILDREN);
    await world.succeed('stop', 'rude');
    expect(children(world)).toEqual([]);
    expect(world.ofInstances()).toHaveLength(2);
  });

  for (const args of [['shutdown'], ['shutdown', '--now'], ['shutdown', '--timeout', '200ms']]) {
    it(`are gone, with everything else, after ${args.join(' ')}`, async (test) => {
      const world = await started(test);
      await world.succeed(...args);
      expect(world.left()).toEqual([]);
    });
  }

  it('are gone before the next run starts when their leader crashes', async (test) => {
    const world = await started(test);
    const { pid, run } = await world.instance('rude:0');
    const log = followEvents(world.socket());
    kill(pid ?? 0, 'SIGKILL');
    await log.sees(
      'the next run',
      (it) => it.type === 'spawned' && it.instance === 'rude:0' && it.run !== run,
    );
    expect(world.ofRun(run)).toEqual([]);
    const ends = log.all.filter((it) => 'run' in it && it.run === run).map((it) => it.type);
    expect(ends.at(-1)).toBe('gone');
    await world.see('it is ready again', ({ instances }) => instances.every((it) => it.ready));
    expect(children(world)).toEqual(KINDS_OF_CHILDREN);
    await log.close();
  });

  it('are gone, and so is the fleet, after TERM to the daemon', async (test) => {
    const world = await started(test);
    kill((await world.status()).daemon.pid, 'SIGTERM');
    await until('nothing is left', () => world.processes().length === 0);
  });
});
