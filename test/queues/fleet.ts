/** Four instances of an example that are restarted one after another, three times, while jobs go through. */
import { join } from 'node:path';
import { expect, type TestContext } from 'vitest';
import { EXIT } from '../../src/runner/index.ts';
import { ROOT } from '../e2e/build.ts';
import { succeededRollouts } from '../e2e/event-log.ts';
import { openScene, type Scene } from '../e2e/scene.ts';
import { until } from '../e2e/until.ts';
import type { Program } from '../e2e/world.ts';
import { readJournal, type Stretch } from './journal.ts';

/** One job: `job.sh ID MS`. */
export interface Work {
  readonly id: number;
  readonly ms: number;
}

export interface Queue {
  /** The example that works on it. */
  readonly example: string;
  readonly environment: Readonly<Record<string, string>>;
  add(jobs: readonly Work[]): Promise<unknown>;
  /** How many are done, as the queue counts them. */
  done(): Promise<number>;
}

export const JOBS = 500;
const ROLLOUTS = 3;
const INSTANCES = 4;
const TURNS = ROLLOUTS * INSTANCES;
/** Handed over whenever an instance has become ready, so that the next one is asked to go with work before it. */
const EACH_TURN = 38;

/** Children of 50 to 300 ms. */
const WORK: readonly Work[] = Array.from({ length: JOBS }, (_, id) => ({ id, ms: 50 + ((id * 97) % 251) }));

const program = (
  { example, environment }: Pick<Queue, 'example' | 'environment'>,
  instances = INSTANCES,
): Program => ({
  command: [
    process.execPath,
    join(ROOT, 'test/queues/examples', `${example}.mjs`),
    join(ROOT, 'test/queues/job.sh'),
  ],
  environment: { ...environment, JOURNAL: 'journal' },
  instances,
  ready: { when: 'notify', timeout: '20s' },
  drain: { timeout: '20s' },
  stop: { timeout: '8s' },
  backoff: 'none',
  rollout: { min_healthy_time: '200ms' },
});

/**
 * Ends when all jobs are done and the fleet has been shut down. That each child was begun once, and none was cut, is
 * looked at here; what the queue has counted is for its own test to ask.
 */
export async function passRollingRestarts({ onTestFinished }: TestContext, queue: Queue): Promise<void> {
  const scene = await openScene({ worker: program(queue) });
  onTestFinished(() => scene.close());
  for (let n = 0; n < INSTANCES; n++) await scene.ready(`worker:${n}`);

  await restartWhileFeeding(scene, queue);
  const seen = () => readJournal(scene.path('journal')).length;
  await until('every job is done', async () => (await queue.done()) >= JOBS, {
    timeoutMs: 20_000,
    everyMs: 100,
    seen: () => `${seen()} begun`,
  });
  await scene.world.succeed('shutdown');
  expect(scene.world.left()).toEqual([]);
  expectNothingCut(scene);
}

async function restartWhileFeeding({ world, log }: Scene, queue: Queue): Promise<void> {
  const waiting = [...WORK];
  await queue.add(waiting.splice(0, JOBS - TURNS * EACH_TURN));
  const restarts = (async () => {
    for (let n = 0; n < ROLLOUTS; n++) await world.succeed('rolling-restart', 'worker');
  })();
  const failed = restarts.then(
    () => null,
    (error: unknown) => ({ error }),
  );
  for (let turn = 1; turn <= TURNS; turn++) {
    const isReady = until(`turn ${turn} is over`, () => log.of('ready').length >= INSTANCES + turn);
    const failure = await Promise.race([isReady, failed]);
    if (typeof failure === 'object') break;
    await queue.add(waiting.splice(0, EACH_TURN));
  }
  await restarts;
}

function expectNothingCut(scene: Scene): void {
  const { log } = scene;
  const journal = readJournal(scene.path('journal'));
  expect(
    journal.filter(({ to }) => to === Number.POSITIVE_INFINITY),
    'cut',
  ).toEqual([]);
  expect(journal.map(({ id }) => id).sort((a, b) => a - b)).toEqual(WORK.map(({ id }) => id));

  expect(succeededRollouts(log)).toHaveLength(ROLLOUTS);
  const ends = Array.from({ length: TURNS + INSTANCES }, (_, n) => n);
  expect(log.of('exited').map(({ exit }) => exit.code)).toEqual(ends.map(() => 0));
  expect(log.of('gone').map(({ drained }) => drained)).toEqual(ends.map(() => true));
  const asked = log.of('signalled');
  expect(asked.map(({ signal, to }) => `${signal} to the ${to}`)).toEqual(
    asked.map(() => 'TERM to the leader'),
  );
  const atWork = asked.filter(({ run, at }) => journal.some((job) => isUnderWay(job, run, Date.parse(at))));
  expect(atWork.length, 'runs that were asked to end in the middle of a job').toBeGreaterThan(TURNS / 2);
}

const isUnderWay = ({ run, from, to }: Stretch, asked: number, at: number): boolean =>
  run === asked && from * 1000 < at && at < to * 1000;

/**
 * One instance begins one long job, is stopped, and has not the time to finish it. Ends when the instance has; what
 * has become of the job is for the test to ask.
 */
export async function cutOneJob({ onTestFinished }: TestContext, queue: Omit<Queue, 'done'>): Promise<void> {
  const worker = { ...program(queue, 1), drain: { timeout: '1500ms' } };
  const scene = await openScene({ worker });
  onTestFinished(() => scene.close());
  const { run } = await scene.ready('worker:0');
  await queue.add([{ id: 0, ms: 60_000 }]);
  await scene.made('journal');
  await scene.world.cli('stop', 'worker');

  const { exit } = await scene.sees('exited', 'worker:0');
  expect(exit.code).toBe(EXIT.cancelled);
  expect(scene.signals(run)).toEqual(['TERM', 'TERM']);
  expect(readJournal(scene.path('journal'))).toMatchObject([{ id: 0, run, to: Number.POSITIVE_INFINITY }]);
  expect(scene.world.ofInstances()).toEqual([]);
}
