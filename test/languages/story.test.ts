/**
 * The story that this project began with, in two languages: two fathers begin a child job every so often, some through
 * `bash hello.sh`, and a signal comes at the worst moment, when such a job is under way. (Every 5 s and 3 s long there,
 * every 250 ms and 150 ms long here.)
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, it, type TestContext } from 'vitest';
import { kill } from '../e2e/processes.ts';
import { until } from '../e2e/until.ts';
import { exitsOf, type Fleet, openFleet } from './fleet.ts';
import { reasonToSkip } from './go.ts';
import { FATHERS, type Father, jobsThat, layScript } from './story/fathers.ts';

const scratch = mkdtempSync(join(tmpdir(), 'tv-story-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

type JobGroup = 'own' | 'shared';
const GROUP = { own: 'a group of their own', shared: 'the group of their father' };

interface Scene extends Fleet {
  readonly dir: string;
  /** What is under way in bash may end. */
  release(): void;
}

/** Two fathers, each with a job in bash that does not end before `release`. */
async function atTheWorstMoment(
  test: TestContext,
  father: readonly string[],
  group: JobGroup,
): Promise<Scene> {
  const dir = mkdtempSync(join(scratch, 'story-'));
  layScript(dir);
  const options = ['--every-ms', '250', '--takes-ms', '150', '--job-group', group];
  const fleet = await openFleet(test, {
    command: [...father, ...options],
    directory: dir,
    instances: 2,
    // Whoever was told by another than the supervisor would be begun anew, while the other one still ends.
    restart: 'never',
  });
  const hold = join(dir, 'hold');
  await until('some jobs are done', () => jobsThat('done', dir).length >= 4);
  writeFileSync(hold, '');
  const before = jobsThat('hello', dir).length; // these may still have seen that nothing holds them
  const holds = (father: string) =>
    jobsThat('hello', dir)
      .slice(before)
      .some((job) => job.startsWith(father));
  await until('both have a job in bash that stays', () => holds('worker:0.') && holds('worker:1.'));
  await fleet.see('both say that they work', (all) => all.every(({ in_flight }) => (in_flight ?? 0) > 0));
  return { ...fleet, dir, release: () => rmSync(hold) };
}

const saidByBoth = ({ log }: Scene) =>
  until('both say that they end', () => log.of('reported').length >= 2 || undefined);

/** Asks both to end, as an operator does. */
async function planned(scene: Scene): Promise<void> {
  const stop = scene.world.begin('stop', 'worker');
  await saidByBoth(scene);
  scene.release();
  const { code, stderr } = await stop.ended;
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
}

/** What a Ctrl-C, and many a supervisor, does: everyone in the father's group is told. */
async function toTheGroup(scene: Scene): Promise<void> {
  for (const pid of scene.leaders()) kill(-pid, 'SIGTERM');
  await saidByBoth(scene);
  scene.release();
  await until('both have ended', () => scene.log.of('exited').length >= 2);
  await scene.world.succeed('stop', 'worker');
}

function expectAllDone({ dir, log, world }: Scene): void {
  const begun = jobsThat('begun', dir);
  expect(begun.length).toBeGreaterThanOrEqual(6);
  expect(jobsThat('done', dir).sort()).toEqual(begun.sort());
  expect(jobsThat('goodbye', dir).sort()).toEqual(jobsThat('hello', dir).sort());
  expect(exitsOf(log)).toEqual(['code 0', 'code 0']);
  expect(world.ofInstances()).toEqual([]);
}

function story({ tool, prepare }: Father): void {
  let made: Promise<readonly string[]> | undefined;
  const father = (): Promise<readonly string[]> => {
    made ??= prepare(mkdtempSync(join(scratch, 'father-')));
    return made;
  };
  beforeEach(({ skip }) => {
    const reason = reasonToSkip(tool);
    if (reason !== null) skip(reason);
  });

  for (const group of ['own', 'shared'] as const) {
    it(`every begun job is done when both are stopped, with jobs in ${GROUP[group]}`, async (test) => {
      const scene = await atTheWorstMoment(test, await father(), group);
      await planned(scene);
      expectAllDone(scene);
    });
  }

  it('every begun job is done when the signal goes to the whole group, with jobs in groups of their own', async (test) => {
    const scene = await atTheWorstMoment(test, await father(), 'own');
    await toTheGroup(scene);
    expectAllDone(scene);
  });

  it('the control: a signal to the whole group cuts the jobs in it', async (test) => {
    const scene = await atTheWorstMoment(test, await father(), 'shared');
    await toTheGroup(scene);
    const { dir } = scene;
    expect(jobsThat('cut', dir).length).toBeGreaterThanOrEqual(2);
    expect(jobsThat('goodbye', dir).length).toBeLessThan(jobsThat('hello', dir).length);
  });
}

for (const father of FATHERS)
  describe.concurrent(`two fathers in ${father.language}`, { timeout: 60_000 }, () => story(father));
