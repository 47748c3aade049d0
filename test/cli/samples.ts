/** Replies as a daemon would send them, to be varied by a test. */
import type { ActionReply, ReloadReply, RolloutsCreatedReply } from '../../src/protocol/replies.ts';
import type {
  InstanceStatus,
  PlannedRollout,
  RolloutStatus,
  StatusReply,
  TurnStatus,
} from '../../src/protocol/status.ts';

export const instance = (given: Partial<InstanceStatus> = {}): InstanceStatus => ({
  id: 'worker:0',
  program: 'worker',
  index: 0,
  state: 'running',
  wanted: 'up',
  because: 'start',
  pid: 4720,
  run: 12,
  ready: true,
  healthy: true,
  uptime_ms: 61_000,
  restarts: 1,
  revision: '9f2c1a',
  generation: 7,
  message: '',
  processes: 3,
  cpu_percent: 12.5,
  memory_bytes: 73_400_320,
  in_flight: null,
  drain: null,
  waits_for: null,
  next_run: null,
  retry_at: null,
  last_exit: null,
  ...given,
});

export const draining = (given: Partial<InstanceStatus> = {}): InstanceStatus =>
  instance({
    state: 'draining',
    because: 'rollout 7',
    drain: { since: '2026-01-31T14:00:00.000Z', elapsed_ms: 41_000, deadline: null, in_flight: 2 },
    in_flight: 2,
    ...given,
  });

export const rollout = (given: Partial<RolloutStatus> = {}): RolloutStatus => ({
  id: 7,
  program: 'worker',
  state: 'running',
  done: 1,
  total: 4,
  current: ['worker:1'],
  reason: null,
  failures: 0,
  blocker: null,
  max_parallel: 1,
  canary: null,
  after: null,
  reverting: null,
  reverted_revision: null,
  cause: { kind: 'operator', by: 'alice', words: null, of: null },
  started_at: '2026-01-31T14:00:00.000Z',
  ended_at: null,
  expected_end: null,
  drains_ms: [],
  revision: '9f2c1a',
  from_revision: '77ab01',
  turns: [
    turn('worker:0', 'done', { elapsed_ms: 9000, drain_ms: 4000 }),
    turn('worker:1', 'draining', { elapsed_ms: 41_000 }),
    turn('worker:2'),
    turn('worker:3'),
  ],
  ...given,
});

export const turn = (
  instance: string,
  step: TurnStatus['step'] = 'pending',
  given: Partial<TurnStatus> = {},
): TurnStatus => ({
  instance,
  step,
  extra: false,
  elapsed_ms: null,
  drain_ms: null,
  deadline: null,
  ...given,
});

/** What a dry run answers. */
export const planned = (given: Partial<PlannedRollout> = {}): PlannedRollout => ({
  ...rollout(),
  id: null,
  started_at: null,
  done: 0,
  current: [],
  surge: 0,
  expected_ms: null,
  expected_from: 0,
  turns: [0, 1, 2, 3].map((index) => turn(`worker:${index}`)),
  ...given,
});

export const status = (
  instances: readonly InstanceStatus[] = [instance()],
  given: Partial<StatusReply> = {},
): StatusReply => ({
  version: 1,
  daemon: {
    pid: 4711,
    version: '0.1.0',
    name: 'orders',
    config: '/etc/orders/supervisor.yaml',
    state: 'running',
    uptime_ms: 5000,
    tracking: 'cgroup',
    warnings: [],
  },
  instances,
  rollouts: [],
  ...given,
});

export const action = (given: Partial<ActionReply> = {}): ActionReply => ({
  version: 1,
  changes: [],
  instances: [0, 1, 2, 3].map((index) => ({
    id: `worker:${index}`,
    state: 'running',
    ok: true,
    already: false,
    message: `worker:${index} is ready`,
  })),
  left_stopped: [],
  ...given,
});

export const created = (given: Partial<RolloutsCreatedReply> = {}): RolloutsCreatedReply => ({
  version: 1,
  changes: [],
  rollouts: [rollout({ done: 0 })],
  skipped: [],
  refused: [],
  joined: [],
  seq: 40,
  ...given,
});

/** Nothing has changed. */
export const reloaded = (given: Partial<ReloadReply> = {}): ReloadReply => ({
  version: 1,
  dry_run: false,
  added: [],
  removed: [],
  changes: [],
  counts: {},
  rollouts: [],
  skipped: [],
  refused: [],
  seq: 40,
  ...given,
});

/** An event of a rollout, `seq` after the answer that created it. */
export const event = (seq: number, happening: object, message: string) => ({
  version: 1,
  seq,
  at: '2026-01-31T14:00:01.000Z',
  mono_ms: seq,
  message,
  ...happening,
});
