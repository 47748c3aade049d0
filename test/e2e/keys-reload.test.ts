import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { getPriority } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, type TestContext } from 'vitest';
import type { ReloadReply } from '../../src/protocol/replies.ts';
import { type Config, createWorld, type Fleet, openFleet } from './keys/fleet.ts';
import { allReady, look, runs, told } from './keys/own.ts';
import { heeds, READY, steady } from './keys/row.ts';
import type { World } from './world.ts';

async function opened(
  { onTestFinished }: TestContext,
  config: Config | ((world: World) => Config),
): Promise<Fleet> {
  const world = createWorld();
  onTestFinished(() => world.close());
  const made = typeof config === 'function' ? config(world) : config;
  const fleet = await openFleet(world, made);
  onTestFinished(() => fleet.close());
  const ids = Object.entries(made.programs).map(([name, { instances = 1 }]) => ({ name, instances }));
  await allReady(
    fleet,
    ids.flatMap(({ name, instances }) => [...Array(instances).keys()].map((at) => `${name}:${at}`)),
  );
  return fleet;
}

const file = ({ world }: Fleet): string => join(world.dir, 'supervisor.yaml');

/** Writes it without having it taken on. */
const write = (fleet: Fleet, programs: Config['programs']): void => {
  const config = JSON.parse(readFileSync(file(fleet), 'utf8'));
  writeFileSync(file(fleet), JSON.stringify({ ...config, programs }, null, 2));
};

const STUBBORN = { ...steady, command: heeds(READY, { TERM: ':', USR1: 'exit 0' }) };

describe.concurrent('reload', () => {
  it('leaves what an operator has stopped as it is, and its next start has the new config', async (test) => {
    const fleet = await opened(test, {
      programs: { worker: { ...steady, instances: 2, environment: { COLOUR: 'blue' } } },
    });
    await fleet.world.succeed('stop', 'worker:1');
    const reply = await fleet.change(({ programs, ...rest }) => ({
      ...rest,
      programs: {
        worker: { ...programs.worker, instances: 3, restart: 'on_failure', environment: { COLOUR: 'red' } },
      },
    }));
    expect(reply.changes.map(({ key, effect }) => `${key} ${effect}`)).toEqual([
      'instances live',
      'environment.COLOUR rolling',
      'restart live',
    ]);
    expect(reply.rollouts.map(({ turns }) => turns.map(({ instance }) => instance))).toEqual([['worker:0']]);
    await fleet.log.sees('it is rolled', (it) => it.type === 'rollout' && it.state === 'succeeded');
    await allReady(fleet, ['worker:0', 'worker:2']);
    expect((await look(fleet)).map(({ id, state }) => `${id} ${state}`)).toEqual([
      'worker:0 running',
      'worker:1 stopped',
      'worker:2 running',
    ]);
    await fleet.world.succeed('start', 'worker:1');
    for (const pid of Object.values(await runs(fleet))) {
      expect(readFileSync(`/proc/${pid}/environ`, 'latin1')).toContain('COLOUR=red');
    }
  });

  it('of a program that is stopped altogether begins nothing, and says when the change takes effect', async (test) => {
    const fleet = await opened(test, { programs: { worker: { ...steady, nice: 1 } } });
    await fleet.world.succeed('stop', 'worker');
    const reply = await fleet.change(({ programs, ...rest }) => ({
      ...rest,
      programs: { worker: { ...programs.worker, nice: 2 } },
    }));
    expect(reply).toMatchObject({ rollouts: [], skipped: [{ program: 'worker' }] });
    expect(reply.skipped[0]?.reason).toMatch(/stopped.*next start/);
    expect((await look(fleet))[0]?.state).toBe('stopped');
  });

  it('of a config with mistakes changes nothing, and says where all of them are', async (test) => {
    const fleet = await opened(test, { programs: { one: { ...steady, nice: 1 }, two: steady } });
    const before = await runs(fleet);
    const wholesome = readFileSync(file(fleet), 'utf8');
    write(fleet, { one: { ...steady, nice: 2, restrat: 'never', max_age: 'soon' } });
    const { code, stdout, stderr } = await fleet.world.cli('reload');
    expect(code, stdout).toBe(5);
    expect(stderr).toMatch(/supervisor\.yaml:\d+:\d+: .*restrat/);
    expect(stderr).toMatch(/supervisor\.yaml:\d+:\d+: .*max_age/);
    expect((await fleet.world.cli('reload', '--dry-run')).code).toBe(5);
    expect(await runs(fleet)).toEqual(before);
    writeFileSync(file(fleet), wholesome);
    expect(told(await fleet.change((config) => config))).toEqual({
      changes: [],
      added: [],
      removed: [],
      rolled: [],
    });
    // What comes next comes with what was there: nothing of the bad file was kept.
    process.kill(before['one:0'] ?? 0, 'SIGUSR1');
    await fleet.log.sees('it is back', (it) => it.type === 'ready' && it.run > 2);
    expect(getPriority((await runs(fleet))['one:0'] ?? 0)).toBe(1);
    expect((await fleet.world.cli('status')).code).toBe(0);
  });

  it('while a program that it would roll is being rolled is refused as a whole', async (test) => {
    const fleet = await opened(test, { programs: { worker: { ...STUBBORN, nice: 1 }, other: steady } });
    const before = await runs(fleet);
    await fleet.world.succeed('rolling-restart', 'worker', '--detach');
    write(fleet, { worker: { ...STUBBORN, nice: 2 }, other: { ...steady, instances: 2 } });
    const { code, stderr } = await fleet.world.cli('reload');
    expect(code).toBe(6);
    expect(stderr).toMatch(/worker/);
    expect(Object.keys(await runs(fleet))).toEqual(['worker:0', 'other:0']);
    process.kill(before['worker:0'] ?? 0, 'SIGUSR1');
    await fleet.log.sees('it ends well', (it) => it.type === 'rollout' && it.state === 'succeeded');
    await fleet.world.succeed('reload', '--detach');
    await allReady(fleet, ['other:0', 'other:1']);
    process.kill((await runs(fleet))['worker:0'] ?? 0, 'SIGUSR1');
    await fleet.log.sees(
      'the next one, too',
      (it) => it.type === 'rollout' && it.rollout === 2 && it.state === 'succeeded',
    );
  });

  it('--dry-run says the same and does nothing; said to people, each change is a line', async (test) => {
    const fleet = await opened(test, { programs: { worker: { ...steady, nice: 1 }, goes: steady } });
    const before = await runs(fleet);
    const changed = { ...steady, nice: 2, priority: 3, stop: { timeout: '3s' } };
    write(fleet, { worker: changed, comes: steady });
    const dry = await fleet.world.succeed('reload', '--dry-run');
    expect(dry.stdout.split('\n')).toEqual(
      expect.arrayContaining([
        '+ comes',
        '- goes',
        '~ worker: nice 1 -> 2 (by a rolling restart)',
        '~ worker: priority 0 -> 3 (now)',
        '~ worker: stop.timeout 2s -> 3s (at the next start)',
      ]),
    );
    expect(await runs(fleet)).toEqual(before);
    const { stdout } = await fleet.world.succeed('reload', '--dry-run', '--json');
    const said = (reply: ReloadReply) => [reply.added, reply.removed, reply.changes];
    const wet = JSON.parse((await fleet.world.succeed('reload', '--json')).stdout);
    expect(said(JSON.parse(stdout))).toEqual(said(wet));
    expect((await runs(fleet))['worker:0']).not.toBe(before['worker:0']);
  });

  it('with another run_dir in the file says that it is not applied, and start begins no second one', async (test) => {
    const fleet = await opened(test, { programs: { worker: steady } });
    const before = await runs(fleet);
    const config = JSON.parse(readFileSync(file(fleet), 'utf8'));
    config.supervisor.run_dir += '-2';
    writeFileSync(file(fleet), JSON.stringify(config));
    const { stdout } = await fleet.world.succeed('reload');
    expect(stdout).toMatch(/supervisor.run_dir .*-2 \(not before the daemon is started anew\)/);
    const { code, stderr } = await fleet.world.cli('start');
    expect(code).toBe(6);
    expect(stderr).toMatch(
      /the daemon "\S+" \(pid \d+\) runs with this config file already; end it first with/,
    );
    expect(await runs(fleet)).toEqual(before);
    expect(fleet.world.ofInstances()).toHaveLength(1);
  });

  it('is not needed for env_file, which each run reads anew', async (test) => {
    const variables = (world: World): string => join(world.dir, 'variables');
    const fleet = await opened(test, (world) => {
      writeFileSync(variables(world), 'COLOUR=blue\n');
      return { programs: { worker: { ...steady, env_file: 'variables' } } };
    });
    const colour = async () => {
      const environ = readFileSync(`/proc/${(await runs(fleet))['worker:0']}/environ`, 'latin1');
      return /\0(COLOUR=\w+)\0/.exec(environ)?.[1];
    };
    expect(await colour()).toBe('COLOUR=blue');
    appendFileSync(variables(fleet.world), 'COLOUR=red # later ones win\n');
    const reply = await fleet.change((config) => config);
    expect(reply.changes).toEqual([]);
    expect(await colour(), 'what runs keeps what it has').toBe('COLOUR=blue');
    process.kill((await runs(fleet))['worker:0'] ?? 0, 'SIGUSR1');
    await fleet.log.sees('it is back', (it) => it.type === 'ready' && it.run > 1);
    expect(await colour()).toBe('COLOUR=red');
  });
});
