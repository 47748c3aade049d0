import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
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

describe.concurrent('a rolling restart', { timeout: 60_000 }, () => {
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

  it('is not held up for ever by an instance that was given up: it takes that first, or pauses and says what to do', async (test) => {
    const world = newWorld(test);
    const script = '[ -e dead$TSUP_VISOR_INDEX ] && exit 9; echo READY=1 >&3; exec sleep 1000';
    const mortal = {
      ...steady,
      command: ['bash', '-c', script],
      backoff: { initial: '50ms', give_up_after: 2 },
    };
    world.configure({ ...four(mortal), other: steady });
    await world.succeed('start');
    writeFileSync(join(world.dir, 'dead3'), '');
    const pid = pids(await world.status())[3];
    if (typeof pid === 'number') process.kill(pid, 'SIGKILL');
    await world.see('it is given up', ({ instances }) => instances[3]?.state === 'failed');

    const { code, stdout } = await world.cli('rolling-restart', 'worker:0');
    expect(code, stdout).toBe(1);
    expect(stdout).toMatch(/is paused after 0 of 1: worker:3 exited with code 9 after .*; given up/);
    expect(stdout).toMatch(/tsup-visor[^"]* logs worker:3.*tsup-visor[^"]* start worker:3/s);

    // The paused rollout is in nobody's way but its own.
    world.configure({ ...four(mortal), other: { ...steady, max_age: '1h' } });
    await world.succeed('reload');
    world.configure({ ...four({ ...mortal, command: steady.command }), other: { ...steady, max_age: '1h' } });
    const dry = await world.cli('reload', '--dry-run');
    expect(dry.code).toBe(6);
    expect(dry.stdout).toMatch(/^worker: would restart 4 instances, in this order: worker:3, worker:0-2$/m);
    const refused = await world.cli('reload');
    expect(refused.code).toBe(6);
    expect(refused.stderr).toMatch(/rollout 1 of worker is paused, and the config changes its command/);

    await world.succeed('rollout', 'abort');
    const log = followEvents(world.socket());
    await world.succeed('rolling-restart', 'worker');
    await log.close();
    const begun = log.of('turn').filter(({ step }) => step === 'draining' || step === 'starting');
    expect(begun[0]?.instance, 'the one that was given up').toBe('worker:3');
    expect((await world.cli('status')).code).toBe(0);
  });

  it('goes on and ends when Ctrl-C ends the watching', async (test) => {
    const world = newWorld(test);
    // Held, so that it is not over before a busy machine has come to end the watching.
    const rollout = { min_healthy_time: '200ms', canary: 1, canary_hold: 'manual' };
    world.configure(four({ ...steady, rollout }));
    await world.succeed('start');
    const before = pids(await world.status());
    const log = followEvents(world.socket());
    const watching = world.begin('rolling-restart', 'worker');
    await watching.prints(/worker:0 is done/);
    watching.child.kill('SIGINT');

    expect((await watching.ended).code).toBe(130);
    const { state } = (await world.status()).rollouts[0] ?? {};
    expect(state, 'while nobody watches').toBe('running');
    await world.succeed('rollout', 'promote');
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
