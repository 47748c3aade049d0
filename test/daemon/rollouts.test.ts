/** Rolling restarts over the wire of a real daemon: begun, joined, replaced, ordered, steered, taken back, gone on with. */
import { readFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadLibc } from '../../src/os/libc.ts';
import type {
  ReloadReply,
  RevisionsReply,
  RolloutReply,
  RolloutsCreatedReply,
  RolloutsReply,
} from '../../src/protocol/replies.ts';
import type { RolloutStatus } from '../../src/protocol/status.ts';
import { useLeakCheck } from '../rig/leaks.ts';
import { expectRefusal } from './wire.ts';
import { PROGRAMS, World } from './world.ts';

const leaks = useLeakCheck();
let world: World;

beforeEach(() => {
  world = new World(leaks);
});
afterEach(() => world.close());

const { steady, ignoresTerm } = PROGRAMS;
/** It drains until it is told otherwise. */
const endless = { ...ignoresTerm, drain: { timeout: 'none' } };
const quick = { ...steady, rollout: { ...steady.rollout, min_healthy_time: '0s' } };
const withNews = (program: object, news: string) => ({ ...program, environment: { NEWS: news } });

const rollOut = (body: object): Promise<RolloutsCreatedReply> => world.ask('POST', '/v1/rollouts', body);
const refuses = async (body: object): Promise<string> => {
  const reply = await world.request('POST', '/v1/rollouts', body);
  expectRefusal(reply, 'conflict');
  return (reply.json as { error: { message: string } }).error.message; // as `expectRefusal` has seen
};
const steer = (id: number, command: string, body?: object): Promise<RolloutReply> =>
  world.ask('POST', `/v1/rollouts/${id}/${command}`, body);

async function over(id: number, state: RolloutStatus['state'] = 'succeeded'): Promise<RolloutStatus> {
  await world.see(`rollout ${id} to be ${state}`, ({ rollouts }) =>
    rollouts.some((rollout) => rollout.id === id && rollout.state === state),
  );
  return (await world.ask<RolloutReply>('GET', `/v1/rollouts/${id}`)).rollout;
}

describe('a rolling restart', () => {
  it('is of the numbers that are named, as many at once and first as is asked for', async () => {
    await world.begin({ worker: { ...endless, instances: 10 } });
    await world.act('start', []);
    const body = { selectors: ['worker'], instances: '0-3,7', max_parallel: '25%', canary: '11%' };
    const { rollouts } = await rollOut(body);
    expect(rollouts).toMatchObject([
      { total: 5, max_parallel: 2, canary: { count: 2, state: 'first', until: null } },
    ]);
    const ids = rollouts[0]?.turns.map(({ instance }) => instance);
    expect(ids).toEqual(['worker:0', 'worker:1', 'worker:2', 'worker:3', 'worker:7']);
  });

  it('tells who asked for it, and why', async () => {
    await world.begin({ worker: quick });
    await world.act('start', []);
    await rollOut({ selectors: ['worker'], reason: ' a new\n\u001b key ' });
    const { cause } = await over(1);
    const by = loadLibc() === null ? null : userInfo().username;
    expect(cause).toEqual({ kind: 'operator', by, words: 'a new key', of: null });
  });

  it('of several programs takes one after the other, what others depend on first; or all at once', async () => {
    const programs = {
      web: { ...endless, depends_on: { redis: 'started' } },
      redis: endless,
      other: endless,
    };
    await world.begin(programs);
    await world.act('start', []);
    const { rollouts } = await rollOut({ selectors: ['*'] });
    const told = rollouts.map(({ program, after, reason }) => ({ program, after, reason }));
    expect(told.map(({ program }) => program).indexOf('redis')).toBeLessThan(
      told.map(({ program }) => program).indexOf('web'),
    );
    expect(told.map(({ after }) => after)).toEqual([null, 1, 2]);
    expect(told[1]?.reason).toContain('waits for rollout 1');
    await steer(1, 'abort');
    const again = await rollOut({ selectors: ['*'], parallel: true, replace: true });
    expect(again.rollouts.map(({ after }) => after)).toEqual([null, null, null]);
  });

  it('joins one under way that does the same, and is refused for one that does something else', async () => {
    const programs = { worker: { ...endless, instances: 3 } };
    await world.begin(programs);
    await world.act('start', []);
    const first = await rollOut({ selectors: ['worker'], max_parallel: '2' });
    expect(first.joined).toEqual([]);
    const second = await rollOut({ selectors: ['worker'], max_parallel: '2' });
    expect(second).toMatchObject({ joined: [1], rollouts: [{ id: 1, current: ['worker:0', 'worker:1'] }] });
    expect(await refuses({ selectors: ['worker'] })).toContain('rollout 1 of worker');
    await refuses({ selectors: ['worker'], max_parallel: '2', canary: '1' });
    await refuses({ selectors: ['worker'], max_parallel: '2', instances: '0' });
    world.configure({ worker: withNews(programs.worker, 'one') });
    await refuses({ selectors: ['worker'], max_parallel: '2' });
    const kept = await rollOut({ selectors: ['worker'], max_parallel: '2', keep_config: true });
    expect(kept.joined).toEqual([1]);
  });

  it('replaces one under way where that is asked for, and takes over what that has in motion', async () => {
    await world.begin({ worker: { ...endless, instances: 2 } });
    await world.act('start', []);
    await rollOut({ selectors: ['worker'] });
    const { rollouts, joined } = await rollOut({ selectors: ['worker'], replace: true });
    expect(joined).toEqual([]);
    expect(rollouts).toMatchObject([{ id: 2, state: 'running' }]);
    const { rollout } = await world.ask<RolloutReply>('GET', '/v1/rollouts/1');
    expect(rollout).toMatchObject({ state: 'aborted', reason: 'replaced by rollout 2' });
    expect((await world.instance('worker:0')).state).toBe('draining');
  });

  it('tried dry tells how long the last one took, of so many turns', async () => {
    await world.begin({ worker: { ...quick, instances: 4 } });
    await world.act('start', []);
    const dry = { selectors: ['worker'], dry_run: true, max_parallel: '2' };
    const before = await rollOut(dry);
    expect(before.rollouts).toMatchObject([
      { expected_ms: null, expected_from: 0, max_parallel: 2, surge: 0 },
    ]);
    await rollOut({ selectors: ['worker'] });
    const { turns } = await over(1);
    expect(turns.every(({ drain_ms }) => drain_ms !== null)).toBe(true);
    const [planned] = (await rollOut(dry)).rollouts;
    expect(planned).toMatchObject({ expected_from: 4, expected_ms: expect.any(Number) });
  });

  it('tried dry is begun by nothing, and joined by nobody', async () => {
    await world.begin({ worker: endless });
    await world.act('start', []);
    await rollOut({ selectors: ['worker'], dry_run: true });
    expect((await world.ask<RolloutsReply>('GET', '/v1/rollouts')).rollouts).toEqual([]);
  });
});

describe('a reload', () => {
  it('rolls one program after the other, and says for whom and why', async () => {
    const depends_on = { redis: 'started' };
    await world.begin({ web: { ...endless, depends_on }, redis: endless });
    await world.act('start', []);
    const fresh = { web: withNews({ ...endless, depends_on }, 'x'), redis: withNews(endless, 'x') };
    world.configure(fresh);
    const { rollouts } = await world.ask<ReloadReply>('POST', '/v1/reload', { reason: 'monday' });
    expect(rollouts).toMatchObject([
      { program: 'redis', after: null, cause: { kind: 'reload', words: 'monday' } },
      { program: 'web', after: 1 },
    ]);
  });
});

describe('a canary', () => {
  const held = { ...quick, instances: 2, rollout: { ...quick.rollout, canary: 1, canary_hold: 'manual' } };

  it('of all of them is refused where it was asked for: nothing would be held', async () => {
    await world.begin({ worker: { ...quick, instances: 2 } });
    const reply = await world.request('POST', '/v1/rollouts', { selectors: ['worker'], canary: '2' });
    expect(reply).toMatchObject({
      status: 400,
      json: {
        error: { kind: 'bad_request', message: expect.stringContaining('a canary of 2 is all 2 instances') },
      },
    });
  });

  it('is held until it is promoted, which nothing else is', async () => {
    await world.begin({ worker: held, other: endless });
    await world.act('start', []);
    await rollOut({ selectors: ['other'] });
    const none = await world.request('POST', '/v1/rollouts/1/promote');
    expectRefusal(none, 'conflict');
    expect(none.json).toMatchObject({
      error: { message: 'rollout 1 of other is not held: it has no canary' },
    });
    await rollOut({ selectors: ['worker'] });
    await world.see('the hold', ({ rollouts }) => rollouts.some(({ canary }) => canary?.state === 'held'));
    const { rollout } = await world.ask<RolloutReply>('GET', '/v1/rollouts/2');
    expect(rollout).toMatchObject({
      done: 1,
      expected_end: null,
      reason: expect.stringContaining('promoted'),
    });
    await steer(2, 'promote');
    expect(await over(2)).toMatchObject({ done: 2, canary: { count: 1, state: 'promoted' } });
    expect(world.said.filter((line) => /hold|held/.test(line))).toEqual([
      expect.stringContaining('rollout 2 of worker is held after the canary of 1 until it is promoted'),
      expect.stringContaining('rollout 2 of worker goes on after its hold'),
    ]);
    expectRefusal(await world.request('POST', '/v1/rollouts/2/promote'), 'conflict');
  });

  it('is held on by the next daemon, which is told so', async () => {
    await world.begin({ worker: held });
    await world.act('start', []);
    await rollOut({ selectors: ['worker'] });
    await world.see('the hold', ({ rollouts }) => rollouts[0]?.canary?.state === 'held');
    await world.handOver();
    const { rollouts } = await world.status();
    expect(rollouts).toMatchObject([{ id: 1, state: 'running', done: 1, canary: { state: 'held' } }]);
    await steer(1, 'promote');
    expect(await over(1)).toMatchObject({ done: 2 });
  });
});

describe('a check of each turn', () => {
  const checking = (script: string, timeout = '5s') => ({
    ...quick,
    instances: 2,
    rollout: { ...quick.rollout, check: { exec: ['/bin/sh', '-c', script], timeout } },
  });

  it('is asked with the program’s environment, the number of the rollout, of the turn and where it comes from', async () => {
    const file = join(world.folder, 'asked');
    const told = '$TSUP_VISOR_ROLLOUT $TSUP_VISOR_TURN $TSUP_VISOR_FROM_REVISION $TSUP_VISOR_INSTANCE $NEWS';
    const program = checking(`echo "${told}" >>${file}`);
    await world.begin({ worker: withNews(program, 'old') });
    await world.act('start', []);
    const { revision } = await world.instance('worker:0');
    world.configure({ worker: withNews(program, 'new') });
    await rollOut({ selectors: ['worker'] });
    await over(1);
    expect(readFileSync(file, 'utf8')).toBe(`1 1 ${revision} worker:0 new\n1 2 ${revision} worker:1 new\n`);
  });

  it.each([
    ['says no', 'echo no such table >&2; exit 3', 'no such table'],
    ['does not answer in time', 'sleep 60', 'longer than 200ms'],
  ])('that %s has failed the turn, and nobody else is touched', async (_, script, detail) => {
    await world.begin({ worker: checking(script, '200ms') });
    await world.act('start', []);
    await rollOut({ selectors: ['worker'] });
    const { reason, turns } = await over(1, 'paused');
    expect(reason).toContain(detail);
    expect(turns.map(({ step }) => step)).toEqual(['failed', 'pending']);
  });
});

describe('the way back', () => {
  const before = withNews({ ...quick, instances: 2 }, 'before');
  const after = withNews({ ...quick, instances: 2 }, 'after');

  async function rolled(): Promise<string> {
    await world.begin({ worker: before });
    await world.act('start', []);
    const { revision } = await world.instance('worker:0');
    world.configure({ worker: after });
    await rollOut({ selectors: ['worker'] });
    await over(1);
    return revision;
  }

  it('of a rollout that is over is one of its own, and outlives the daemon as long as the file says the same', async () => {
    const revision = await rolled();
    const { rollout } = await steer(1, 'revert', { reason: 'slow' });
    expect(rollout).toMatchObject({ id: 2, revision, cause: { kind: 'revert', words: 'slow', of: 1 } });
    await over(2);
    const twice = await world.request('POST', '/v1/rollouts/1/revert');
    expectRefusal(twice, 'conflict');
    const { revisions } = await world.ask<RevisionsReply>('GET', '/v1/revisions?program=worker');
    expect(revisions).toMatchObject([
      { whole: true, current: false },
      { revision, whole: true, current: true },
    ]);
    await rollOut({ selectors: ['worker'], keep_config: true });
    await over(3);
    await world.handOver();
    expect(world.said.join('\n')).toContain('worker keeps the config that a rollout went back to');
    const reload = await world.ask<ReloadReply>('POST', '/v1/reload', { dry_run: true });
    expect(reload.changes, 'what the file says is news to the daemon').toMatchObject([
      { key: 'environment.NEWS' },
    ]);
  });

  it('of one that has changed nothing is refused, as is one to where nobody knows', async () => {
    await world.begin({ worker: before });
    await world.act('start', []);
    await rollOut({ selectors: ['worker'] });
    await over(1);
    const same = await world.request('POST', '/v1/rollouts/1/revert');
    expectRefusal(same, 'conflict');
    expect(same.json).toMatchObject({
      error: { message: expect.stringContaining('changed nothing of the config') },
    });
  });

  it('of one that is under way is that rollout’s own, and ends as reverted', async () => {
    await world.begin({ worker: before });
    await world.act('start', []);
    const { revision } = await world.instance('worker:0');
    world.configure({
      worker: { ...after, ready: { when: 'notify', timeout: 'none' }, command: PROGRAMS.neverReady.command },
    });
    await rollOut({ selectors: ['worker'] });
    await world.see('the first to start', ({ instances }) => instances[0]?.state === 'starting');
    await steer(1, 'revert', { reason: 'slow' });
    const ended = await over(1, 'reverted');
    expect(ended).toMatchObject({ reverting: expect.stringMatching(/^reverted by .*: slow$/), revision });
    expect(world.said.join('\n')).toContain(`rollout 1 of worker goes back: ${ended.reverting}`);
    expect((await world.instance('worker:0')).revision).toBe(revision);
    expectRefusal(await world.request('POST', '/v1/rollouts/1/promote'), 'conflict');
    const twice = await world.request('POST', '/v1/rollouts/1/revert');
    expectRefusal(twice, 'conflict');
    expect(twice.json).toMatchObject({ error: { message: 'rollout 1 of worker was reverted already' } });
  });
});
