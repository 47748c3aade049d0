/** What else is asked of a program while it is rolled: each pair has a meaning. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, type TestContext } from 'vitest';
import { asked, build, type Fleet, fleet, isRollout, said, turned } from './builds.ts';
import { until } from './until.ts';
import type { Program } from './world.ts';

const MANUAL = { canary: 1, canary_hold: 'manual' };

/** A rollout from build one to build two in which worker:0 has had its turn, and the others wait. */
async function held(test: TestContext, name = 'two', rollout: Program = {}): Promise<Fleet> {
  const life = await fleet(test, build('one'));
  life.deploy(build(name, { ...MANUAL, ...rollout }));
  await life.world.succeed('rolling-restart', 'worker', '--detach');
  await life.seesRollout('the hold', ({ canary }) => canary?.state === 'held');
  return life;
}

/** A rollout to build two in which worker:0 has been asked to end and does so when there is `finish0`. */
async function draining(test: TestContext, rollout: Program = {}): Promise<Fleet> {
  const life = await fleet(test, build('patient'));
  life.deploy(build('two', rollout));
  await life.world.succeed('rolling-restart', 'worker', '--detach');
  await life.log.sees('the drain', ({ type }) => type === 'signalled');
  return life;
}

async function promoted(life: Fleet, rollout = 1): Promise<void> {
  await life.world.succeed('rollout', 'promote');
  await life.log.sees('the end', isRollout('succeeded', rollout));
}

const stepOf = async (life: Fleet, id: string): Promise<string | undefined> =>
  (await life.rollout()).turns.find(({ instance }) => instance === id)?.step;

const finishAll = (life: Fleet): void => {
  for (const n of [0, 1, 2, 3]) life.touch(`finish${n}`);
};

describe.concurrent('during a rollout', { timeout: 60_000 }, () => {
  it('stop of one whose turn is to come takes it out; started again, it has the new build', async (test) => {
    const life = await held(test);
    await life.world.succeed('stop', 'worker:3');
    await promoted(life);
    expect(await stepOf(life, 'worker:3')).toBe('skipped');
    expect(await life.builds()).toBe('two two two -');
    await life.world.succeed('start', 'worker:3');
    expect(await life.builds()).toBe('two two two two');
    expect(turned(life)).toEqual(['worker:0', 'worker:1', 'worker:2']);
  });

  it('stop of one in its turn lets it drain and stay down, without a second signal', async (test) => {
    const life = await draining(test);
    const [run = null] = await life.runs();
    const stopping = life.world.begin('stop', 'worker:0');
    await life.seesRollout('the next turn', ({ turns }) => turns[0]?.step === 'skipped');
    finishAll(life);
    expect((await stopping.ended).code).toBe(0);
    await life.log.sees('the end', isRollout('succeeded'));
    expect(asked(life, run)).toBe(1);
    expect(await life.builds()).toBe('- two two two');
    await life.world.succeed('start', 'worker:0');
    expect(await life.builds()).toBe('two two two two');
    expect(life.log.of('gone').filter(({ instance }) => instance === 'worker:0')).toHaveLength(1);
  });

  it('scale up begins with the build of the others, and has a turn at the end', async (test) => {
    const life = await held(test);
    await life.world.succeed('scale', 'worker=5');
    expect(await life.builds()).toBe('two one one one one');
    expect((await life.rollout()).total).toBe(5);
    await promoted(life);
    expect(await life.builds()).toBe('two two two two two');
    expect(turned(life).at(-1)).toBe('worker:4');
  });

  it('scale down takes the highest, and their turns with them', async (test) => {
    const life = await held(test);
    await life.world.succeed('scale', 'worker=2');
    await promoted(life);
    expect(await life.builds()).toBe('two two');
    expect(turned(life)).toEqual(['worker:0', 'worker:1']);
  });

  it('a signal goes through, and the rollout takes no notice', async (test) => {
    const life = await held(test);
    const hungUp = join(life.world.dir, 'hung-up');
    await life.world.succeed('signal', 'HUP', 'worker:0', 'worker:2');
    const seen = (): string[] => (existsSync(hungUp) ? readFileSync(hungUp, 'utf8').trim().split('\n') : []);
    await until('both have heard it', () => seen().length === 2);
    expect(seen().sort()).toEqual(['worker:0', 'worker:2']);
    await promoted(life);
    expect(await life.builds()).toBe('two two two two');
  });

  it('restart is refused, and names the rollout in the way', async (test) => {
    const life = await held(test);
    const before = await life.runs();
    const refused = await life.world.cli('restart', 'worker');
    expect(refused.code, said(refused)).toBe(6);
    expect(refused.stderr).toMatch(/rollout 1 of worker/);
    expect(await life.runs()).toEqual(before);
  });

  it('shutdown ends it; the next daemon starts everything with the config as it is, and tells of it', async (test) => {
    const life = await held(test);
    await life.world.succeed('shutdown');
    await life.world.succeed('start');
    const { stdout } = await life.world.succeed('rollout', 'history');
    expect(stdout).toMatch(/aborted.*shut down/);
    const shown = await life.world.status();
    expect(shown.rollouts.filter(({ state }) => state === 'running' || state === 'paused')).toEqual([]);
  });

  it('pause holds the next turn up until resume', async (test) => {
    const life = await draining(test);
    await life.world.succeed('rollout', 'pause');
    finishAll(life);
    await life.log.sees('the first turn is over', (event) => event.type === 'turn' && event.step === 'done');
    expect(await life.rollout()).toMatchObject({ state: 'paused', done: 1 });
    expect(turned(life)).toEqual(['worker:0']);
    const waited = await life.world.cli('rollout', 'wait', '--timeout', '10s');
    expect(waited.code, `of a paused one it is no use to wait: ${said(waited)}`).toBe(1);
    await life.world.succeed('rollout', 'resume');
    await life.log.sees('the end', isRollout('succeeded'));
    expect(await life.builds()).toBe('two two two two');
  });
});

describe.concurrent('a second rolling restart of the same program', { timeout: 60_000 }, () => {
  it('joins the one under way when it wants the same', async (test) => {
    const life = await held(test);
    const joined = await life.world.succeed('rolling-restart', 'worker', '--detach');
    expect(said(joined)).toMatch(/rollout 1/);
    const watching = life.world.begin('rolling-restart', 'worker', '--json');
    await watching.prints(/"type":"created".*"joined":\[1\]/);
    await promoted(life);
    expect((await watching.ended).code).toBe(0);
    expect((await life.client.rollouts()).rollouts).toHaveLength(1);
    expect(turned(life)).toEqual(['worker:0', 'worker:1', 'worker:2', 'worker:3']);
  });

  for (const [what, build_, args] of [
    ['another build', 'three', []],
    ['another pace', 'two', ['--max-parallel', '2']],
    ['another canary', 'two', ['--canary', '2']],
    ['other instances', 'two', ['--instances', '0-1']],
  ] as const) {
    it(`is refused when it wants ${what}, with the number of the one in the way`, async (test) => {
      const life = await held(test);
      const before = await life.runs();
      life.deploy(build(build_, MANUAL));
      const refused = await life.world.cli('rolling-restart', 'worker', ...args);
      expect(refused.code, said(refused)).toBe(6);
      expect(refused.stderr).toMatch(/rollout 1/);
      expect(refused.stderr).toMatch(/--replace/);
      expect((await life.client.rollouts()).rollouts).toHaveLength(1);
      expect(await life.runs()).toEqual(before);
    });
  }

  it('takes its place with --replace, and takes over what it has in motion', async (test) => {
    const life = await draining(test);
    const [run = null] = await life.runs();
    life.deploy(build('three'));
    const watching = life.world.begin('rolling-restart', 'worker', '--replace');
    await life.seesRollout('the old one ends', ({ state }) => state === 'aborted', 1);
    finishAll(life);
    const seen = await watching.ended;
    expect(seen.code, said(seen)).toBe(0);
    expect(await life.rollout(1)).toMatchObject({ state: 'aborted', reason: 'replaced by rollout 2' });
    expect(await life.builds()).toBe('three three three three');
    expect(asked(life, run), 'signals to the one that was draining').toBe(1);
    expect(life.log.of('gone').filter(({ instance }) => instance === 'worker:0')).toHaveLength(1);
  });
});

describe.concurrent('rolling-restart --instances', { timeout: 60_000 }, () => {
  it('turns those and nobody else', async (test) => {
    const life = await fleet(test, build('one'));
    const before = await life.runs();
    await life.world.succeed('rolling-restart', 'worker', '--instances', '0,2-3');
    expect(turned(life)).toEqual(['worker:0', 'worker:2', 'worker:3']);
    expect((await life.runs())[1]).toBe(before[1]);
  });

  it('is refused when there is none of them, and when it is mistyped', async (test) => {
    const life = await fleet(test, build('one'));
    const refused = await life.world.cli('rolling-restart', 'worker', '--instances', '7-9');
    expect(refused.code, said(refused)).toBe(2);
    expect((await life.client.rollouts()).rollouts).toEqual([]);
    const mistyped = await life.world.cli('rolling-restart', 'worker', '--instances', '3-1-2');
    expect(mistyped.code, said(mistyped)).toBe(2);
  });
});
