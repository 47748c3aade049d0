import { join } from 'node:path';
import { describe, expect, it, type TestContext } from 'vitest';
import { fill } from '../../src/example/fill.ts';
import { describe as describeTally, tally } from '../../src/example/tally.ts';
import { fileQueue } from './build.ts';
import { type EventLog, fewestAvailable, followEvents, succeededRollouts, turnsOf } from './event-log.ts';
import { kill } from './processes.ts';
import { until } from './until.ts';
import { createWorld, type Program, type World } from './world.ts';

const MIN_HEALTHY_MS = 500;
const JOBS = 200;
/** So many that are waiting last for as long as it takes to look again. */
const FEW = 24;
const SECONDS = { min: 0.5, max: 1.5 };
const GROUP = { shared: 'the group of their runner', own: 'a group of their own' };

const worker = (dir: string, jobGroup: JobGroup): Program => ({
  command: fileQueue(dir, '--parallel', '2', '--job-group', jobGroup),
  instances: 4,
  ready: { when: 'notify', timeout: '20s' },
  drain: { timeout: '1m' },
  backoff: 'none',
  rollout: { min_healthy_time: `${MIN_HEALTHY_MS}ms` },
});

type JobGroup = keyof typeof GROUP;

async function fleet(
  { onTestFinished }: TestContext,
  jobGroup: JobGroup,
): Promise<{ world: World; queue: string; log: EventLog }> {
  const world = createWorld();
  onTestFinished(() => world.close());
  const queue = join(world.dir, 'queue');
  world.configure({ worker: worker(queue, jobGroup) });
  await world.succeed('start');
  return { world, queue, log: followEvents(world.socket()) };
}

/** Works 200 jobs and more through while everything that an operator does in a day is done to the fleet. */
async function aDay(test: TestContext, jobGroup: JobGroup): Promise<{ queue: string; log: EventLog }> {
  const { world, queue, log } = await fleet(test, jobGroup);
  fill(queue, JOBS, SECONDS);
  // The jobs must outlast the restarts, or nothing is shown; how long those take is up to the machine.
  const feeding = setInterval(() => {
    if (tally(queue).waiting < FEW) fill(queue, 2 * FEW, SECONDS);
  }, 200);
  test.onTestFinished(() => clearInterval(feeding));
  await world.succeed('rolling-restart', 'worker');
  await world.succeed('restart', 'worker');
  await world.succeed('rolling-restart', 'worker');
  await world.succeed('stop', 'worker');
  expect(world.ofInstances()).toHaveLength(0);
  await world.succeed('start', 'worker');
  await world.succeed('rolling-restart', 'worker');
  clearInterval(feeding);
  await until('every job is done', () => tally(queue).missing.length === 0, {
    timeoutMs: 90_000,
    everyMs: 200,
    seen: () => describeTally(tally(queue)),
  });
  await world.succeed('shutdown');
  expect(world.left()).toEqual([]);
  await log.close();
  return { queue, log };
}

describe.concurrent(`while three rolling restarts, a restart, a stop and a start pass over ${JOBS} jobs and more`, () => {
  for (const jobGroup of ['shared', 'own'] as const) {
    it(`every job is done exactly once where job children have ${GROUP[jobGroup]}`, {
      timeout: 150_000,
    }, async (test) => {
      const { queue, log } = await aDay(test, jobGroup);
      const { jobs } = tally(queue);
      expect(jobs).toBeGreaterThanOrEqual(JOBS);
      expect(tally(queue)).toEqual({
        jobs,
        begun: jobs,
        done: jobs,
        interrupted: 0,
        doneTwice: [],
        missing: [],
        waiting: 0,
        underWay: 0,
      });
      expectOrderlyRollouts(log);
    });
  }
});

function expectOrderlyRollouts(log: EventLog): void {
  const rollouts = succeededRollouts(log);
  expect(rollouts).toHaveLength(3);
  for (const rollout of rollouts) {
    expect(fewestAvailable(log, rollout), 'available at any time').toBe(3);
    const turns = turnsOf(log, rollout);
    expect(turns.map((turn) => turn.instance).sort()).toEqual([
      'worker:0',
      'worker:1',
      'worker:2',
      'worker:3',
    ]);
    turns.forEach((turn, n) => {
      const previous = turns[n - 1];
      // Each comparison is false for a step that never happened (NaN).
      expect(turn.gone >= turn.signalled && turn.spawned >= turn.gone && turn.ready >= turn.spawned).toBe(
        true,
      );
      if (previous) expect(turn.signalled - previous.ready).toBeGreaterThanOrEqual(MIN_HEALTHY_MS);
    });
  }
}

describe('the control', () => {
  it('a signal to the whole group does cut jobs of the same fleet', { timeout: 60_000 }, async (test) => {
    const { world, queue, log } = await fleet(test, 'shared');
    const pids = (await world.status()).instances.flatMap(({ pid }) => pid ?? []);
    fill(queue, 16, { min: 1, max: 3 });
    // The queue itself is asked, as the first jobs may be done before a command of a busy machine has answered.
    await until('all are at work', () => tally(queue).begun >= 8);
    for (const pid of pids) kill(-pid, 'SIGTERM');
    await until('all others are done', () => tally(queue).waiting + tally(queue).underWay === 0, {
      timeoutMs: 30_000,
    });
    await log.close();
    const { interrupted, missing, done } = tally(queue);
    expect(interrupted).toBe(8);
    expect(missing).toHaveLength(8);
    expect(done).toBe(8);
  });
});
