import { describe, expect, it } from 'vitest';
import type { WireEvent } from '../../src/protocol/events.ts';
import type { RolloutStatus } from '../../src/protocol/status.ts';
import { build, fleet, isRollout, said, turned } from './builds.ts';

const MANUAL = { canary: 1, canary_hold: 'manual' };
const isHeld = (event: WireEvent): boolean =>
  event.type === 'rollout' && event.reason?.includes('promoted') === true;

describe.concurrent('a canary', { timeout: 60_000 }, () => {
  it('is alone until somebody promotes it; whoever watches is told what to type', async (test) => {
    const life = await fleet(test, build('one'));
    const before = await life.runs();
    life.deploy(build('two', MANUAL));
    const watching = life.world.begin('rolling-restart', 'worker');
    await life.log.sees('the hold', isHeld);
    expect(await life.rollout()).toMatchObject({
      state: 'running',
      done: 1,
      total: 4,
      canary: { count: 1, state: 'held', until: null },
    });
    expect(await life.builds()).toBe('two one one one');
    expect((await life.world.succeed('rollout', 'status')).stdout).toMatch(/promote/);

    await life.world.succeed('rollout', 'promote');
    const seen = await watching.ended;
    expect(seen.code, said(seen)).toBe(0);
    expect(said(seen)).toMatch(/rollout promote/);
    expect(await life.builds()).toBe('two two two two');
    expect(turned(life)).toEqual(['worker:0', 'worker:1', 'worker:2', 'worker:3']);
    const after = await life.runs();
    expect(after.filter((run) => before.includes(run))).toEqual([]);
  });

  it('is promoted by a script, which waits for the rest', async (test) => {
    const life = await fleet(test, build('one'));
    life.deploy(build('two', { canary_hold: 'manual' }));
    await life.world.succeed('rolling-restart', 'worker', '--canary', '50%', '--detach');
    await life.log.sees('the hold', isHeld);
    expect(await life.builds()).toBe('two two one one');
    const impatient = await life.world.cli('rollout', 'wait', '--timeout', '100ms');
    expect(impatient.code, said(impatient)).toBe(7);
    expect((await life.rollout()).state, 'after the wait has ended').toBe('running');

    const waiting = life.world.begin('rollout', 'wait', 'worker');
    await life.world.succeed('rollout', 'promote', '1');
    const waited = await waiting.ended;
    expect(waited.code, said(waited)).toBe(0);
    expect(waited.stdout).toMatch(/succeeded/);
    expect(await life.builds()).toBe('two two two two');
    expect((await life.world.cli('rollout', 'wait', '1')).code, 'of one that is over').toBe(0);
  });

  it('is held for as long as the config says, and then goes on by itself', async (test) => {
    const life = await fleet(test, build('one'));
    life.deploy(build('two', { canary: 1, canary_hold: '700ms' }));
    await life.world.succeed('rolling-restart', 'worker');
    const turns = life.log.of('turn');
    const proved = turns.find(({ instance, step }) => instance === 'worker:0' && step === 'done');
    const next = turns.find(({ instance, step }) => instance === 'worker:1' && step === 'draining');
    expect((next?.mono_ms ?? 0) - (proved?.mono_ms ?? 0)).toBeGreaterThanOrEqual(700);
    expect(await life.builds()).toBe('two two two two');
  });

  it('ends the watching with 7 when that has a time limit; the hold goes on', async (test) => {
    const life = await fleet(test, build('one'));
    life.deploy(build('two', MANUAL));
    const seen = await life.world.cli('rolling-restart', 'worker', '--timeout', '2s');
    expect(seen.code, said(seen)).toBe(7);
    expect(await life.rollout()).toMatchObject({ state: 'running', canary: { state: 'held' } });
    await life.world.succeed('rollout', 'abort');
    expect((await life.rollout()).state).toBe('aborted');
    expect(await life.builds(), 'what works stays').toBe('two one one one');
  });

  it('that fails is never one of the failures that are allowed', async (test) => {
    const life = await fleet(test, build('one'));
    life.deploy(build('crashes', { canary: 1, max_failures: 4 }));
    const seen = await life.world.cli('rolling-restart', 'worker');
    expect(seen.code, said(seen)).toBe(1);
    expect((await life.rollout()).state).toBe('paused');
    expect(turned(life)).toEqual(['worker:0']);
  });

  it('that dies while it is held is a failure, and nobody else is touched', async (test) => {
    const life = await fleet(test, build('one'));
    const before = await life.runs();
    life.deploy(build('dies-later', MANUAL, { backoff: { reset_after: '1h', give_up_after: 1 } }));
    const watching = life.world.begin('rolling-restart', 'worker');
    await life.log.sees('the hold', isHeld);
    life.touch('die');
    const seen = await watching.ended;
    expect(seen.code, said(seen)).toBe(1);
    expect(await life.rollout()).toMatchObject({
      state: 'paused',
      reason: expect.stringMatching(/worker:0/),
    });
    expect((await life.runs()).slice(1)).toEqual(before.slice(1));
    await life.world.succeed('rollout', 'revert');
    await life.seesRollout('it is taken back', ({ state }) => state === 'reverted');
    expect(await life.builds()).toBe('one one one one');
    expect((await life.runs()).slice(1)).toEqual(before.slice(1));
  });

  it('stays held when the daemon is killed, and so does the attention of those who watch', async (test) => {
    const life = await fleet(test, build('one'));
    life.deploy(build('two', MANUAL));
    const watching = life.world.begin('rolling-restart', 'worker');
    await watching.prints(/worker:0 is done/);
    await life.log.sees('the hold', isHeld);
    const next = await life.successor();
    expect(await next.rollout()).toMatchObject({ state: 'running', canary: { state: 'held', until: null } });
    expect(await next.builds()).toBe('two one one one');
    await next.world.succeed('rollout', 'promote');
    await next.log.sees('the end', isRollout('succeeded'));
    expect(await next.builds()).toBe('two two two two');
    const seen = await watching.ended;
    expect(seen.code, said(seen)).toBe(0);
    expect(seen.stdout).toMatch(/succeeded: 4 instances restarted/);
  });

  it('is held until the same moment, however often the daemon dies meanwhile', async (test) => {
    const life = await fleet(test, build('one'));
    life.deploy(build('two', { canary: 1, canary_hold: '1h' }));
    await life.world.succeed('rolling-restart', 'worker', '--detach');
    const isSo = ({ canary }: RolloutStatus): boolean => canary?.state === 'held';
    const first = await life.seesRollout('the hold', isSo);
    const next = await (await life.successor()).successor();
    const moments = [first, await next.rollout()].map(({ canary }) => Date.parse(canary?.until ?? ''));
    expect(Math.abs((moments[1] ?? 0) - (moments[0] ?? 0))).toBeLessThan(500);
    await next.world.succeed('rollout', 'promote');
    await next.log.sees('the end', isRollout('succeeded'));
    expect(await next.builds()).toBe('two two two two');
  });
});
