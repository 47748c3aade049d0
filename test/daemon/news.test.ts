import { describe, expect, it } from 'vitest';
import type { Moment } from '../../src/base/clock.ts';
import { instanceId, programName, rolloutId, run } from '../../src/base/ids.ts';
import type { News } from '../../src/core/fleet/effect.ts';
import type { InstanceNews } from '../../src/core/instance/effect.ts';
import type { PhaseKind } from '../../src/core/instance/phase.ts';
import type { TurnStep } from '../../src/core/rollout/rollout.ts';
import { NewsDesk } from '../../src/daemon/news.ts';
import type { Happening, WireEvent } from '../../src/protocol/events.ts';
import { ROLLOUT_STATES } from '../../src/protocol/status.ts';
import { at } from '../core/rig.ts';

const program = programName('worker');
const id = instanceId(program, 0);
const one = run(12);
const exit = {
  run: one,
  exit: { kind: 'code', code: 3 } as const,
  at: at(5).wall,
  because: 'crash' as const,
  drained: false,
  killed: false,
  livedMs: 1234,
};

/** One of each type, so that a type that is added later is missed here by the compiler. */
const OF_INSTANCES: { readonly [T in InstanceNews['type']]: Extract<InstanceNews, { type: T }> } = {
  spawned: { type: 'spawned', run: one, pid: 4711, generation: 2 },
  spawn_failed: { type: 'spawn_failed', run: one, stage: 'exec', error: 'ENOENT' },
  ready: { type: 'ready', run: one },
  signalled: { type: 'signalled', run: one, signal: 'TERM', to: 'leader' },
  reported: { type: 'reported', run: one, what: 'drained' },
  overdue: { type: 'overdue', run: one },
  hook_failed: { type: 'hook_failed', run: one, hook: 'pre_start', error: 'exited with code 2' },
  health: { type: 'health', run: one, ok: false, detail: 'connection refused' },
  worn: { type: 'worn', run: one, why: 'memory', detail: '900MB for 30s' },
  watchdog: { type: 'watchdog', run: one, detail: 'silent for 10s' },
  exited: { type: 'exited', run: one, exit },
  gone: { type: 'gone', run: one, drained: true, killed: false },
};

const PHASES: Record<PhaseKind, true> = {
  stopped: true,
  waiting: true,
  preparing: true,
  spawning: true,
  starting: true,
  running: true,
  draining: true,
  stopping: true,
  sweeping: true,
  killing: true,
  cleaning: true,
  backoff: true,
  exited: true,
  failed: true,
};

const STEPS: Record<TurnStep['kind'], true> = {
  pending: true,
  draining: true,
  starting: true,
  settling: true,
  checking: true,
  serving: true,
  leaving: true,
  done: true,
  failed: true,
  skipped: true,
};

// Object.keys forgets the type of the keys that it was given.
const keys = <K extends string>(record: Record<K, unknown>): K[] => Object.keys(record) as K[];

const BEGUN = { type: 'rollout', rollout: rolloutId(7), program, state: 'running' } as const;
const BEGINNINGS: readonly News[] = [
  { ...BEGUN, reason: 'held after the canary of 2 until it is promoted', begins: 'hold' },
  { ...BEGUN, reason: null, begins: 'rest' },
  { ...BEGUN, reason: 'waits for worker:3 to be ready', begins: 'rest' },
  { ...BEGUN, reason: 'reverted by the operator', begins: 'revert' },
];

const ALL: News[] = [
  ...Object.values(OF_INSTANCES).map((news): News => ({ ...news, id, program })),
  { ...OF_INSTANCES.health, ok: true, detail: '', id, program },
  { ...OF_INSTANCES.worn, why: 'age', detail: '', id, program },
  { ...OF_INSTANCES.signalled, to: 'tree', id, program },
  { ...OF_INSTANCES.reported, what: 'stopping', id, program },
  { ...OF_INSTANCES.gone, killed: true, drained: false, id, program },
  { ...OF_INSTANCES.gone, killed: false, drained: false, id, program },
  ...keys(PHASES).map(
    (to): News => ({ type: 'phase', id, program, run: one, from: 'stopped', to, because: 'operator' }),
  ),
  ...ROLLOUT_STATES.flatMap((state): News[] => [
    { type: 'rollout', rollout: rolloutId(7), program, state, reason: null },
    { type: 'rollout', rollout: rolloutId(7), program, state, reason: 'worker:0 is not ready' },
  ]),
  ...BEGINNINGS,
  ...keys(STEPS).map((step): News => ({ type: 'turn', rollout: rolloutId(7), id, step })),
  { type: 'turn', rollout: rolloutId(7), id, step: 'failed', why: 'exited with code 1' },
  { type: 'scaled', program, added: [id, instanceId(program, 1)], removed: [] },
  { type: 'scaled', program, added: [], removed: [id] },
  {
    type: 'scaled',
    program,
    added: Array.from({ length: 100 }, (_, i) => instanceId(program, i)),
    removed: [],
  },
  { type: 'schedule', program, what: 'skipped', detail: 'worker:0 still runs' },
  { type: 'schedule', program, what: 'queued', detail: '' },
  { type: 'schedule', program, what: 'late', detail: '3 times have passed' },
  { type: 'dependency', program, on: programName('redis'), lost: true },
  { type: 'dependency', program, on: programName('redis'), lost: false },
  { type: 'shutting_down', fault: null },
  { type: 'shutting_down', fault: 'db:0 has failed, and it is essential' },
];

/** The fields that each type has on the wire, beside the head. */
const FIELDS: { readonly [T in Happening['type']]: readonly string[] } = {
  phase: ['because', 'from', 'instance', 'program', 'run', 'to'],
  spawned: ['generation', 'instance', 'pid', 'run'],
  spawn_failed: ['error', 'instance', 'run', 'stage'],
  ready: ['instance', 'run'],
  signalled: ['instance', 'run', 'signal', 'to'],
  reported: ['instance', 'run', 'what'],
  overdue: ['instance', 'run'],
  hook_failed: ['error', 'hook', 'instance', 'run'],
  health: ['detail', 'instance', 'ok', 'run'],
  worn: ['detail', 'instance', 'run', 'why'],
  watchdog: ['detail', 'instance', 'run'],
  scaled: ['added', 'program', 'removed'],
  schedule: ['detail', 'program', 'what'],
  dependency: ['lost', 'on', 'program'],
  exited: ['exit', 'instance', 'run'],
  gone: ['drained', 'instance', 'killed', 'run'],
  rollout: ['program', 'reason', 'rollout', 'state'],
  turn: ['instance', 'rollout', 'step'],
  log: ['dropped_bytes', 'of', 'path', 'state', 'why'],
  daemon: ['state'],
  dropped: ['count'],
};

const HEAD = ['at', 'message', 'mono_ms', 'seq', 'type', 'version'];

/** Only where there is one. */
const faultOf = (news: News): string[] => {
  if (news.type === 'rollout') return news.begins === undefined ? [] : ['begins'];
  if (news.type === 'turn') return news.why === undefined ? [] : ['why'];
  return news.type === 'shutting_down' && news.fault !== null ? ['fault'] : [];
};

/** Announces it, and gives back what whoever asks is told of it. */
function told(desk: NewsDesk, news: News, now: Moment): WireEvent {
  desk.announce(news, now);
  const [event] = desk.since(desk.seq - 1);
  if (event === undefined) throw new Error(`nothing is told of ${news.type}`);
  return event;
}

describe('news', () => {
  it.each(ALL.map((news) => [JSON.stringify(news), news] as const))(
    'become an event with exactly its fields, and a sentence: %s',
    (_, news) => {
      const event = told(new NewsDesk(), news, at(1000));
      expect(Object.keys(event).sort()).toEqual([...HEAD, ...FIELDS[event.type], ...faultOf(news)].sort());
      expect(event).toMatchObject({
        version: 1,
        seq: 1,
        mono_ms: 1000,
        at: new Date(at(1000).wall).toISOString(),
      });
      expect(event.message).toMatch(/^\S.*[^\s.]$/);
      expect(event.message).not.toMatch(/undefined|\[object|null|NaN/);
      expect(JSON.parse(JSON.stringify(event))).toEqual(event);
    },
  );

  it('have sentences that differ wherever the news do', () => {
    const desk = new NewsDesk();
    const sentences = ALL.map((news) => told(desk, news, at(0)).message);
    expect(sentences.filter((text, i) => sentences.indexOf(text) !== i)).toEqual([]);
  });

  it.each([
    [
      { type: 'spawn_failed', id, program, run: one, stage: 'user', error: 'user "www" does not exist' },
      'cannot start worker:0: user "www" does not exist',
    ],
    [
      {
        type: 'scaled',
        program,
        added: Array.from({ length: 100 }, (_, i) => instanceId(program, i)),
        removed: [],
      },
      'worker has more instances: worker:0 to worker:99 (100)',
    ],
    [
      {
        type: 'schedule',
        program,
        what: 'late',
        detail: '3 times have passed; it runs once for all of them',
      },
      'worker is run late: 3 times have passed; it runs once for all of them',
    ],
    [
      { type: 'health', id, program, run: one, ok: false, detail: 'connection refused' },
      'worker:0 is unhealthy: connection refused',
    ],
    [{ type: 'shutting_down', fault: 'db:0 has failed' }, 'shutting down: db:0 has failed'],
    [
      { ...BEGUN, reason: 'held after the canary of 2 for 10m', begins: 'hold' },
      'rollout 7 of worker is held after the canary of 2 for 10m',
    ],
    [{ ...BEGUN, reason: null, begins: 'rest' }, 'rollout 7 of worker goes on after its hold'],
    [
      { ...BEGUN, reason: 'worker:3 is unhealthy', begins: 'revert' },
      'rollout 7 of worker goes back: worker:3 is unhealthy',
    ],
    [
      { type: 'turn', rollout: rolloutId(7), id, step: 'failed', why: 'was not ready in time' },
      'rollout 7: worker:0 has failed in its turn: was not ready in time',
    ],
  ] as const satisfies readonly (readonly [News, string])[])(
    'say it in plain words: %j',
    (news, sentence) => {
      expect(told(new NewsDesk(), news, at(0)).message).toBe(sentence);
    },
  );

  it('of the daemon name the fault that made it end', () => {
    const desk = new NewsDesk();
    desk.announce({ type: 'daemon', state: 'stopped', fault: 'db:0 has failed' }, at(0));
    expect(desk.since(0)[0]).toMatchObject({
      message: 'the daemon has stopped: db:0 has failed',
      fault: 'db:0 has failed',
    });
  });

  it('are numbered without gaps, and none is older than the one before', () => {
    const desk = new NewsDesk();
    for (const news of ALL) desk.announce(news, at(0));
    expect(desk.since(0).map(({ seq }) => seq)).toEqual(ALL.map((_, i) => i + 1));
    expect(desk.seq).toBe(ALL.length);
  });
});

const fill = (desk: NewsDesk, count: number): void => {
  for (let i = 0; i < count; i++) desk.announce({ type: 'shutting_down', fault: null }, at(i));
};

describe('the news desk', () => {
  it.each([0, 1, 10, 20_000, 20_001])('keeps some thousands of %i events, the newest', (count) => {
    const desk = new NewsDesk();
    fill(desk, count);
    const kept = desk.since(0);
    expect(kept.length).toBeLessThanOrEqual(3000);
    expect(kept.length).toBeGreaterThanOrEqual(Math.min(count, 2000));
    expect(kept.at(-1)?.seq).toBe(count === 0 ? undefined : count);
    expect(kept[0]?.seq).toBe(count === 0 ? undefined : count - kept.length + 1);
  });

  it('gives what came after an event, whether that is still known, the newest, or yet to come', () => {
    const desk = new NewsDesk();
    fill(desk, 20_000);
    expect(desk.since(19_998).map(({ seq }) => seq)).toEqual([19_999, 20_000]);
    expect(desk.since(20_000)).toEqual([]);
    expect(desk.since(99_999)).toEqual([]);
    expect(desk.since(3)).toEqual(desk.since(0));
  });

  it('tells each follower of each event from then on, until that has had enough', () => {
    const desk = new NewsDesk();
    const heard: WireEvent[][] = [[], []];
    const ended: unknown[] = [];
    fill(desk, 1);
    const ends = heard.map((list) =>
      desk.follow({ take: (event) => list.push(event), end: () => ended.push(list) }),
    );
    fill(desk, 2);
    ends[0]?.();
    ends[0]?.();
    fill(desk, 1);
    expect(heard.map((list) => list.map(({ seq }) => seq))).toEqual([
      [2, 3],
      [2, 3, 4],
    ]);
    desk.close();
    expect(ended, 'only who still follows is told that there will be no more').toEqual([heard[1]]);
    fill(desk, 1);
    expect(heard[1]).toHaveLength(3);
  });
});
