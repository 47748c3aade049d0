/** What other supervisors do wrong with their config. One line of the list, one test; each is red with the defect put in. */
import { execFile } from 'node:child_process';
import { mkdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it, type TestContext } from 'vitest';
import { changedKeys } from '../../src/core/change.ts';
import type { ProgramPlan } from '../../src/core/plan.ts';
import { PROGRAM } from '../core/rig.ts';
import { ROOT } from './build.ts';
import { steady } from './puppets.ts';
import { awaits, heeds, openScene, READY, type Scene } from './scene.ts';
import { createWorld, type Program, type World } from './world.ts';

type Programs = Readonly<Record<string, Program>>;

/** A daemon of its own: a reload is about all of the file. */
async function alone({ onTestFinished }: TestContext, programs: Programs): Promise<Scene> {
  const scene = await openScene(programs);
  onTestFinished(() => scene.close());
  return scene;
}

/** What `config check` says of these programs. */
async function checked({ onTestFinished }: TestContext, programs: Programs) {
  const world = createWorld();
  onTestFinished(() => world.close());
  world.configure(programs);
  return world.cli('config', 'check');
}

/** Takes the file on, in rolling restarts that are waited for. */
const reload = ({ world }: Scene, programs: Programs) => {
  world.configure(programs);
  return world.succeed('reload');
};

const idle: Program = { ...steady, command: heeds() };
const runs = async ({ client }: Scene) =>
  (await client.status({ usage: false })).instances.map(({ id, run, pid }) => `${id} ${run} ${pid}`);

describe.concurrent('config', { timeout: 60_000 }, () => {
  it('mistyped keys are not silently accepted: they are named, with the likely one, and nothing changes', async (test) => {
    const scene = await alone(test, { worker: idle });
    await scene.ready('worker:0');
    const before = await runs(scene);
    scene.world.configure({ worker: { ...idle, instnaces: 3, drain: { timout: '5s' } } });
    for (const args of [
      ['config', 'check'],
      ['reload'],
      ['rolling-restart', 'worker'],
      ['restart', 'worker'],
    ]) {
      const { code, stdout, stderr } = await scene.world.cli(...args);
      expect(code, args.join(' ')).toBe(5);
      expect(stdout + stderr, args.join(' ')).toContain('"instnaces"; did you mean "instances"?');
      expect(stdout + stderr, args.join(' ')).toContain('"timout"; did you mean "timeout"?');
    }
    expect(await runs(scene)).toEqual(before);
  });

  it('scaling 3 to 4 does not restart every member', async (test) => {
    const three = { worker: { ...idle, instances: 3 } };
    const scene = await alone(test, three);
    for (const index of [0, 1, 2]) await scene.ready(`worker:${index}`);
    const before = await runs(scene);
    await reload(scene, { worker: { ...idle, instances: 4 } });
    await scene.ready('worker:3');
    expect((await runs(scene)).slice(0, 3)).toEqual(before);
    await scene.client.scale({ counts: { worker: 5 } });
    expect((await runs(scene)).slice(0, 3)).toEqual(before);
    await reload(scene, three);
    await scene.sees('gone', 'worker:3');
    expect(await runs(scene)).toEqual(before);
    expect(scene.log.of('signalled').map(({ instance }) => instance)).not.toContain('worker:0');
  });

  it('no hand-kept list of compared fields misses some: a change anywhere in a program is seen', () => {
    for (const [key, value] of Object.entries(PROGRAM)) {
      if (key === 'revision') continue; // follows from the others
      for (const other of variantsOf(value)) {
        const after: ProgramPlan = { ...PROGRAM, [key]: other };
        expect(changedKeys(PROGRAM, after), `${key}: ${JSON.stringify(other)}`).toEqual([key]);
      }
    }
  });

  it('reload ignores neither script nor directory nor mode, and keeps no removed environment key', async (test) => {
    const waits = (seconds: number) => `bash -c "${READY}; exec sleep ${seconds}"`;
    // As a line of words, `true` is nobody's; to a shell it is a second command, for which the shell stays.
    const mode = { ...steady, command: `${waits(1000)}; true` };
    const before = {
      script: { ...steady, command: waits(1000) },
      directory: idle,
      mode,
      environment: { ...idle, environment: { KEPT: '1', REMOVED: '1' } },
    };
    const scene = await alone(test, before);
    for (const name of Object.keys(before)) await scene.ready(`${name}:0`);
    await reload(scene, {
      script: { ...steady, command: waits(1001) },
      directory: { ...idle, directory: '/' },
      mode: { ...mode, shell: true },
      environment: { ...idle, environment: { KEPT: '1' } },
    });
    const pid = async (name: string) => (await scene.ready(`${name}:0`)).pid;
    expect(argvOf(await pid('script'))).toBe('sleep 1001');
    expect(readlinkSync(`/proc/${await pid('directory')}/cwd`)).toBe('/');
    expect(argvOf(await pid('mode'))).toMatch(/^\/bin\/sh -c bash/);
    const environment = environmentOf(await pid('environment'));
    expect([environment.get('KEPT'), environment.get('REMOVED')]).toEqual(['1', undefined]);
  });

  it("reload does not leak the operator's shell into the program", async (test) => {
    const scene = await alone(test, { worker: idle });
    await scene.ready('worker:0');
    const programs = { worker: { ...idle, environment: { NEW: 'yes' } }, added: idle };
    scene.world.configure(programs);
    await asOperator(scene.world, 'reload');
    const [{ pid }, added] = [await scene.ready('worker:0'), await scene.ready('added:0')];
    await asOperator(scene.world, 'restart', 'added');
    const again = await scene.ready('added:0', added.run);
    for (const each of [pid, again.pid]) {
      const environment = environmentOf(each);
      expect(environment.get('TV_TEST')).toBe(scene.world.dir);
      expect(environment.get('OF_THE_OPERATOR')).toBeUndefined();
    }
    expect(environmentOf(pid).get('NEW')).toBe('yes');
  });

  it("the app's environment and the supervisor's options do not share one namespace", async (test) => {
    const environment = {
      instances: '7',
      command: 'true',
      restart: 'never',
      user: 'nobody',
      autostart: 'false',
    };
    const scene = await alone(test, { worker: { ...idle, environment } });
    const given = environmentOf((await scene.ready('worker:0')).pid);
    for (const [name, value] of Object.entries(environment)) expect(given.get(name), name).toBe(value);
    expect(await runs(scene)).toHaveLength(1);
    const among = await checked(test, { worker: { ...idle, LOG_LEVEL: 'debug' } });
    expect(among.code, 'a variable among the options').toBe(5);
    const ours = await checked(test, { worker: { ...idle, environment: { TSUP_VISOR_RUN: '9' } } });
    expect(ours.code, 'a name that is ours').toBe(5);
  });

  it('reload does not start what the operator had stopped', async (test) => {
    const two = { ...idle, instances: 2 };
    const scene = await alone(test, { stopped: two, grown: two, other: idle });
    await scene.ready('other:0');
    await scene.client.stop({ selectors: ['stopped', 'grown'] });
    const changed = { environment: { NEW: 'yes' } };
    await reload(scene, {
      stopped: { ...two, ...changed, priority: 1 },
      grown: { ...two, ...changed, instances: 3 },
      other: { ...idle, ...changed },
    });
    const { instances } = await scene.client.status({ usage: false });
    const states = instances.map(({ program, state }) => `${program} ${state}`);
    expect(states.slice(0, 5)).toEqual([
      ...Array(2).fill('stopped stopped'),
      ...Array(3).fill('grown stopped'),
    ]);
    await scene.client.start({ selectors: ['stopped:0'] });
    expect(environmentOf((await scene.ready('stopped:0')).pid).get('NEW')).toBe('yes');
  });

  it('a dependency list does not only order spawns: it waits until what is needed is ready', async (test) => {
    const db = { ...steady, command: heeds({}, `touch db-begun; ${awaits('db-go')}; ${READY}`) };
    const app = { ...idle, depends_on: { db: 'ready' } };
    const scene = await alone(test, { app, db });
    await scene.made('db-begun');
    const { state, message } = await scene.now('app:0');
    expect({ state, message }).toMatchObject({ state: 'waiting', message: expect.stringContaining('db') });
    expect(scene.of('spawned', 'app:0')).toEqual([]);
    scene.touch('db-go');
    await scene.ready('app:0');
    const ready = await scene.sees('ready', 'db:0');
    expect((await scene.sees('spawned', 'app:0')).seq).toBeGreaterThan(ready.seq);
  });

  it('a cycle does not loop for ever: it is refused, with its path', async (test) => {
    const { code, stdout, stderr } = await checked(test, {
      a: { ...idle, depends_on: ['b'] },
      b: { ...idle, depends_on: { c: 'started' } },
      c: { ...idle, depends_on: { a: 'ready' } },
    });
    expect(code).toBe(5);
    expect(stdout + stderr).toMatch(/a → b → c → a|a -> b -> c -> a|b → c → a → b|c → a → b → c/);
  });

  it('two instances sharing one log would evict each other’s lines: refused', async (test) => {
    const within = await checked(test, { worker: { ...idle, instances: 2, logs: { stdout: 'shared.log' } } });
    expect(within.code).toBe(5);
    expect(within.stdout + within.stderr).toMatch(/shared\.log/);
    const across = await checked(test, {
      one: { ...idle, logs: { stdout: 'shared.log' } },
      two: { ...idle, logs: { stdout: './sub/../shared.log' } },
    });
    expect(across.code).toBe(5);
    const schedule = { cron: '@daily', overlap: 'allow' };
    const inTime = await checked(test, {
      job: { ...idle, restart: 'never', schedule, logs: { stdout: 'shared.log' } },
    });
    expect(inTime.code, 'one that may come while the last still works').toBe(5);
    const apart = { ...idle, instances: 2, logs: { stdout: 'log-{{index}}' } };
    expect(await checked(test, { worker: apart })).toMatchObject({ code: 0 });
  });
});

const argvOf = (pid: number | null): string =>
  readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').slice(0, -1).join(' ');

function environmentOf(pid: number | null): ReadonlyMap<string, string> {
  const pairs = readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0').slice(0, -1);
  return new Map(pairs.map((pair) => [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)]));
}

/** The command in a shell that has more in its environment, and stands somewhere else. */
async function asOperator(world: World, ...args: string[]): Promise<void> {
  const cwd = join(world.dir, 'elsewhere');
  mkdirSync(cwd, { recursive: true });
  const config = join(world.dir, 'supervisor.yaml');
  const env = { ...process.env, OF_THE_OPERATOR: 'secret', TV_TEST: cwd };
  await promisify(execFile)(process.execPath, [join(ROOT, 'bin/tsup-visor.js'), '-c', config, ...args], {
    cwd,
    env,
  });
}

/** Other values of the same kind: each differs in one place, however deep. */
function variantsOf(value: unknown): unknown[] {
  if (typeof value === 'number') return [value + 1];
  if (typeof value === 'boolean') return [!value];
  if (typeof value === 'string') return [`${value}x`];
  if (value === null) return [1];
  if (Array.isArray(value)) {
    const deeper = value.flatMap((item, at) => variantsOf(item).map((other) => value.with(at, other)));
    return [[...value, 'x'], ...deeper];
  }
  const entries = Object.entries(value as object); // a plan holds plain values
  const deeper = entries.flatMap(([key, item]) =>
    variantsOf(item).map((other) => Object.assign({}, value, { [key]: other })),
  );
  return [Object.assign({}, value, { x: 1 }), ...deeper];
}
