import { userInfo } from 'node:os';
import { describe, expect, it } from 'vitest';
import { build, fleet, isRollout, said } from './builds.ts';

describe.concurrent('rollout history', { timeout: 60_000 }, () => {
  it('names who, why, from what to what, and how it ended', async (test) => {
    const life = await fleet(test, build('one'));
    const from = (await life.instance('worker:0')).revision;
    life.deploy(build('two'));
    await life.world.succeed('rolling-restart', 'worker', '--reason', 'deploy of build two');
    const to = (await life.instance('worker:0')).revision;
    life.deploy(build('crashes'));
    expect((await life.world.cli('rolling-restart', 'worker')).code).toBe(1);
    await life.world.succeed('rollout', 'revert');
    await life.log.sees('it is taken back', isRollout('reverted', 2));

    const { username } = userInfo();
    const { stdout } = await life.world.succeed('rollout', 'history', 'worker');
    const lines = stdout.trim().split('\n');
    const first = lines.find((line) => line.includes('deploy of build two')) ?? '';
    for (const word of [username, 'succeeded', '4/4', from.slice(0, 6), to.slice(0, 6)])
      expect(first, stdout).toContain(word);
    expect(lines.find((line) => line.includes('reverted')) ?? stdout).toMatch(/worker:0/);
    const json = JSON.parse((await life.world.succeed('rollout', 'history', '--json')).stdout);
    expect(json.rollouts.map(({ id }: { id: number }) => id).toSorted()).toEqual([1, 2]);
    expect((await life.rollout(1)).cause).toEqual({
      kind: 'operator',
      by: username,
      words: 'deploy of build two',
      of: null,
    });
  });

  it('with a number tells of each turn, and outlives the daemon', async (test) => {
    const life = await fleet(test, build('one'));
    await life.world.succeed('rolling-restart', 'worker');
    const shown = await life.world.succeed('rollout', 'history', '1');
    for (const n of [0, 1, 2, 3]) expect(shown.stdout).toContain(`worker:${n}`);
    const next = await life.successor();
    expect((await next.world.succeed('rollout', 'history', '1')).stdout).toBe(shown.stdout);
    const unknown = await next.world.cli('rollout', 'history', '77');
    expect(unknown.code, said(unknown)).toBe(2);
  });
});

describe.concurrent('rollout wait', { timeout: 60_000 }, () => {
  it('ends as what it waited for: 0, and 1 when that pauses; it is silent until then', async (test) => {
    const life = await fleet(test, build('one'));
    life.deploy(build('two'));
    await life.world.succeed('rolling-restart', 'worker', '--detach');
    const good = await life.world.cli('rollout', 'wait');
    expect(good.code, said(good)).toBe(0);
    expect(good.stdout.trim().split('\n')).toHaveLength(1);
    expect(good.stderr).toBe('');

    life.deploy(build('crashes'));
    await life.world.succeed('rolling-restart', 'worker', '--detach');
    const bad = await life.world.cli('rollout', 'wait', '2');
    expect(bad.code, said(bad)).toBe(1);
    expect(bad.stdout).toMatch(/paused/);
    expect((await life.world.cli('rollout', 'wait', 'nobody')).code).toBe(2);
  });
});
