import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, type TestContext } from 'vitest';
import { ROOT } from './build.ts';
import { ended } from './life.ts';
import { kill } from './processes.ts';
import { steady } from './puppets.ts';
import { until } from './until.ts';
import { createWorld, type World } from './world.ts';

function newWorld({ onTestFinished }: TestContext): World {
  const world = createWorld();
  onTestFinished(() => world.close());
  world.configure({ worker: { ...steady, instances: 4 } });
  return world;
}

const daemons = (world: World): number[] =>
  world
    .processes()
    .filter((it) => !it.environment.includes('TSUP_VISOR_RUN='))
    .map((it) => it.pid);

/** Instances of which more than one process lives. */
function twins(world: World): string[] {
  const names = world
    .ofInstances()
    .map((it) => /TSUP_VISOR_INSTANCE=([^\0]+)/.exec(it.environment)?.[1] ?? '?');
  return names.filter((name, n) => names.indexOf(name) !== n);
}

/** Whoever looks at the config for the first time is told to end. */
const TERM_AT_FIRST = `data:text/javascript,${encodeURIComponent(`
  import fs from 'node:fs';
  import { syncBuiltinESMExports } from 'node:module';
  const { statSync } = fs;
  fs.statSync = (path, ...rest) => {
    if (String(path).endsWith('supervisor.yaml')) {
      fs.statSync = statSync;
      syncBuiltinESMExports();
      process.kill(process.pid, 'SIGTERM');
    }
    return statSync(path, ...rest);
  };
  syncBuiltinESMExports();
`)}`;

describe.concurrent('the daemon', () => {
  it('is one, however many starts come at the same moment, and all of them succeed', async (test) => {
    const world = newWorld(test);
    const starts = await Promise.all([1, 2, 3, 4].map(() => world.cli('start')));
    expect(
      starts.map((it) => it.code),
      JSON.stringify(starts, null, 1),
    ).toEqual([0, 0, 0, 0]);
    // Whoever came second has said so, and may still be on its way out.
    await expect.poll(() => daemons(world).length, { timeout: 5000 }).toBe(1);
    expect(daemons(world)).toEqual([(await world.status()).daemon.pid]);
    expect(world.ofInstances()).toHaveLength(4);
    expect(twins(world)).toEqual([]);
  });

  it('killed and started again, has no second copy of anything alive at any moment', async (test) => {
    const world = newWorld(test);
    await world.succeed('start');
    const { daemon } = await world.status();
    kill(daemon.pid, 'SIGKILL');
    await ended(daemon.pid);
    expect((await world.cli('status')).code).toBe(4);

    let over = false;
    const again = world.succeed('start').finally(() => {
      over = true;
    });
    await until('the start is over, and meanwhile nothing is there twice', () => {
      expect(twins(world)).toEqual([]);
      return over;
    });
    await again;
    expect((await world.status()).daemon.pid).not.toBe(daemon.pid);
    expect(world.ofInstances()).toHaveLength(4);
    expect(twins(world)).toEqual([]);
    await world.succeed('shutdown');
    expect(world.left()).toEqual([]);
  });

  it('told to end before it is in charge, ends all that it takes up', async (test) => {
    const world = newWorld(test);
    await world.succeed('start');
    kill((await world.status()).daemon.pid, 'SIGKILL');
    await until('the daemon is gone', async () => (await world.cli('status')).code === 4);
    const program = [join(ROOT, 'dist/daemon.cjs'), '--config', join(world.dir, 'supervisor.yaml')];
    const env = { ...process.env, TV_TEST: world.dir };
    const child = spawn(process.execPath, ['--import', TERM_AT_FIRST, ...program], { env, stdio: 'ignore' });
    const gone = once(child, 'exit');
    expect(await gone).toEqual([0, null]);
    expect(world.left()).toEqual([]);
  });

  it('is found by a start that comes later, which leaves everything as it is', async (test) => {
    const world = newWorld(test);
    await world.succeed('start');
    const before = await world.status();
    await world.succeed('start');
    const after = await world.status();
    expect(after.daemon.pid).toBe(before.daemon.pid);
    expect(after.instances.map((it) => it.run)).toEqual(before.instances.map((it) => it.run));
  });

  it('is one to a config file, also when that gives it another name by now', async (test) => {
    const world = newWorld(test);
    await world.succeed('start');
    const { daemon } = await world.status();
    const elsewhere = { name: 'new', run_dir: `${world.dir}/new`, state_dir: `${world.dir}/new-state` };
    world.configure({ worker: { ...steady, instances: 4 } }, elsewhere);
    const second = await world.cli('start');
    expect(second.code).toBe(6);
    expect(second.stderr).toContain(
      `the daemon "e2e" (pid ${daemon.pid}) runs with this config file already`,
    );
    const inTheTerminal = await world.cli('start', '--foreground');
    expect({ code: inTheTerminal.code, stderr: inTheTerminal.stderr }).toEqual({
      code: 6,
      stderr: second.stderr,
    });
    expect(daemons(world)).toEqual([daemon.pid]);
    await world.succeed('shutdown');
    await world.succeed('start');
    expect((await world.status()).daemon.name).toBe('new');
  });

  it('can be ended whatever has become of its config file', async (test) => {
    const world = newWorld(test);
    await world.succeed('start');
    writeFileSync(`${world.dir}/supervisor.yaml`, '<<<<<<< HEAD\n\tprograms: [');
    expect((await world.status()).instances).toHaveLength(4);
    const { stderr } = await world.succeed('shutdown');
    expect(stderr).toMatch(
      /^tsup-visor: supervisor.yaml has \d mistakes?, see "tsup-visor -c \S+ config check"; /,
    );
    expect(world.left()).toEqual([]);
  });

  it('outlives the terminal: nothing of it is in the group or session of the command', async (test) => {
    const world = newWorld(test);
    const start = world.begin('start');
    expect((await start.ended).code).toBe(0);
    const sessions = new Set(world.processes().map((it) => it.session));
    expect(sessions.size, 'a session each for the daemon and four instances').toBe(5);
    for (const found of world.ofInstances())
      expect(found).toMatchObject({ session: found.pid, group: found.pid });
  });
});
