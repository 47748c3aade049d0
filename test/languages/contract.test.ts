/** The workers that the README shows keep the contract that it states, under the built daemon and without one. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeEach, describe, expect, it, type TestContext } from 'vitest';
import { kill } from '../e2e/processes.ts';
import { until } from '../e2e/until.ts';
import type { Program } from '../e2e/world.ts';
import { fillPipe } from '../rig/full-pipe.ts';
import { exitsOf, type Fleet, openFleet } from './fleet.ts';
import { reasonToSkip } from './go.ts';
import { LANGUAGES, type Language, workerIn } from './readme.ts';
import { openShop, type Shop } from './shop.ts';

const scratch = mkdtempSync(join(tmpdir(), 'tv-languages-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

interface Scene extends Fleet {
  readonly shop: Shop;
}

async function open(test: TestContext, command: readonly string[], more: Program = {}): Promise<Scene> {
  const folder = mkdtempSync(join(scratch, 'shop-'));
  const shop = openShop(folder);
  const fleet = await openFleet(test, { command, directory: folder, ...more });
  return { ...fleet, shop };
}

/** Every instance has all the jobs under way that it takes at a time, each in the middle of bash. */
async function busy({ shop, see }: Scene, slots: number): Promise<void> {
  const instances = await see('all say that they are busy', (all) =>
    all.every(({ in_flight }) => in_flight === slots),
  );
  await until('all jobs have begun', () => shop.begun().length === instances.length * slots);
}

const allDone = ({ shop }: Scene) =>
  until('all jobs are done', () => shop.in('todo').length + shop.in('doing').length === 0, {
    seen: () => JSON.stringify({ todo: shop.in('todo'), doing: shop.in('doing') }),
  });

/** Jobs do not run out until the work is over. */
async function meanwhile<T>(shop: Shop, work: Promise<T>): Promise<T> {
  const feeding = setInterval(() => shop.add(Math.max(0, 12 - shop.in('todo').length)), 50);
  return work.finally(() => clearInterval(feeding));
}

function contract(language: Language): void {
  let command: readonly string[] | undefined;
  /** Prepared with the first test, for all. */
  const worker = (): readonly string[] => {
    command ??= language.prepare(workerIn(language), mkdtempSync(join(scratch, `${language.fence}-`)));
    return command;
  };
  beforeEach(({ skip }) => {
    const reason = reasonToSkip(language.tool);
    if (reason !== null) skip(reason);
  });

  it('does each job exactly once while three of it are restarted rolling', async (test) => {
    const scene = await open(test, worker(), { instances: 3 });
    const { world, shop, log } = scene;
    shop.hold();
    shop.add(20);
    await busy(scene, language.slots);
    const rolling = world.begin('rolling-restart', 'worker');
    const first = await log.sees('one is asked to end', (event) => event.type === 'signalled');
    const run = first.type === 'signalled' ? first.run : null;
    await log.sees('it says so', (event) => event.type === 'reported' && event.run === run);
    expect(shop.done()).toEqual([]);
    shop.release();
    const { code, stderr } = await meanwhile(shop, rolling.ended);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    await allDone(scene);
    await world.succeed('shutdown');

    const begun = shop.begun();
    expect(begun.filter((it) => it.run === run)).toHaveLength(language.slots); // it has taken no more
    expect(begun.length).toBeGreaterThan(20);
    expect(shop.done().sort()).toEqual(begun.map(({ job }) => job).sort());
    expect(new Set(shop.done()).size).toBe(begun.length);
    expect(shop.in('done')).toHaveLength(begun.length);
    expect(new Set(begun.map(({ channel }) => channel))).toEqual(new Set(['none']));
    expect(exitsOf(log)).toEqual(Array(6).fill('code 0'));
    expect(world.left()).toEqual([]);
  });

  it('loses no job to a signal that is sent to its whole group', async (test) => {
    const scene = await open(test, worker());
    const { shop, log } = scene;
    shop.hold();
    shop.add(language.slots);
    await busy(scene, language.slots);
    const [leader = Number.NaN] = scene.leaders();
    expect(shop.begun().map(({ group }) => group)).not.toContain(leader);
    kill(-leader, 'SIGTERM');
    await log.sees('it says that it ends', (event) => event.type === 'reported');
    shop.release();
    await log.sees('it ends', (event) => event.type === 'exited');
    expect(exitsOf(log)).toEqual(['code 0']);
    expect(shop.done()).toHaveLength(language.slots);
    expect(shop.in('done')).toHaveLength(language.slots);
  });

  it('takes a signal to its group and its forward by a parent for one', async (test) => {
    const scene = await open(test, worker());
    const { shop, log } = scene;
    shop.hold();
    shop.add(language.slots);
    await busy(scene, language.slots);
    const [leader = Number.NaN] = scene.leaders();
    kill(-leader, 'SIGTERM');
    blockFor(20); // else the system makes one of the two
    kill(leader, 'SIGTERM');
    await log.sees('it says that it ends', (event) => event.type === 'reported');
    await pause(200); // for what it might do
    shop.release();
    await log.sees('it ends', (event) => event.type === 'exited');
    expect(exitsOf(log)).toEqual(['code 0']);
    expect(shop.done()).toHaveLength(language.slots);
    expect(shop.in('done')).toHaveLength(language.slots);
  });

  it('gives back at the deadline what it has not done, and leaves nothing of it', async (test) => {
    const scene = await open(test, worker(), { drain: { timeout: '1s' } });
    const { world, shop, log } = scene;
    shop.hold();
    shop.add(language.slots);
    const jobs = shop.in('todo').concat(shop.in('doing'));
    await busy(scene, language.slots);
    await world.succeed('stop', 'worker');
    expect(log.of('signalled').map(({ signal, to }) => `${signal} ${to}`)).toEqual([
      'TERM leader',
      'TERM leader',
    ]);
    expect(exitsOf(log)).toEqual(['code 75']);
    expect(world.ofInstances()).toEqual([]);
    expect(shop.in('todo')).toEqual(jobs);
    shop.release();
    await world.succeed('start', 'worker');
    await allDone(scene);
    expect(shop.done().sort()).toEqual(jobs);
  });

  it('works without a supervisor, and sets aside what fails', async ({ onTestFinished }) => {
    const alone = startAlone(worker());
    onTestFinished(() => alone.close());
    const { shop } = alone;
    for (const name of ['bad', 'good']) shop.addNamed(name);
    await until('both are tried', () => shop.in('done').length + shop.in('failed').length === 2);
    expect({ done: shop.in('done'), failed: shop.in('failed') }).toEqual({ done: ['good'], failed: ['bad'] });
    expect(await alone.terminate()).toEqual({
      code: 0,
      stderr: expect.stringMatching(/^.*job bad: .*3.*\n$/),
    });
  });

  if (!language.canWriteWithoutWaiting) return;
  it('works on while nobody reads what it reports', async ({ onTestFinished }) => {
    const pipe = fillPipe(scratch);
    const alone = startAlone(worker(), pipe.descriptor);
    onTestFinished(() => {
      alone.close();
      pipe.close();
    });
    alone.shop.addNamed('good');
    await until('it is done', () => alone.shop.in('done').length === 1);
    expect(await alone.terminate()).toEqual({ code: 0, stderr: '' });
  });
}

/** Nothing else that this process does makes it longer. */
const blockFor = (ms: number): void => void Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);

/** By hand, in a shop of its own. */
function startAlone([file = '', ...args]: readonly string[], notify?: number) {
  const shop = openShop(mkdtempSync(join(scratch, 'shop-')));
  const { TSUP_VISOR_NOTIFY_FD: _fd, NOTIFY_SOCKET: _socket, ...rest } = process.env;
  const env = notify === undefined ? rest : { ...rest, TSUP_VISOR_NOTIFY_FD: '3' };
  const child = spawn(file, args, { cwd: shop.dir, env, stdio: ['ignore', 'inherit', 'pipe', notify] });
  let stderr = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const ended = once(child, 'close');
  return {
    shop,
    async terminate(): Promise<{ code: number | null; stderr: string }> {
      child.kill('SIGTERM');
      const [code] = await ended;
      return { code, stderr };
    },
    close: () => void child.kill('SIGKILL'),
  };
}

for (const language of LANGUAGES)
  describe.concurrent(`the worker in ${language.name}`, { timeout: 60_000 }, () => contract(language));
