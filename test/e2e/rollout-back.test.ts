/** What becomes of a build that does not work: who notices, who is touched, and how the old one comes back. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { build, fleet, isRollout, said, turned } from './builds.ts';

const kept = async (life: Awaited<ReturnType<typeof fleet>>, from: number, before: readonly unknown[]) =>
  expect((await life.runs()).slice(from), 'runs of those that were not touched').toEqual(before.slice(from));

describe.concurrent('a build that does not work', { timeout: 60_000 }, () => {
  for (const verb of ['abort', 'revert'] as const) {
    it(`can be left by ${verb} although its first instance never becomes ready, and nobody waits for that`, async (test) => {
      const life = await fleet(test, build('one'));
      const before = await life.runs();
      const endless = { ready: { when: 'notify', timeout: '1h' } };
      life.deploy(build('never-ready', { healthy_deadline: 'none' }, endless));
      const watching = life.world.begin('rolling-restart', 'worker');
      await life.seesRollout('it starts', ({ turns }) => turns[0]?.step === 'starting');
      await life.world.succeed('rollout', verb);
      const seen = await watching.ended;
      expect(seen.code, said(seen)).toBe(1);
      const state = verb === 'abort' ? 'aborted' : 'reverted';
      await life.seesRollout(`it is ${state}`, (rollout) => rollout.state === state);
      await life.see('worker:0', 'it works again', ({ ready }) => ready);
      expect(await life.builds()).toBe('one one one one');
      await kept(life, 1, before);
    });
  }

  it('pauses by default; revert goes back, and history tells why', async (test) => {
    const life = await fleet(test, build('one'));
    const before = await life.runs();
    life.deploy(build('crashes'));
    const seen = await life.world.cli('rolling-restart', 'worker');
    expect(seen.code, said(seen)).toBe(1);
    expect(said(seen)).toMatch(/rollout (revert|resume|abort)/);
    expect((await life.rollout()).state).toBe('paused');
    await life.world.succeed('rollout', 'revert');
    await life.log.sees('it is taken back', isRollout('reverted'));
    expect(await life.builds()).toBe('one one one one');
    await kept(life, 1, before);
    expect((await life.world.succeed('rollout', 'history')).stdout).toMatch(/reverted/);
  });

  it('on_failure: abort ends it as failed, with what it broke gone back', async (test) => {
    const life = await fleet(test, build('one'));
    const before = await life.runs();
    life.deploy(build('crashes-at-1', { on_failure: 'abort' }));
    const seen = await life.world.cli('rolling-restart', 'worker');
    expect(seen.code, said(seen)).toBe(1);
    expect((await life.rollout()).state).toBe('failed');
    await life.see('worker:1', 'it works again', ({ ready }) => ready);
    expect(await life.builds(), 'what works stays').toBe('crashes-at-1 one one one');
    await kept(life, 2, before);
  });

  it('on_failure: revert takes back all that was begun, one by one', async (test) => {
    const life = await fleet(test, build('one'));
    const before = await life.runs();
    life.deploy(build('crashes-at-2', { on_failure: 'revert' }));
    const seen = await life.world.cli('rolling-restart', 'worker');
    expect(seen.code, said(seen)).toBe(1);
    expect(seen.stdout).toMatch(/revert/);
    expect((await life.rollout()).state).toBe('reverted');
    expect(await life.builds()).toBe('one one one one');
    await kept(life, 3, before);
  });

  it('max_failures lets so many fail and goes on', async (test) => {
    const life = await fleet(test, build('one'));
    life.deploy(build('crashes-at-1', { max_failures: 1 }));
    const seen = await life.world.cli('rolling-restart', 'worker');
    expect(seen.code, said(seen)).toBe(0);
    expect(await life.rollout()).toMatchObject({ state: 'succeeded', failures: 1 });
    expect(turned(life)).toEqual(['worker:0', 'worker:1', 'worker:2', 'worker:3']);
  });

  it('that dies only later is a failure of its turn, long after min_healthy_time', async (test) => {
    const life = await fleet(test, build('one'));
    const before = await life.runs();
    const later = { backoff: { initial: '50ms', reset_after: '1h', give_up_after: 5 } };
    life.deploy(build('dies-later', { canary: 1, canary_hold: 'manual', on_failure: 'revert' }, later));
    const watching = life.world.begin('rolling-restart', 'worker');
    await life.seesRollout('the hold', ({ canary }) => canary?.state === 'held');
    life.touch('die');
    expect((await watching.ended).code).toBe(1);
    await life.seesRollout('it is taken back', ({ state }) => state === 'reverted');
    expect(await life.builds()).toBe('one one one one');
    await kept(life, 1, before);
  });
});

describe.concurrent('revert of a rollout that is over', { timeout: 60_000 }, () => {
  it('is a rollout of its own, and what it goes back to outlives the daemon', async (test) => {
    const life = await fleet(test, build('one'));
    life.deploy(build('two'));
    await life.world.succeed('rolling-restart', 'worker');
    expect(await life.builds()).toBe('two two two two');
    await life.world.succeed('rollout', 'revert', '1');
    await life.log.sees('it is back', isRollout('succeeded', 2));
    expect(await life.builds()).toBe('one one one one');
    expect((await life.rollout(2)).cause).toMatchObject({ kind: 'revert', of: 1 });

    const next = await life.successor();
    const [, , run] = await next.runs();
    await next.tell('worker:2', 'SIGKILL');
    await next.see('worker:2', 'it works again', (it) => it.ready && it.run !== run);
    expect(await next.builds(), 'although the file still has two').toBe('one one one one');
    next.deploy(build('three'));
    await next.world.succeed('rolling-restart', 'worker');
    expect(await next.builds(), 'a file with another one wins').toBe('three three three three');
  });

  it('is refused where no other revision was whole', async (test) => {
    const life = await fleet(test, build('one'));
    await life.world.succeed('rolling-restart', 'worker');
    const refused = await life.world.cli('rollout', 'revert', '1');
    expect(refused.code, said(refused)).toBe(6);
    expect(refused.stderr).toMatch(/cannot revert rollout 1 of worker: /);
  });
});

describe.concurrent('check', { timeout: 60_000 }, () => {
  const asking = (script: string, timeout = '10s') => ({ check: { exec: ['sh', '-c', script], timeout } });

  it('is asked once for each turn, and knows which', async (test) => {
    const note = 'echo "$TSUP_VISOR_ROLLOUT $TSUP_VISOR_TURN $TSUP_VISOR_INSTANCE $BUILD" >> asked';
    const life = await fleet(test, build('one'));
    const from = (await life.instance('worker:0')).revision;
    life.deploy(build('two', asking(`${note}; echo "$TSUP_VISOR_FROM_REVISION" > from`)));
    await life.world.succeed('rolling-restart', 'worker');
    expect(readFileSync(join(life.world.dir, 'asked'), 'utf8').trim().split('\n')).toEqual([
      '1 1 worker:0 two',
      '1 2 worker:1 two',
      '1 3 worker:2 two',
      '1 4 worker:3 two',
    ]);
    expect(readFileSync(join(life.world.dir, 'from'), 'utf8').trim()).toBe(from);
  });

  for (const [what, script, timeout] of [
    ['says no', 'echo the canary is dead >&2; exit 3', '10s'],
    ['does not answer in time', 'exec sleep 1000', '200ms'],
  ] as const) {
    it(`that ${what} fails the turn with what it said`, async (test) => {
      const life = await fleet(test, build('one'));
      const before = await life.runs();
      life.deploy(build('two', asking(script, timeout)));
      const seen = await life.world.cli('rolling-restart', 'worker');
      expect(seen.code, said(seen)).toBe(1);
      const reason = what === 'says no' ? /worker:0.*(3|the canary is dead)/ : /worker:0.*200ms/;
      expect(await life.rollout()).toMatchObject({ state: 'paused', reason: expect.stringMatching(reason) });
      await kept(life, 1, before);
      expect(life.world.left().filter((it) => it.includes('sleep 1000'))).toEqual([]);
    });
  }
});
