/**
 * A week of deploys: forty workers of the example's queue, a thousand jobs, a release that is good, one that dies after
 * two seconds, one that fails each job, and a good one again whose daemon is killed three times on the way.
 */
import { mkdirSync, readFileSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Client, connect } from '../../src/client/index.ts';
import { fill } from '../../src/example/fill.ts';
import { folders } from '../../src/example/queue.ts';
import { tally } from '../../src/example/tally.ts';
import type { InstanceStatus, RolloutStatus } from '../../src/protocol/status.ts';
import { ROOT } from './build.ts';
import { isRollout, said } from './builds.ts';
import { type EventLog, fewestAvailable, followEvents, succeededRollouts } from './event-log.ts';
import { ended } from './life.ts';
import { kill } from './processes.ts';
import { until } from './until.ts';
import { createWorld, type Program, type World } from './world.ts';

const INSTANCES = 40;
const CANARIES = 2;
const PARALLEL = 4;
const JOBS = { good: 360, dies: 60, fails: 180, crashed: 400 };
const SECONDS = { min: 0.5, max: 1.3 };

/** What lies in `worker.sh` of a release. */
const GOOD = `exec ${process.execPath} ${join(ROOT, 'dist/example/file-queue.js')} --dir "$QUEUE" --parallel 1`;
const DIES = 'echo READY=1 >&3; sleep 2; exit 3';
const FAILS = `exec ${join(ROOT, 'test/fixtures/fails-each-job.sh')} "$QUEUE"`;

/** Waits for the first thing that the new run does to a job, and says whether that went well. */
const CHECK = `me=$TSUP_VISOR_INSTANCE.$TSUP_VISOR_RUN
until grep -q "^$me$" "$QUEUE/failures"; do
  grep -q "\\"done\\".*\\"$TSUP_VISOR_INSTANCE\\",\\"run\\":\\"$TSUP_VISOR_RUN\\"" "$QUEUE/ledger.ndjson" && exit 0
  sleep 0.05
done
echo "$me fails its jobs"; exit 1`;

describe('forty workers, a thousand jobs and four releases', { timeout: 60_000 }, () => {
  let world: World;
  let queue: string;
  let client: Client;
  let log: EventLog;

  beforeAll(async () => {
    world = createWorld();
    queue = join(world.dir, 'queue');
    mkdirSync(queue);
    writeFileSync(join(queue, 'failures'), '');
    release(41, GOOD);
    configure();
    fill(queue, JOBS.good, SECONDS);
    await world.succeed('start');
    listen();
  });
  afterAll(async () => {
    await log?.close();
    await world?.close();
  });

  /** As a deploy does it: a folder of its own, and then the link in one step. */
  function release(number: number, script: string): void {
    const folder = join(world.dir, 'releases', String(number));
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'worker.sh'), `${script}\n`);
    symlinkSync(folder, join(world.dir, 'next'));
    renameSync(join(world.dir, 'next'), join(world.dir, 'current'));
  }

  function configure(rollout: Program = {}): void {
    const policy = { max_parallel: PARALLEL, canary: CANARIES, canary_hold: '3s', min_healthy_time: '200ms' };
    world.configure({
      worker: {
        command: ['bash', 'worker.sh'],
        directory: 'current',
        environment: { QUEUE: queue },
        instances: INSTANCES,
        ready: { when: 'notify', timeout: '20s' },
        drain: { timeout: '30s' },
        backoff: { initial: '100ms', give_up_after: 3 },
        rollout: { ...policy, ...rollout },
      },
    });
  }

  function listen(): void {
    client = connect(world.socket());
    log = followEvents(world.socket());
  }

  const instances = async (): Promise<readonly InstanceStatus[]> =>
    (await client.status({ usage: false })).instances;
  const runs = async (): Promise<(number | null)[]> => (await instances()).map(({ run }) => run);
  const last = async (): Promise<RolloutStatus> => {
    const rollout = (await client.rollouts()).rollouts.toSorted((a, b) => a.id - b.id).at(-1);
    if (rollout === undefined) throw new Error('there is no rollout');
    return rollout;
  };
  const releases = (): string[] => {
    const leaders = world.ofInstances().filter(({ environment }) => environment.includes('TSUP_VISOR_RUN='));
    return [...new Set(leaders.flatMap(({ environment }) => /\0PWD=([^\0]*)/.exec(environment)?.[1] ?? []))];
  };
  /** The runs that are other than before. */
  const touched = async (before: readonly (number | null)[]): Promise<number> =>
    (await runs()).filter((run, n) => run !== before[n]).length;

  it('a good release comes to all of them, four at a time, after the canary', async () => {
    const before = await runs();
    release(42, GOOD);
    const seen = await world.cli('rolling-restart', 'worker', '--reason', 'release 42');
    expect(seen.code, said(seen)).toBe(0);
    expect(await touched(before)).toBe(INSTANCES);
    const [span] = succeededRollouts(log);
    if (span === undefined) throw new Error('no rollout has succeeded');
    expect(fewestAvailable(log, span)).toBeGreaterThanOrEqual(INSTANCES - PARALLEL);
    expect(await last()).toMatchObject({ state: 'succeeded', done: INSTANCES, failures: 0 });
  });

  it('one that dies after two seconds does not get beyond the canary, and is taken back', async () => {
    fill(queue, JOBS.dies, SECONDS);
    const before = await runs();
    release(43, DIES);
    const seen = await world.cli('rolling-restart', 'worker', '--reason', 'release 43');
    expect(seen.code, said(seen)).toBe(1);
    expect(await last()).toMatchObject({ state: 'paused' });
    expect(await touched(before)).toBeLessThanOrEqual(CANARIES);
    await world.succeed('rollout', 'revert');
    await log.sees('it is taken back', isRollout('reverted', 2), 30_000);
    const whole = async () => (await instances()).every(({ ready }) => ready);
    await until('all of them work', whole);
    expect(await touched(before)).toBeLessThanOrEqual(CANARIES);
  });

  it('one that fails each job is found out by the check, and goes back by itself', async () => {
    const before = await runs();
    release(44, FAILS);
    const check = { exec: ['sh', '-c', CHECK], timeout: '20s' };
    configure({ check, on_failure: 'revert' });
    const watching = world.begin('rolling-restart', 'worker', '--reason', 'release 44');
    await log.sees('the check', (it) => it.type === 'turn' && it.step === 'checking', 30_000);
    fill(queue, JOBS.fails, SECONDS);
    const seen = await watching.ended;
    expect(seen.code, said(seen)).toBe(1);
    await log.sees('it is taken back', isRollout('reverted', 3), 30_000);
    expect(readFileSync(join(queue, 'failures'), 'utf8')).not.toBe('');
    expect(await touched(before)).toBeLessThanOrEqual(CANARIES);
    expect((await instances()).filter(({ ready }) => !ready)).toEqual([]);
    expect(releases()).toEqual([join(world.dir, 'releases/42')]);

    const back = await instances();
    await killDaemon(); // the next one finds the link at the release that was taken back
    const same = ({ run, revision }: InstanceStatus) => ({ run, revision });
    expect((await instances()).map(same)).toEqual(back.map(same));
  });

  it('a good one arrives although the daemon is killed three times on the way', async () => {
    fill(queue, JOBS.crashed, SECONDS);
    configure();
    const before = await runs();
    release(45, GOOD);
    await world.succeed('rolling-restart', 'worker', '--detach', '--reason', 'release 45');
    for (const done of [1, 12, 25]) {
      const isSo = async () => (await last()).done >= done;
      await until(`${done} turns are over`, isSo, { timeoutMs: 30_000 });
      await killDaemon();
    }
    const seen = await world.cli('rollout', 'wait', '--timeout', '40s');
    expect(seen.code, said(seen)).toBe(0);
    expect(await last()).toMatchObject({ state: 'succeeded', done: INSTANCES });
    expect(await touched(before)).toBe(INSTANCES);
  });

  async function killDaemon(): Promise<void> {
    const { pid } = (await client.status({ usage: false })).daemon;
    await log.close();
    kill(pid, 'SIGKILL');
    await ended(pid);
    await world.succeed('start', '--no-wait');
    listen();
  }

  it('every job of the thousand was done exactly once, and every process is of the last release', async () => {
    const isOver = (): boolean => tally(queue).missing.length === 0;
    await until('the queue is worked off', isOver, {
      timeoutMs: 40_000,
      seen: () => JSON.stringify(tally(queue)),
    });
    const all = Object.values(JOBS).reduce((a, b) => a + b, 0);
    expect(all).toBe(1000);
    expect(tally(queue)).toMatchObject({
      jobs: 1000,
      begun: 1000,
      done: 1000,
      interrupted: 0,
      doneTwice: [],
    });
    expect(readFileSync(folders(queue).ledger, 'utf8')).not.toBe('');
    expect(releases()).toEqual([join(world.dir, 'releases/45')]);
    const { stdout } = await world.succeed('rollout', 'history');
    expect(stdout).toMatch(/release 42/);
    await world.succeed('shutdown');
    expect(world.left()).toEqual([]);
  });
});
