/** What has happened is known after the end of the daemon in whose life it did. */
import { existsSync, mkdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { connect } from '../../src/client/index.ts';
import type { WireEvent } from '../../src/protocol/events.ts';
import { kill } from './processes.ts';
import { steady } from './puppets.ts';
import { until } from './until.ts';
import { createWorld, type World } from './world.ts';

let world: World;

beforeEach(() => {
  world = createWorld();
});
afterEach(() => world.close());

async function killDaemon(): Promise<void> {
  const { pid } = (await world.status()).daemon;
  kill(pid, 'SIGKILL');
  await until('it is gone', () => !existsSync(`/proc/${pid}`));
}

async function told(...options: string[]): Promise<WireEvent[]> {
  const { stdout } = await world.succeed('events', '--json', ...options);
  return stdout
    .trimEnd()
    .split('\n')
    .flatMap((line) => (line === '' ? [] : [JSON.parse(line)]));
}

const starts = (events: readonly WireEvent[]): number =>
  events.filter((event) => event.type === 'daemon' && event.state === 'started').length;

describe('events', { timeout: 60_000 }, () => {
  it('are there after a kill -9 of the daemon and after a shutdown, each with its time', async () => {
    world.configure({ worker: steady });
    await world.succeed('start');
    const first = await told();
    await killDaemon();
    await world.succeed('start');
    const second = await told();
    expect(second.slice(0, first.length), 'nothing of it is lost').toEqual(first);
    expect(starts(second)).toBe(2);
    await world.succeed('shutdown');
    const without = await world.cli('events', '--json', '-n', '3');
    expect(without.code).toBe(0);
    expect(
      without.stdout
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line).message)
        .at(-1),
    ).toBe('the daemon has stopped');
    expect(JSON.parse(without.stderr)).toMatchObject({
      warning: { message: expect.stringContaining('no daemon') },
    });
    expect((await world.cli('events', '-f')).code, 'there is nobody to wait for').toBe(4);
    await world.succeed('start');
    const all = await told();
    expect(all.slice(0, second.length)).toEqual(second);
    expect(starts(all)).toBe(3);
    expect(all.filter((event) => event.type === 'daemon' && event.state === 'stopped')).toHaveLength(1);
    for (const { at } of all) expect(Math.abs(Date.now() - Date.parse(at))).toBeLessThan(120_000);

    expect(await told('-n', '4')).toEqual(all.slice(-4));
    const [third] = all.filter((event) => event.type === 'daemon' && event.state === 'started').slice(-1);
    expect(starts(await told('--since', third?.at ?? ''))).toBe(1);
    expect(await told('--since', '2999-01-01')).toEqual([]);
  });

  it('are followed from the past into the present without a gap, by many at once', async () => {
    world.configure({ worker: { ...steady, instances: 3 } });
    await world.succeed('start');
    await killDaemon();
    await world.succeed('start');
    const client = connect(world.socket());
    const follow = async (): Promise<number[]> => {
      const seqs: number[] = [];
      for await (const event of client.events({ follow: true, last: 'all' })) {
        seqs.push(event.type === 'daemon' && event.state === 'started' ? 1 : event.seq);
        if (event.type === 'daemon' && event.state === 'shutting_down') break;
      }
      return seqs;
    };
    const restarting = world.succeed('restart', 'worker');
    const following = Array.from({ length: 20 }, follow);
    await restarting;
    await world.succeed('shutdown', '--now');
    for (const seqs of await Promise.all(following)) {
      const begin = seqs.lastIndexOf(1);
      expect(begin, 'the life before').toBeGreaterThan(0);
      expect(seqs.slice(begin)).toEqual(seqs.slice(begin).map((_, i) => i + 1));
    }
  });

  it('hold up nobody when they cannot be written, and are written later', async () => {
    world.configure({ worker: steady });
    await world.succeed('start');
    const file = join(world.dir, 'state', 'events.ndjson');
    expect(statSync(file).mode & 0o077).toBe(0);
    rmSync(file);
    mkdirSync(file); // nothing can be written there, by whomever
    await world.succeed('restart', 'worker:0');
    const failing = await world.status();
    expect(failing.daemon.warnings.join()).toMatch(/cannot write .*events\.ndjson/);
    const during = await told('-n', '5');
    expect(during, 'they are in memory').toHaveLength(5);
    rmSync(file, { recursive: true });
    await world.see(
      'it is well again',
      ({ daemon }) => !daemon.warnings.join().includes('events.ndjson'),
      20_000,
    );
    const all = await told();
    expect(all.slice(-5)).toEqual(during);
    await killDaemon();
    await world.succeed('start');
    expect((await told()).slice(0, all.length)).toEqual(all);
  });
});
