import { describe, expect, it } from 'vitest';
import type { WireEvent } from '../../src/protocol/events.ts';
import type { EventLog } from './event-log.ts';
import { heeds, READY, steady } from './keys/row.ts';
import { started, starting } from './life.ts';
import type { Program } from './world.ts';

const LISTENS = 'listens to USR1';
/** Not ready before USR1, which would end it before it has said this. */
const onWord: Program = { ...steady, command: heeds(`echo 'STATUS=${LISTENS}' >&3`, { USR1: READY }) };
/** Asked to end, it does so at USR1. */
const reluctant: Program = { ...steady, command: heeds(READY, { TERM: ':', USR1: 'exit 0' }) };

/** What happened to whom, of these kinds, in order. */
const order = (log: EventLog, kinds: readonly WireEvent['type'][]): string[] =>
  log.all.flatMap((event) =>
    kinds.includes(event.type) && 'instance' in event ? `${event.instance} ${event.type}` : [],
  );

describe.concurrent('what needs others', () => {
  it('waits for them to be ready, level by level, and says for whom', async (test) => {
    const { log, start, instances, see, tell } = await starting(test, {
      web: { ...steady, depends_on: ['api'] },
      api: { ...onWord, depends_on: { db: 'ready' } },
      db: onWord,
    });
    const listens = (id: string) => see(id, LISTENS, ({ message }) => message?.includes(LISTENS) ?? false);
    await listens('db:0');
    const waiting = await instances();
    expect(waiting.map(({ id, state, waits_for }) => `${id} ${state} ${waits_for}`)).toEqual([
      'web:0 waiting api',
      'api:0 waiting db',
      'db:0 starting null',
    ]);
    expect(waiting[1]?.message).toBe('waits for db to be ready: db:0 is starting');
    await tell('db:0', 'SIGUSR1');
    await listens('api:0');
    await tell('api:0', 'SIGUSR1');
    expect(await start.ended).toMatchObject({ code: 0, stderr: '' });
    expect(order(log, ['spawned', 'ready'])).toEqual(
      ['db:0', 'api:0', 'web:0'].flatMap((id) => [`${id} spawned`, `${id} ready`]),
    );
  });

  it('ends before them, each level together', async (test) => {
    const { world, log, instances, instance } = await started(test, {
      web: { ...reluctant, depends_on: ['api'] },
      worker: { ...reluctant, depends_on: ['api'] },
      api: { ...reluctant, depends_on: ['db'] },
      db: steady,
    });
    const pids = new Map((await instances()).map(({ id, pid }) => [id, pid ?? 0]));
    const shutdown = world.begin('shutdown');
    const asked = (id: string) =>
      log.sees(`${id} is asked`, (it) => it.type === 'signalled' && it.instance === id);
    await asked('web:0');
    await asked('worker:0');
    const held = await instance('api:0');
    expect(held).toMatchObject({ state: 'running', wanted: 'down' });
    expect(held.message).toMatch(/is stopped when (web|worker):0 is at rest/);
    for (const id of ['web:0', 'worker:0', 'api:0']) {
      await asked(id);
      process.kill(pids.get(id) ?? 0, 'SIGUSR1');
    }
    expect((await shutdown.ended).code).toBe(0);
    const ends = order(log, ['signalled', 'gone']);
    expect(ends.slice(0, 2).sort()).toEqual(['web:0 signalled', 'worker:0 signalled']);
    expect(ends.slice(2, 4).sort()).toEqual(['web:0 gone', 'worker:0 gone']);
    expect(ends.slice(4)).toEqual(['api:0 signalled', 'api:0 gone', 'db:0 signalled', 'db:0 gone']);
    expect(world.left()).toEqual([]);
  });

  it('is started with them; what the operator has stopped is waited for, and that is said', async (test) => {
    const { world, instances, instance, see } = await started(test, {
      redis: { ...steady, autostart: false },
      worker: { ...steady, autostart: false, depends_on: ['redis'] },
      other: steady,
    });
    const states = async () => (await instances()).map(({ state }) => state);
    expect(await states()).toEqual(['stopped', 'stopped', 'running']);
    const pulled = await world.succeed('start', 'worker');
    expect(pulled.stdout).toMatch(/redis:0, worker:0/);
    expect(await states()).toEqual(['running', 'running', 'running']);

    await world.succeed('stop', 'redis');
    expect(await instance('worker:0'), 'no job is interrupted').toMatchObject({ state: 'running' });
    await world.succeed('stop', 'worker');
    const again = await world.cli('start', 'worker');
    expect(again.code).toBe(1);
    expect(again.stdout + again.stderr).toMatch(
      /worker:0 waits for redis to be ready: redis was stopped by the operator/,
    );
    const { stdout } = await world.cli('status', 'worker');
    expect(stdout).toMatch(/waiting .* for redis to be ready: redis was stopped by the operator/);
    await world.succeed('start', 'redis');
    await see('worker:0', 'it runs', ({ ready }) => ready);
  });

  it('on completion begins when the other has ended well', async (test) => {
    const { world, start, instances, see, tell } = await starting(test, {
      worker: { ...steady, depends_on: { migrate: 'completed' } },
      migrate: { ...steady, restart: 'never' },
    });
    await see('migrate:0', 'it migrates', ({ ready }) => ready);
    const [worker] = await instances();
    expect(worker?.message).toBe('waits for migrate to have completed: migrate:0 is running');
    await tell('migrate:0', 'SIGUSR2');
    expect((await start.ended).code).toBe(0);
    expect((await instances()).map(({ state }) => state)).toEqual(['running', 'exited']);
    expect((await world.cli('status')).code, 'all is as it is meant to be').toBe(0);
  });
});
