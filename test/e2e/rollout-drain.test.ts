import { describe, expect, it } from 'vitest';
import { asked, build, fleet, isRollout, said, turned } from './builds.ts';

const impatient = (onTimeout: string) => ({ drain: { timeout: '300ms', on_timeout: onTimeout } });

describe.concurrent('a drain that takes longer than it may', { timeout: 60_000 }, () => {
  it('on_timeout: pause kills nobody; resume waits on', async (test) => {
    const life = await fleet(test, build('patient', {}, impatient('pause')));
    const [run = null] = await life.runs();
    life.deploy(build('two', {}, impatient('pause')));
    const seen = await life.world.cli('rolling-restart', 'worker');
    expect(seen.code, said(seen)).toBe(1);
    expect(await life.rollout()).toMatchObject({
      state: 'paused',
      blocker: { name: 'worker:0', is: 'draining' },
    });
    for (const n of [0, 1, 2, 3]) life.touch(`finish${n}`);
    await life.log.sees('it has drained', (event) => event.type === 'gone' && event.run === run);
    await life.world.succeed('rollout', 'resume');
    await life.log.sees('the end', isRollout('succeeded'));
    expect(asked(life, run)).toBe(1);
    for (const gone of life.log.of('gone')) expect(gone).toMatchObject({ killed: false });
    expect(await life.builds()).toBe('two two two two');
  });

  it('on_timeout: skip goes on with the others meanwhile, and is over when the last has drained', async (test) => {
    const life = await fleet(test, build('patient', {}, impatient('skip')));
    const [run = null] = await life.runs();
    for (const n of [1, 2, 3]) life.touch(`finish${n}`);
    life.deploy(build('two', {}, impatient('skip')));
    const watching = life.world.begin('rolling-restart', 'worker');
    const late = await life.seesRollout('the others are done', ({ done }) => done === 3);
    expect(late).toMatchObject({ state: 'running', reason: expect.stringMatching(/worker:0/) });
    expect(await life.instance('worker:0')).toMatchObject({ state: 'draining', run });
    life.touch('finish0');
    const seen = await watching.ended;
    expect(seen.code, said(seen)).toBe(0);
    expect(await life.builds()).toBe('two two two two');
    expect(asked(life, run)).toBe(1);
    for (const gone of life.log.of('gone')) expect(gone).toMatchObject({ drained: true, killed: false });
  });

  it('on_timeout: kill kills it, and after_kill_hold keeps the next turn away for so long', async (test) => {
    const hold = { after_kill_hold: '700ms' };
    const life = await fleet(test, build('patient', hold, { ...impatient('kill'), instances: 2 }));
    life.deploy(build('two', hold, { ...impatient('kill'), instances: 2 }));
    await life.world.succeed('rolling-restart', 'worker');
    const [killed] = life.log.of('gone');
    expect(killed).toMatchObject({ instance: 'worker:0', killed: true });
    const next = life.log.of('signalled').find(({ instance }) => instance === 'worker:1');
    expect((next?.mono_ms ?? 0) - (killed?.mono_ms ?? 0)).toBeGreaterThanOrEqual(700);
    expect(turned(life)).toEqual(['worker:0', 'worker:1']);
  });

  it('goes on with the time that is left when the daemon is killed', async (test) => {
    const life = await fleet(test, build('patient', {}, { drain: { timeout: '1m' } }));
    life.deploy(build('two', {}, { drain: { timeout: '1m' } }));
    await life.world.succeed('rolling-restart', 'worker', '--detach');
    await life.log.sees('the drain', ({ type }) => type === 'signalled');
    const [first] = (await life.rollout()).turns;
    const next = await life.successor();
    const [turn] = (await next.rollout()).turns;
    expect(turn).toMatchObject({ instance: 'worker:0', step: 'draining' });
    const deadlines = [first, turn].map((it) => Date.parse(it?.deadline ?? ''));
    expect(Math.abs((deadlines[0] ?? 0) - (deadlines[1] ?? 0)), 'of the same moment').toBeLessThan(500);
    for (const n of [0, 1, 2, 3]) next.touch(`finish${n}`);
    await next.log.sees('the end', isRollout('succeeded'));
    expect(next.log.of('signalled').map(({ instance }) => instance)).toEqual([
      'worker:1',
      'worker:2',
      'worker:3',
    ]);
    expect(await next.builds()).toBe('two two two two');
  });
});
