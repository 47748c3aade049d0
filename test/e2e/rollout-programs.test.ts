import { describe, expect, it, type TestContext } from 'vitest';
import { build, type Fleet, fleet, isRollout, said } from './builds.ts';

const two = (name: string, rollout = {}) => build(name, rollout, { instances: 2 });
const onWorker = { ...two('api'), depends_on: { worker: 'ready' } };

/** `api` needs `worker`. */
const both = (test: TestContext): Promise<Fleet> => fleet(test, two('one'), { api: onWorker });

const order = ({ log }: Fleet): string[] =>
  log.of('signalled').map(({ instance }) => instance.replace(/:.*/, ''));

describe.concurrent('several programs', { timeout: 60_000 }, () => {
  it('are rolled one after the other, what others depend on first, however they are named', async (test) => {
    const life = await both(test);
    const seen = await life.world.succeed('rolling-restart', 'api', 'worker');
    expect(order(life), said(seen)).toEqual(['worker', 'worker', 'api', 'api']);
    expect(await life.rollout(1)).toMatchObject({ program: 'worker', state: 'succeeded' });
    expect(await life.rollout(2)).toMatchObject({ program: 'api', state: 'succeeded' });
  });

  it('the next waits for one that is paused, says so, and is aborted with it', async (test) => {
    const life = await both(test);
    life.deploy(two('crashes'));
    const seen = await life.world.cli('rolling-restart', 'worker', 'api');
    expect(seen.code, said(seen)).toBe(1);
    const waits = await life.rollout(2);
    expect(waits).toMatchObject({
      program: 'api',
      done: 0,
      after: 1,
      reason: expect.stringMatching(/rollout 1/),
    });
    await life.world.succeed('rollout', 'abort', '1');
    await life.seesRollout('the second ends too', ({ state }) => state === 'aborted', 2);
    expect((await life.rollout(2)).reason).toMatch(/rollout 1/);
    expect(order(life)).not.toContain('api');
  });

  it('are rolled at once with --parallel', async (test) => {
    const life = await fleet(test, two('patient'), { mailer: two('patient') });
    await life.world.succeed('rolling-restart', 'worker', 'mailer', '--parallel', '--detach');
    await life.log.sees('worker', (it) => it.type === 'signalled' && it.instance.startsWith('worker'));
    await life.log.sees('mailer', (it) => it.type === 'signalled' && it.instance.startsWith('mailer'));
    for (const n of [0, 1]) life.touch(`finish${n}`);
    await life.log.sees('the end of the one', isRollout('succeeded', 1));
    await life.log.sees('the end of the other', isRollout('succeeded', 2));
    expect((await life.world.succeed('rollout', 'wait')).code).toBe(0);
  });

  it('a reload rolls them in the same order', async (test) => {
    const life = await fleet(test, two('one'), { api: onWorker });
    life.world.configure({
      api: { ...onWorker, environment: { BUILD: 'newer' } },
      worker: two('two'),
    });
    await life.world.succeed('reload');
    expect(order(life)).toEqual(['worker', 'worker', 'api', 'api']);
  });
});
