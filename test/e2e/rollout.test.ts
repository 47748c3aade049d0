import { describe, expect, it, type TestContext } from 'vitest';
import type { StatusReply } from '../../src/protocol/status.ts';
import { followEvents } from './event-log.ts';
import { crashesAtOnce, neverReady, steady } from './puppets.ts';
import { createWorld, type Program, type World } from './world.ts';

function newWorld({ onTestFinished }: TestContext): World {
  const world = createWorld();
  onTestFinished(() => world.close());
  return world;
}

const four = (program: Program): Record<string, Program> => ({ worker: { ...program, instances: 4 } });
const pids = ({ instances }: StatusReply): (number | null)[] => instances.map((it) => it.pid);

describe.concurrent('a rolling restart', () => {
  for (const [what, bad] of Object.entries({
    'exits at once': crashesAtOnce,
    'never becomes ready': neverReady,
  })) {
    it(`pauses with one instance away when its replacement ${what}; mended, abort leaves a whole fleet`, async (test) => {
      const world = newWorld(test);
      world.configure(four(steady));
      await world.succeed('start');
      const before = pids(await world.status());

      world.configure(four(bad));
      const { code, stdout, stderr } = await world.cli('rolling-restart', 'worker');
      expect(code, stdout + stderr).toBe(1);
      const paused = await world.status();
      expect(paused.rollouts[0]).toMatchObject({ state: 'paused', done: 0, total: 4 });
      expect(paused.rollouts[0]?.reason).toMatch(/worker:\d/);
      const whole = paused.instances.filter((it) => it.ready && before.includes(it.pid));
      expect(whole, 'old ones that work on').toHaveLength(3);
      expect((await world.cli('status')).code).toBe(3);

      world.configure(four(steady));
      await world.succeed('rollout', 'abort');
      const mended = await world.see('the fleet is whole', (it) => it.instances.every(({ ready }) => ready));
      expect(mended.rollouts[0]?.state).toBe('aborted');
      expect(pids(mended).filter((pid) => before.includes(pid))).toHaveLength(3);
      expect((await world.cli('status')).code).toBe(0);
    });
  }

  it('goes on and ends when Ctrl-C ends the watching', async (test) => {
    const world = newWorld(test);
    world.configure(four({ ...steady, rollout: { min_healthy_time: '1s' } }));
    await world.succeed('start');
    const before = pids(await world.status());
    const log = followEvents(world.socket());
    const watching = world.begin('rolling-restart', 'worker');
    await log.sees('the first turn is over', (it) => it.type === 'turn' && it.step === 'done');
    watching.child.kill('SIGINT');

    expect((await watching.ended).code).toBe(130);
    const { state } = (await world.status()).rollouts[0] ?? {};
    expect(state, 'while nobody watches').toBe('running');
    await log.sees('the rollout ends', (it) => it.type === 'rollout' && it.state === 'succeeded');
    await log.close();
    const shown = await world.succeed('rollout', 'status');
    expect(shown.stdout).toMatch(/succeeded/);
    expect(pids(await world.status()).filter((pid) => before.includes(pid))).toEqual([]);
  });

  it('waits for a process that the leader has left behind before it starts the next', async (test) => {
    const world = newWorld(test);
    const script = '(sleep 1) & echo READY=1 >&3; exec sleep 1000';
    world.configure({ worker: { ...steady, instances: 2, command: ['bash', '-c', script] } });
    await world.succeed('start');
    const log = followEvents(world.socket());
    await world.succeed('rolling-restart', 'worker');
    await log.close();
    for (const gone of log.of('gone')) expect(gone).toMatchObject({ drained: true, killed: false });
    expect(log.of('gone')).toHaveLength(2);
  });
});
