/**
 * The daemon is killed at random moments while a fleet works, is rolled, scaled and reloaded; nobody else is to notice.
 * `TORTURE_KILLS=200 TORTURE_SEED=7` makes it longer, and the same again.
 */
import { cpSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { connect } from '../../src/client/index.ts';
import { fill } from '../../src/example/fill.ts';
import { isPerfect, tally } from '../../src/example/tally.ts';
import { Dice } from '../sim/dice.ts';
import { fileQueue, ROOT } from './build.ts';
import { killAfter, operate, readTold, watchForTwins } from './torture.ts';
import { until } from './until.ts';
import { createWorld, type Program } from './world.ts';

const KILLS = Number(process.env.TORTURE_KILLS ?? 8);
const SEED = Number(process.env.TORTURE_SEED ?? Date.now() % 1_000_000);
/** Longer than a daemon takes to be there and to have done something. */
const LIFE_MS = 1500;
const WORKERS = 20;
const MORE_WORKERS = 23;
const TELLERS = 5;
const BYTES_PER_SECOND = 2_000_000;
/** Of the queue, whenever it is nearly empty. */
const JOBS = 60;

/**
 * Whoever a daemon was about to ask when it died is asked again when his time is over: where that is without end, a
 * person would have to do it.
 */
const limits: Program = {
  ready: { when: 'notify', timeout: '60s' },
  drain: { timeout: '30s' },
  stop: { timeout: '60s' },
  rollout: { max_parallel: 4, min_healthy_time: '100ms', healthy_deadline: '2m' },
};

it(`a daemon that is killed ${KILLS} times takes nothing and nobody with it`, {
  timeout: 150_000 + KILLS * 6 * LIFE_MS,
}, async ({ onTestFinished }) => {
  const dice = new Dice(SEED);
  const world = createWorld();
  onTestFinished(() => world.close());
  const queue = join(world.dir, 'queue');
  mkdirSync(queue);
  const configure = (version: number): void =>
    world.configure({
      worker: {
        ...limits,
        command: fileQueue(queue, '--parallel', '1'),
        environment: { VERSION: String(version) },
        instances: WORKERS,
      },
      teller: {
        ...limits,
        command: [process.execPath, join(ROOT, 'test/fixtures/tells-lines.mjs'), String(BYTES_PER_SECOND)],
        environment: { VERSION: String(version) },
        instances: TELLERS,
        logs: { max_size: '5MB', keep: 1000 },
      },
    });
  const feed = async (): Promise<void> => {
    if (tally(queue).waiting < JOBS / 2) fill(queue, JOBS, { min: 0.3, max: 1 });
  };
  try {
    configure(0);
    await feed();
    await world.succeed('start');
    const twins = watchForTwins(world);
    let version = 0;
    let isHeard = false;
    const rollTellers = async (): Promise<void> => {
      if ((await world.cli('rolling-restart', 'teller', '--detach')).code === 0) isHeard = true;
    };
    const operator = operate([
      () => world.cli('rolling-restart', 'worker', '--detach'),
      feed,
      () => world.cli('scale', `worker=${MORE_WORKERS}`, '--no-wait'),
      rollTellers,
      feed,
      async () => {
        configure(++version);
        await world.cli('reload', '--detach');
      },
      () => world.cli('scale', `worker=${WORKERS}`, '--no-wait'),
    ]);
    let killed = 0;
    while (killed < KILLS) if (await killAfter(world, dice.int(0, LIFE_MS))) killed++;
    // On a machine that is busy enough, nobody has got through to any of them: then the next ones live longer.
    for (let life = 2 * LIFE_MS; !isHeard; life *= 2) if (await killAfter(world, life)) killed++;
    await operator.stop();

    await world.succeed('start', '--no-wait');
    const client = connect(world.socket());
    let last: unknown;
    const isAtRest = async (): Promise<boolean> => {
      const { rollouts } = await client.rollouts();
      last = rollouts.filter(({ state }) => state !== 'succeeded');
      return rollouts.every(({ state }) => state === 'succeeded');
    };
    await until('every rollout has succeeded', isAtRest, {
      timeoutMs: 120_000,
      seen: () =>
        `${JSON.stringify(last, null, 1)}\n${readFileSync(join(world.dir, 'logs/daemon.log'), 'utf8').slice(-200_000)}`,
    });
    await world.succeed('scale', `worker=${WORKERS}`);
    await until('every job is done', () => isPerfect(tally(queue)), {
      timeoutMs: 60_000,
      everyMs: 200,
      seen: () => JSON.stringify({ ...tally(queue), missing: tally(queue).missing.length }),
    });
    const { instances } = await client.status({ usage: false });
    expect(instances.filter(({ ready }) => ready)).toHaveLength(WORKERS + TELLERS);
    expect(instances.filter(({ last_exit }) => last_exit?.killed).map(({ id }) => id)).toEqual([]);
    await world.succeed('shutdown');
    await twins.stop();

    expect(world.left()).toEqual([]);
    expect(twins.seen).toEqual([]);
    const told = await Promise.all(
      Array.from({ length: TELLERS }, (_, n) => readTold(join(world.dir, `logs/teller-${n}.log`))),
    );
    expect(told.map(({ wrong }) => wrong)).toEqual(told.map(() => []));
    const sum = (of: 'lines' | 'runs'): number => told.reduce((all, one) => all + one[of], 0);
    expect(sum('runs')).toBeGreaterThanOrEqual(2 * TELLERS);
    const { jobs } = tally(queue);
    console.log(
      `killed ${killed} times: ${jobs} jobs and ${sum('lines')} lines of ${sum('runs')} runs, each once; ` +
        `no instance had two runs in ${twins.looks()} looks`,
    );
  } catch (error) {
    if (process.env.TORTURE_KEEP)
      cpSync(world.dir, `${process.env.TORTURE_KEEP}/${SEED}`, {
        recursive: true,
        filter: (f) => !/teller-|sock|\/run\//.test(f),
      });
    throw new Error(`with TORTURE_SEED=${SEED}`, { cause: error });
  }
});
