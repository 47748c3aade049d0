import { describe, expect, it } from 'vitest';
import { build, type Fleet, fleet, INSTANCES, isRollout, said, turned } from './builds.ts';
import { fewestAvailable, succeededRollouts } from './event-log.ts';
import { slowToDrain } from './puppets.ts';

function fewest({ log }: Fleet): number {
  const [span] = succeededRollouts(log);
  if (span === undefined) throw new Error('no rollout has succeeded');
  return fewestAvailable(log, span);
}

/** Ready while the rollout was under way: extra instances have the numbers after the last. */
const extras = ({ log }: Fleet): string[] => [
  ...new Set(
    log
      .of('spawned')
      .map(({ instance }) => instance)
      .filter((id) => Number(id.split(':')[1]) >= INSTANCES),
  ),
];

describe.concurrent('extra instances', { timeout: 60_000 }, () => {
  for (const [surge, parallel, count, least] of [
    [1, 1, 1, INSTANCES],
    ['50%', 2, 2, INSTANCES],
    [1, 2, 1, INSTANCES - 1],
  ] as const) {
    it(`max_surge: ${surge} with max_parallel: ${parallel} never leaves fewer than ${least} of ${INSTANCES}`, async (test) => {
      const rollout = { max_surge: surge, max_parallel: parallel, min_healthy_time: '100ms', order: 'index' };
      const worker = { ...slowToDrain(0.2), instances: INSTANCES, rollout };
      const life = await fleet(test, worker);
      const before = await life.runs();
      await life.world.succeed('rolling-restart', 'worker');
      await life.log.sees('the end', isRollout('succeeded'));

      expect(fewest(life)).toBe(least);
      expect(extras(life)).toHaveLength(count);
      const serving = life.log.of('turn').filter(({ step }) => step === 'serving');
      const [first] = life.log.of('signalled');
      expect(first?.seq, 'the first is asked to end').toBeGreaterThan(serving.at(-1)?.seq ?? 0);
      expect(serving).toHaveLength(count);
      const ids = (await life.instances()).map(({ id }) => id);
      expect(ids, 'the extra ones are gone').toEqual(['worker:0', 'worker:1', 'worker:2', 'worker:3']);
      expect((await life.runs()).filter((run) => before.includes(run))).toEqual([]);
      for (const gone of life.log.of('gone')) expect(gone).toMatchObject({ drained: true, killed: false });
    });
  }

  it('come first, and nobody is touched when one of them does not work', async (test) => {
    const life = await fleet(test, build('one'));
    const before = await life.runs();
    life.deploy(build('crashes-at-4', { max_surge: 1 }));
    const seen = await life.world.cli('rolling-restart', 'worker');
    expect(seen.code, said(seen)).toBe(1);
    expect(await life.rollout()).toMatchObject({
      state: 'paused',
      reason: expect.stringMatching(/worker:4/),
    });
    expect(turned(life)).toEqual(['worker:4']);
    await life.world.succeed('rollout', 'abort');
    await life.seesRollout('its end', ({ state }) => state === 'aborted');
    expect(await life.builds()).toBe('one one one one');
    expect(await life.runs()).toEqual(before);
  });

  it('outlive the daemon, and go when the rollout is over', async (test) => {
    const life = await fleet(test, build('one'));
    life.deploy(build('two', { max_surge: 1, canary: 1, canary_hold: 'manual' }));
    await life.world.succeed('rolling-restart', 'worker', '--detach');
    await life.seesRollout('the hold', ({ canary }) => canary?.state === 'held');
    const runs = await life.runs();
    expect(runs).toHaveLength(INSTANCES + 1);
    const next = await life.successor();
    expect(await next.runs(), 'none was begun anew').toEqual(runs);
    await next.world.succeed('rollout', 'promote');
    await next.log.sees('the end', isRollout('succeeded'));
    expect(await next.builds()).toBe('two two two two');
  });
});
