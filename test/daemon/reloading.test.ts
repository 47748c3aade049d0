import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ActionReply, ReloadReply } from '../../src/protocol/replies.ts';
import type { StatusReply } from '../../src/protocol/status.ts';
import { useLeakCheck } from '../rig/leaks.ts';
import { expectRefusal } from './wire.ts';
import { PROGRAMS, World } from './world.ts';

const leaks = useLeakCheck();
let world: World;

beforeEach(() => {
  world = new World(leaks);
});
afterEach(() => world.close());

const { steady, crashesAtOnce } = PROGRAMS;
const changed = { ...steady, environment: { NEW: '1' } };
const reload = (more: object = {}): Promise<ReloadReply> => world.ask('POST', '/v1/reload', more);
const runs = ({ instances }: StatusReply): Map<string, number | null> =>
  new Map(instances.map(({ id, run }) => [id, run]));
const states = ({ instances }: StatusReply): string =>
  instances.map(({ id, state }) => `${id} ${state}`).join(', ');
const rolled = (status: StatusReply): boolean =>
  status.rollouts.length > 0 && status.rollouts.every(({ state }) => state === 'succeeded');

describe('a reload', () => {
  it('of an unchanged file does nothing, and says so', async () => {
    await world.begin({ worker: steady, mailer: steady });
    await world.act('start', []);
    const before = await world.status();
    expect(await reload()).toMatchObject({
      dry_run: false,
      added: [],
      removed: [],
      changes: [],
      rollouts: [],
      skipped: [],
    });
    expect(runs(await world.status())).toEqual(runs(before));
  });

  it('starts what was added, drains and drops what was removed, and touches nothing else', async () => {
    await world.begin({ worker: steady, old: steady });
    await world.act('start', []);
    const before = runs(await world.status());
    world.configure({ worker: steady, fresh: steady, quiet: { ...steady, autostart: false } });
    expect(await reload()).toMatchObject({ added: ['fresh', 'quiet'], removed: ['old'], changes: [] });
    const after = await world.see(
      'the old one to go and the new one to run',
      (status) => states(status) === 'worker:0 running, fresh:0 running, quiet:0 stopped',
    );
    expect(runs(after).get('worker:0')).toBe(before.get('worker:0'));
    expect(await world.act('start', ['quiet']), 'it can be started like any other').toMatchObject({
      instances: [{ ok: true }],
    });
  });

  it('rolls what has to be begun anew, one program a rollout, and only that', async () => {
    await world.begin({ worker: { ...steady, instances: 2 }, mailer: steady, other: steady });
    await world.act('start', []);
    const before = runs(await world.status());
    world.configure({ worker: { ...changed, instances: 2 }, mailer: changed, other: steady });
    const reply = await reload();
    expect(reply.changes).toMatchObject([
      { program: 'worker', key: 'environment.NEW', from: '(not set)', to: '1', effect: 'rolling' },
      { program: 'mailer', effect: 'rolling' },
    ]);
    expect(reply.rollouts).toMatchObject([
      { program: 'worker', total: 2 },
      { program: 'mailer', total: 1 },
    ]);
    const after = runs(await world.see('the rollouts to succeed', rolled));
    expect(after.get('other:0')).toBe(before.get('other:0'));
    for (const id of ['worker:0', 'worker:1', 'mailer:0']) expect(after.get(id)).not.toBe(before.get(id));
    expect((await reload()).changes, 'and then there is nothing left to do').toEqual([]);
  });

  it('applies what can be applied at once without a new run', async () => {
    await world.begin({ worker: steady }, { shutdown_timeout: '1m' });
    await world.act('start', []);
    const before = runs(await world.status());
    world.configure(
      { worker: { ...steady, max_age: '1h', stop: { timeout: '3s' } } },
      {
        shutdown_timeout: '2m',
      },
    );
    const { changes, rollouts } = await reload();
    expect(changes).toMatchObject([
      { program: '', key: 'supervisor.shutdown_timeout', from: '1m', to: '2m', effect: 'live', note: null },
      { program: 'worker', key: 'max_age', effect: 'live' },
      { program: 'worker', key: 'stop.timeout', effect: 'next_start' },
    ]);
    expect(rollouts).toEqual([]);
    expect(runs(await world.status())).toEqual(before);
  });

  it('says what only a new daemon can apply, and does not apply it', async () => {
    await world.begin({ worker: steady });
    await world.act('start', []);
    world.configure({ worker: steady }, { log_dir: 'elsewhere' });
    const reply = await reload();
    expect(reply.changes).toMatchObject([
      {
        program: '',
        key: 'supervisor.log_dir',
        effect: 'immutable',
        note: 'not applied: it takes effect when the daemon is started anew',
      },
    ]);
    expect((await reload()).changes, 'and says so again').toHaveLength(1);
  });

  it('changes only the number where only that has changed', async () => {
    await world.begin({ worker: { ...steady, instances: 2 } });
    await world.act('start', []);
    const before = runs(await world.status());
    world.configure({ worker: { ...steady, instances: 3 } });
    expect(await reload()).toMatchObject({
      changes: [{ key: 'instances', from: '2', to: '3', effect: 'live' }],
      rollouts: [],
    });
    const after = await world.see('the third to run', (status) => /worker:2 running/.test(states(status)));
    expect(runs(after).get('worker:0')).toBe(before.get('worker:0'));
    expect(runs(after).get('worker:1')).toBe(before.get('worker:1'));
    world.configure({ worker: steady });
    await reload();
    await world.see('only the first to be left', (status) => states(status) === 'worker:0 running');
  });

  it('leaves an operator’s number alone until the config has another', async () => {
    await world.begin({ worker: steady });
    await world.act('start', []);
    await world.ask<ActionReply>('POST', '/v1/scale', { counts: { worker: 3 } });
    world.configure({ worker: { ...steady, max_age: '1h' } });
    await reload();
    expect((await world.status()).instances).toHaveLength(3);
    world.configure({ worker: { ...steady, max_age: '1h', instances: 2 } });
    await reload();
    await world.see('two to be left', ({ instances }) => instances.length === 2);
  });

  it('leaves what the operator has stopped stopped, which takes the config at its next start', async () => {
    await world.begin({ worker: steady, mailer: steady });
    await world.act('start', []);
    await world.act('stop', ['worker']);
    const { revision } = await world.instance('worker:0');
    world.configure({ worker: changed, mailer: steady });
    expect(await reload()).toMatchObject({
      rollouts: [],
      skipped: [{ program: 'worker', reason: 'it is stopped, and takes the config at its next start' }],
    });
    expect((await world.instance('worker:0')).state).toBe('stopped');
    await world.act('start', ['worker']);
    expect((await world.instance('worker:0')).revision).not.toBe(revision);
  });

  it('tried dry says the same, and changes nothing', async () => {
    await world.begin({ worker: { ...steady, instances: 2 }, old: steady });
    await world.act('start', []);
    const before = await world.status();
    world.configure({ worker: { ...crashesAtOnce, instances: 3 }, fresh: steady });
    const reply = await reload({ dry_run: true });
    expect(reply).toMatchObject({
      dry_run: true,
      added: ['fresh'],
      removed: ['old'],
      counts: { fresh: 1, old: 1 },
      rollouts: [
        {
          id: null,
          started_at: null,
          program: 'worker',
          total: 2,
          turns: [{ step: 'pending' }, { step: 'pending' }],
        },
      ],
    });
    expect(reply.changes.map(({ key }) => key)).toContain('instances');
    const after = await world.status();
    expect([runs(after), after.rollouts]).toEqual([runs(before), []]);
    expect(await world.act('restart', ['worker:1'], { keep_config: true })).toMatchObject({
      instances: [{ ok: true }],
    });
  });

  it('tried dry rolls none of those that would go', async () => {
    await world.begin({ worker: { ...steady, instances: 3 } });
    await world.act('start', []);
    world.configure({ worker: { ...changed, instances: 1 } });
    expect(await reload({ dry_run: true })).toMatchObject({ rollouts: [{ program: 'worker', total: 1 }] });
    world.configure({ worker: { ...steady, instances: 1 } });
    await reload();
    await world.see('one to be left', ({ instances }) => instances.length === 1);
  });

  it.each([
    ['broken', 'programs: {'],
    ['mistaken', '{"programs":{"worker":{"command":"x","comand":"y"}}}'],
    [
      'circular',
      '{"programs":{"a":{"command":"x","depends_on":{"b":"ready"}},"b":{"command":"x","depends_on":{"a":"ready"}}}}',
    ],
  ])('changes nothing when the file is %s', async (_, config) => {
    await world.begin({ worker: steady });
    await world.act('start', []);
    const before = await world.status();
    world.write(config);
    expectRefusal(await world.request('POST', '/v1/reload', {}), 'config_invalid');
    const after = await world.status();
    expect(runs(after)).toEqual(runs(before));
  });

  it('changes nothing while a rollout of what it would change is under way', async () => {
    await world.begin({ worker: { ...steady, instances: 2 }, mailer: steady });
    await world.act('start', []);
    world.configure({ worker: { ...crashesAtOnce, instances: 2 }, mailer: steady });
    await world.ask('POST', '/v1/rollouts', { selectors: ['worker'] });
    await world.see('it to pause', ({ rollouts }) => rollouts[0]?.state === 'paused');
    world.configure({ worker: { ...steady, instances: 2 }, mailer: { ...steady, max_age: '1h' } });
    expectRefusal(await world.request('POST', '/v1/reload', {}), 'conflict');
    await world.ask('POST', '/v1/rollouts/worker/abort');
    expect(await reload()).toMatchObject({ changes: [{ program: 'mailer' }] });
  });

  describe('while a rollout is paused', () => {
    const broken = { ...crashesAtOnce, instances: 2 };
    beforeEach(async () => {
      await world.begin({ worker: { ...steady, instances: 2 }, mailer: steady });
      await world.act('start', []);
      world.configure({ worker: broken, mailer: steady });
      await world.ask('POST', '/v1/rollouts', { selectors: ['worker'] });
      await world.see('it to pause', ({ rollouts }) => rollouts[0]?.state === 'paused');
    });

    it('is refused for what the rollout is about, and says what is in the way and what ends it', async () => {
      world.configure({ worker: { ...steady, instances: 3 }, mailer: changed });
      const reply = await world.request('POST', '/v1/reload', {});
      expectRefusal(reply, 'conflict');
      expect(reply.json).toMatchObject({
        error: {
          message:
            'cannot reload: rollout 1 of worker is paused, and the config changes its command, instances',
          hint: 'nothing was changed; end it first: "tsup-visor rollout resume 1" or "tsup-visor rollout abort 1"',
        },
      });
    });

    it('tried dry shows its plan all the same, and what it would be refused for', async () => {
      world.configure({ worker: { ...steady, instances: 2 }, mailer: changed });
      expect(await reload({ dry_run: true })).toMatchObject({
        changes: [
          { program: 'worker', key: 'command' },
          { program: 'mailer', key: 'environment.NEW' },
        ],
        rollouts: [{ program: 'worker' }, { program: 'mailer', id: null, started_at: null }],
        refused: [
          {
            program: 'worker',
            reason: 'rollout 1 of worker is paused, and the config changes its command',
            hint: expect.stringContaining('rollout abort 1'),
          },
        ],
      });
    });

    it('is refused for a program that is to go', async () => {
      world.configure({ mailer: steady });
      const reply = await world.request('POST', '/v1/reload', {});
      expectRefusal(reply, 'conflict');
      expect(reply.json).toMatchObject({ error: { message: /the config has worker no more/ } });
    });

    it('takes what is live, or is for the next start, of that very program too', async () => {
      const live = { ...broken, max_age: '1h', stop: { timeout: '3s' } };
      world.configure({ worker: live, mailer: changed });
      expect(await reload()).toMatchObject({
        changes: [
          { program: 'worker', key: 'max_age', effect: 'live' },
          { program: 'worker', key: 'stop.timeout', effect: 'next_start' },
          { program: 'mailer' },
        ],
        rollouts: [{ program: 'mailer' }],
        skipped: [],
        refused: [],
      });
      expect((await reload()).changes, 'and that is all').toEqual([]);
      await world.see('mailer to be rolled', ({ rollouts }) =>
        rollouts.some(({ program, state }) => program === 'mailer' && state === 'succeeded'),
      );
      await world.ask('POST', '/v1/rollouts/worker/abort');
      await world.see('worker to be whole', ({ instances }) => instances.every(({ ready }) => ready));
    });

    it('a rolling restart of the same tried dry shows its plan, too', async () => {
      world.configure({ worker: { ...steady, instances: 2 }, mailer: steady });
      expect(await world.ask('POST', '/v1/rollouts', { selectors: ['worker'], dry_run: true })).toMatchObject(
        {
          rollouts: [{ program: 'worker', total: 2, id: null }],
          refused: [
            {
              program: 'worker',
              reason: 'rollout 1 of worker is paused, and has another config',
              hint: expect.stringContaining('--replace'),
            },
          ],
        },
      );
    });
  });

  it('while a rollout of some is under way leaves those of an older config alone that it does not reach', async () => {
    await world.begin({ worker: { ...steady, instances: 2 } });
    await world.act('start', []);
    world.configure({ worker: { ...crashesAtOnce, instances: 2 } });
    await world.ask('POST', '/v1/rollouts', { selectors: ['worker:0'] });
    await world.see('it to pause', ({ rollouts }) => rollouts[0]?.state === 'paused');
    expect(await reload()).toMatchObject({
      rollouts: [],
      skipped: [{ program: 'worker', reason: expect.stringMatching(/^rollout 1 of it is not over/) }],
    });
  });

  it('ends a rollout’s mistake: a file that was mended is rolled to whoever has the broken plan', async () => {
    await world.begin({ worker: steady });
    await world.act('start', []);
    world.configure({ worker: crashesAtOnce });
    await world.act('restart', ['worker']).catch(() => null);
    world.configure({ worker: changed });
    expect(await reload()).toMatchObject({ rollouts: [{ program: 'worker' }] });
    await world.see('it to run again', (status) => states(status) === 'worker:0 running');
  });
});

describe('a part of the config', () => {
  it('is refused where it depends on a program that does not run here yet', async () => {
    await world.begin({ worker: steady });
    await world.act('start', []);
    world.configure({ worker: { ...steady, depends_on: { redis: 'ready' } }, redis: steady });
    const reply = await world.request('POST', '/v1/restart', { selectors: ['worker'] });
    expectRefusal(reply, 'conflict');
    expect(reply.json).toMatchObject({
      error: {
        message:
          'cannot take on a part of the config alone: worker depends on redis, which does not run here',
        hint: expect.stringContaining('tsup-visor reload'),
      },
    });
    expectRefusal(await world.request('POST', '/v1/rollouts', { selectors: ['worker'] }), 'conflict');
    expect(await reload()).toMatchObject({ added: ['redis'] });
    expect(await world.act('restart', ['worker'])).toMatchObject({ instances: [{ ok: true }] });
  });

  it('is looked into quickly, however many ways there are from one program to another', async () => {
    const names = Array.from({ length: 60 }, (_, n) => `p${n}`);
    const needs = (n: number): Record<string, string> =>
      n < 2 ? {} : { [`p${n - 2 - (n % 2)}`]: 'started', [`p${n - 1 - (n % 2)}`]: 'started' };
    await world.begin(
      Object.fromEntries(
        names.map((name, n) => [name, { ...steady, depends_on: needs(n), autostart: false }]),
      ),
    );
    expect(await world.act('restart', ['p59'], { wait: false })).toMatchObject({
      instances: [{ id: 'p59:0' }],
    });
  });

  it('is refused where it would close a circle with what runs', async () => {
    await world.begin({ a: { ...steady, depends_on: { b: 'ready' } }, b: steady });
    await world.act('start', []);
    world.configure({ a: steady, b: { ...steady, depends_on: { a: 'ready' } } });
    const reply = await world.request('POST', '/v1/restart', { selectors: ['b'] });
    expectRefusal(reply, 'conflict');
    expect(reply.json).toMatchObject({
      error: { message: expect.stringContaining('b depends on a depends on b') },
    });
    expect(await reload()).toMatchObject({ changes: [{ program: 'a' }, { program: 'b' }] });
  });
});
