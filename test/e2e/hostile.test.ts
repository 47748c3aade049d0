/**
 * Random and hostile requests and messages: the daemon lives on, its memory is bounded, and every reply is well formed.
 * `HOSTILE=10000` sends more of both, `HOSTILE_SEED=7` the same again.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Dice } from '../sim/dice.ts';
import { ROOT } from './build.ts';
import { hostileRequest, type Insult, insult } from './insults.ts';
import { steady } from './puppets.ts';
import { openScene, type Scene } from './scene.ts';
import { until } from './until.ts';

const COUNT = Number(process.env.HOSTILE ?? 1500);
const SEED = Number(process.env.HOSTILE_SEED ?? Date.now() % 1_000_000);
/** So many are under way at the same time. */
const AT_ONCE = 48;
const MEGABYTE = 1024 * 1024;
/** For what a daemon comes to have once, and for garbage that is yet to be collected. */
const MAY_GROW_BYTES = 48 * MEGABYTE;

function lookAt(pid: number): { rss: number; descriptors: number } {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const rss = Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1]) * 1024;
  return { rss, descriptors: readdirSync(`/proc/${pid}/fd`).length };
}

async function expectWell({ client }: Scene, pid: number): Promise<void> {
  const { daemon } = await client.status();
  expect(daemon).toMatchObject({ pid, state: 'running' });
  expect(daemon.warnings.filter((text) => /defect/.test(text))).toEqual([]);
}

describe('a daemon', { timeout: 60_000 + 20 * COUNT }, () => {
  it(`answers ${COUNT} hostile requests or lets them go (seed ${SEED})`, async ({ onTestFinished }) => {
    const scene = await openScene({ worker: { ...steady, instances: 2 } });
    onTestFinished(() => scene.close());
    await scene.ready('worker:1');
    const dice = new Dice(SEED);
    const { pid } = (await scene.client.status()).daemon;
    const open: Insult[] = [];
    const before = lookAt(pid);
    for (let sent = 0; sent < COUNT; sent += AT_ONCE) {
      const some = Array.from({ length: AT_ONCE }, () => insult(scene.world.socket(), hostileRequest(dice)));
      await Promise.all(some.map(({ over }) => over));
      for (const one of some) expect(one.problem(), `seed ${SEED}: ${one.what}`).toBeNull();
      open.push(...some.filter(({ isOpen }) => isOpen));
      for (const old of open.splice(0, Math.max(0, open.length - 2 * AT_ONCE))) old.close();
    }
    await expectWell(scene, pid);
    for (const one of open) one.close();
    await until('all descriptors are given back', () => lookAt(pid).descriptors <= before.descriptors + 1);
    expect(lookAt(pid).rss - before.rss, `seed ${SEED}: bytes of memory`).toBeLessThan(MAY_GROW_BYTES);
    await expectWell(scene, pid);
  });

  it(`hears ${COUNT} hostile messages on either channel, and a flood (seed ${SEED})`, async ({
    onTestFinished,
  }) => {
    const notifier = join(ROOT, 'test/fixtures/hostile-notifier.mjs');
    const hostile = {
      ...steady,
      command: [process.execPath, notifier, String(SEED), String(COUNT)],
      ready: { when: 'spawned', for: '10ms' },
    };
    const scene = await openScene({ hostile, worker: steady });
    onTestFinished(() => scene.close());
    await scene.ready('worker:0');
    const { pid } = (await scene.client.status()).daemon;
    const before = lookAt(pid);
    const over = await scene.see(
      'hostile:0',
      `seed ${SEED}: it is over`,
      ({ message }) => message === 'over',
    );
    expect(over).toMatchObject({ state: 'running', restarts: 0 });
    expect(lookAt(pid).rss - before.rss, `seed ${SEED}: bytes of memory`).toBeLessThan(MAY_GROW_BYTES);
    await expectWell(scene, pid);
    const { daemon } = await scene.client.status();
    expect(daemon.warnings.join()).toMatch(/hostile:0 reports too much: \d+ of its messages were dropped/);
  });
});
