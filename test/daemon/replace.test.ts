/** What a rollout that took another's place leaves of plans. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { RolloutsCreatedReply } from '../../src/protocol/replies.ts';
import { useLeakCheck } from '../rig/leaks.ts';
import { PROGRAMS, World } from './world.ts';

const leaks = useLeakCheck();
let world: World;
beforeEach(() => {
  world = new World(leaks);
});
afterEach(() => world.close());

const { steady, neverReady } = PROGRAMS;
const quick = { ...steady, rollout: { ...steady.rollout, min_healthy_time: '0s' } };
const withNews = (program: object, news: string) => ({ ...program, environment: { NEWS: news } });
const rollOut = (body: object): Promise<RolloutsCreatedReply> => world.ask('POST', '/v1/rollouts', body);

it('a rollout that replaces another leaves its own plan as that of the program, for the next daemon too', async () => {
  await world.begin({ worker: { ...quick, instances: 2 } });
  await world.act('start', []);
  const old = (await world.instance('worker:1')).revision;
  world.configure({ worker: { ...withNews({ ...neverReady, rollout: quick.rollout }, 'b'), instances: 2 } });
  await rollOut({ selectors: ['worker'] });
  await world.see('the first to be starting', ({ rollouts }) => rollouts[0]?.turns[0]?.step === 'starting');
  world.configure({ worker: { ...withNews(quick, 'c'), instances: 2 } });
  const { rollouts } = await rollOut({ selectors: ['worker'], replace: true });
  const target = rollouts[0]?.revision;
  expect(target).not.toBe(old);
  await world.see('rollout 2 to succeed', ({ rollouts: all }) =>
    all.some(({ id, state }) => id === 2 && state === 'succeeded'),
  );
  const journal = readFileSync(join(world.folder, 'state/journal'), 'utf8')
    .split('\n')
    .filter((l) => l.startsWith('"kept/'));
  const dry = await world.ask<{ changes: unknown[] }>('POST', '/v1/reload', { dry_run: true });
  expect.soft(dry.changes, 'a reload of the same file changes nothing').toEqual([]);
  expect
    .soft(journal.at(-1))
    .toSatisfy((line: string | undefined) => line === undefined || line.endsWith('null'));
  await world.handOver();
  expect.soft(world.said.filter((line) => /keeps the config/.test(line))).toEqual([]);
  await world.act('stop', ['worker:0']);
  await world.act('start', ['worker:0']);
  expect((await world.instance('worker:0')).revision).toBe(target);
}, 60_000);
