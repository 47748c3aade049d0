/** The gate of the next run, as it waits beside a run that drains: it is no instance, and nothing is left of it. */
import { readdirSync } from 'node:fs';
import { describe, expect, it, type TestContext } from 'vitest';
import { whyNoCgroups } from '../os/cgroups.ts';
import { kill } from './processes.ts';
import { steady } from './puppets.ts';
import { awaits, heeds, openScene, type Scene } from './scene.ts';
import { until } from './until.ts';

const worker = {
  ...steady,
  instances: 2,
  command: heeds({ TERM: `${awaits('go')}; exit 0` }),
  drain: { timeout: '60s' },
  rollout: { min_healthy_time: '0s' },
};

async function started({ onTestFinished }: TestContext): Promise<Scene> {
  const scene = await openScene({ worker });
  onTestFinished(() => scene.close());
  await scene.ready('worker:0');
  await scene.ready('worker:1');
  return scene;
}

/** Processes that wait to become a run. */
const gates = ({ world }: Scene): number[] =>
  world
    .processes()
    .filter(({ environment }) => /\0TSUP_VISOR_MARK=\w+:gate-\d+/.test(`\0${environment}`))
    .map(({ pid }) => pid);

const restart = async (scene: Scene, id: string): Promise<number> => {
  await scene.client.restart({ selectors: [id], wait: false });
  await scene.see(id, 'it drains', ({ state }) => state === 'draining');
  return until('a gate waits', () => gates(scene)[0]);
};

describe.skipIf(whyNoCgroups !== null).concurrent('the gate of the next run', () => {
  it('becomes the next run, and a rolling restart leaves nothing of any', async (test) => {
    const scene = await started(test);
    scene.touch('go');
    await scene.world.succeed('rolling-restart', 'worker'); // whatever is made once for all is there
    const { daemon } = await scene.client.status();
    const descriptors = (): number => readdirSync(`/proc/${daemon.pid}/fd`).length;
    const before = { descriptors: descriptors(), processes: scene.world.left().length };
    await scene.world.succeed('rolling-restart', 'worker');
    await until('nothing more is there than before', () => descriptors() <= before.descriptors);
    expect(scene.world.left()).toHaveLength(before.processes);
    expect(gates(scene)).toEqual([]);
    expect((await scene.now('worker:0')).run).toBe(5);
    expect((await scene.now('worker:1')).run).toBe(6);
  });

  it('is there while the old one drains, counts for none, and has the pid of the next', async (test) => {
    const scene = await started(test);
    const gate = await restart(scene, 'worker:0');
    expect(scene.world.ofInstances()).toHaveLength(2);
    const { instances } = await scene.client.status({ usage: true });
    expect(instances.map(({ processes }) => processes)).toEqual([1, 1]);
    scene.touch('go');
    expect(await scene.ready('worker:0', 1)).toMatchObject({ pid: gate, run: 3 });
  });

  it('goes when the instance is stopped after all', async (test) => {
    const scene = await started(test);
    await restart(scene, 'worker:0');
    await scene.client.stop({ selectors: ['worker:0'], wait: false });
    await until('the gate is gone', () => gates(scene).length === 0);
    scene.touch('go');
    await scene.see('worker:0', 'it is stopped', ({ state }) => state === 'stopped');
    await scene.world.succeed('start', 'worker:0');
    expect((await scene.now('worker:0')).run).toBe(4);
  });

  it('goes with a daemon that is killed, and the next one begins that run under another number', async (test) => {
    const scene = await started(test);
    const before = await scene.now('worker:0');
    await restart(scene, 'worker:0');
    const { daemon } = await scene.client.status();
    kill(daemon.pid, 'SIGKILL');
    await until('the gate is gone', () => gates(scene).length === 0);
    await scene.world.succeed('start', '--no-wait');
    await scene.see(
      'worker:0',
      'it drains on',
      ({ state, pid }) => state === 'draining' && pid === before.pid,
    );
    expect(scene.world.ofInstances()).toHaveLength(2);
    scene.touch('go');
    const next = await scene.ready('worker:0', before.run);
    expect(next.run).toBeGreaterThan(3);
    expect(scene.world.ofInstances()).toHaveLength(2);
  });
});
