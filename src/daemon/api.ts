/** What each route of the wire does. Asking goes to the fleet as it stands, acting goes through the loop. */
import type { InstanceId, ProgramName, Run } from '../base/ids.ts';
import type { World } from '../config/where.ts';
import { conflictWith } from '../core/fleet/conflict.ts';
import type { FleetEvent } from '../core/fleet/event.ts';
import { type Fleet, seatsOf } from '../core/fleet/fleet.ts';
import { whatThereIs } from '../core/fleet/hint.ts';
import { select } from '../core/fleet/select.ts';
import type { Instance } from '../core/instance/instance.ts';
import { bodyOf } from '../core/instance/phase.ts';
import type { Plan, ProgramPlan } from '../core/plan.ts';
import { inOrder } from '../core/rollout/order.ts';
import type { Clock } from '../ports/clock.ts';
import type { LogPath, Processes, Usage } from '../ports/processes.ts';
import type {
  ActionReply,
  LogsReply,
  RolloutReply,
  RolloutsCreatedReply,
  RolloutsReply,
  ShutdownReply,
} from '../protocol/replies.ts';
import type { Checked } from '../protocol/requests.ts';
import type { DaemonStatus, RolloutStatus, StatusReply } from '../protocol/status.ts';
import { PROTOCOL_VERSION } from '../protocol/version.ts';
import { describeInstance, describeRollout } from './describe.ts';
import type { RolloutHistory } from './history.ts';
import { logFiles } from './log-files.ts';
import type { NewsDesk } from './news.ts';
import { judgeRestart, judgeStart, judgeStop, undecided } from './outcome.ts';
import { Refused } from './refuse.ts';
import { keepConfig, type Taken, takeConfig } from './reload.ts';
import { dryRun, resolveParallel } from './rolling.ts';
import type { Judge, Waiters } from './waiters.ts';

export interface ApiParts {
  readonly fleet: Fleet;
  readonly clock: Clock;
  readonly news: NewsDesk;
  readonly waiters: Waiters;
  readonly history: RolloutHistory;
  readonly processes: Processes;
  readonly world: World;
  readonly logPath: LogPath;
  plan(): Plan;
  /** These programs have these plans from now on. */
  adopt(programs: readonly ProgramPlan[]): void;
  post(event: FleetEvent): void;
  describeDaemon(): DaemonStatus;
}

const version = PROTOCOL_VERSION;

export class Api {
  readonly #parts: ApiParts;

  constructor(parts: ApiParts) {
    this.#parts = parts;
  }

  async status(query: URLSearchParams): Promise<StatusReply> {
    const { fleet, processes, history, clock } = this.#parts;
    const ids = this.#select(query.getAll('selector'), 'all');
    const instances = ids.flatMap((id) => fleet.instances.get(id) ?? []);
    const runs = instances.flatMap(({ phase }) => bodyOf(phase)?.life.run ?? []);
    const usage: ReadonlyMap<Run, Usage> =
      query.get('usage') === '0' ? new Map() : await processes.usage(runs);
    const now = clock.now();
    return {
      version,
      daemon: this.#parts.describeDaemon(),
      // Looked up anew: an instance may have moved on while its usage was sampled.
      instances: ids.flatMap((id) => {
        const instance = fleet.instances.get(id);
        if (instance === undefined) return [];
        const run = bodyOf(instance.phase)?.life.run;
        return [describeInstance(instance, now, run === undefined ? undefined : usage.get(run))];
      }),
      rollouts: history.current(fleet, now),
    };
  }

  async start({ selectors, wait }: Checked<'start'>, gone: AbortSignal): Promise<ActionReply> {
    this.#refuseWhenEnding();
    const { fleet, post, clock } = this.#parts;
    const leftStopped = selectors.length > 0 ? [] : this.#stoppedByOperator();
    const ids = selectors.length > 0 ? this.#select(selectors) : this.#startedByDefault();
    const before = new Set(ids.filter((id) => fleet.instances.get(id)?.phase.kind === 'running'));
    post({ type: 'start', ids, because: selectors.length > 0 ? 'operator' : 'start' });
    const judge = judgeStart(() => clock.now(), before);
    return this.#outcome(ids, wait ? judge : null, gone, { left_stopped: leftStopped });
  }

  async stop({ selectors, now, wait }: Checked<'stop'>, gone: AbortSignal): Promise<ActionReply> {
    const { fleet, post } = this.#parts;
    const ids = this.#select(selectors);
    const before = new Set(ids.filter((id) => fleet.instances.get(id)?.phase.kind === 'stopped'));
    post({ type: 'stop', ids, how: now ? 'now' : 'drain' });
    return this.#outcome(ids, wait ? judgeStop(before) : null, gone, {});
  }

  async restart(body: Checked<'restart'>, gone: AbortSignal): Promise<ActionReply> {
    this.#refuseWhenEnding();
    const { fleet, post, adopt, clock } = this.#parts;
    const ids = this.#select(body.selectors);
    const names = this.#programsOf(ids);
    this.#refuseConflicts(names);
    // Each as it runs now: not all instances need have the same plan.
    const { programs, changes } = body.keep_config ? UNCHANGED : this.#take(names, false);
    const oldRuns = new Map(ids.map((id) => [id, fleet.instances.get(id)?.lastRun ?? null]));
    adopt(programs);
    post({ type: 'restart', ids, programs });
    const judge = judgeRestart(() => clock.now(), oldRuns);
    return this.#outcome(ids, body.wait ? judge : null, gone, { changes });
  }

  createRollouts(body: Checked<'createRollouts'>): RolloutsCreatedReply {
    this.#refuseWhenEnding();
    const { news, adopt } = this.#parts;
    const ids = this.#select(body.selectors);
    const names = this.#programsOf(ids);
    this.#refuseConflicts(names);
    const { programs, changes } = this.#take(names, body.keep_config);
    const { seq } = news;
    const skipped = programs.flatMap((program) => this.#nothingToRoll(program, ids));
    if (!body.dry_run) adopt(programs);
    const rollouts = programs.flatMap((program) => this.#beginRollout(program, ids, body));
    return { version, changes, rollouts, skipped, seq };
  }

  rollouts(): RolloutsReply {
    const { history, fleet, clock } = this.#parts;
    return { version, rollouts: history.all(fleet, clock.now()) };
  }

  rollout(key: string): RolloutReply {
    const { history, fleet, clock } = this.#parts;
    const found = history.find(fleet, key, clock.now());
    if (found !== undefined) return { version, rollout: found };
    throw new Refused('not_found', `there is no rollout ${key}`, 'see "tsup-visor rollout status"');
  }

  steer(key: string, command: 'pause' | 'resume' | 'abort'): RolloutReply {
    const { rollout } = this.rollout(key);
    const { fleet, post, adopt } = this.#parts;
    const own = [...fleet.rollouts.values()].find(({ id }) => id === rollout.id);
    if (own === undefined || (rollout.state !== 'running' && rollout.state !== 'paused')) {
      throw new Refused('conflict', `rollout ${rollout.id} of ${rollout.program} is over: ${rollout.state}`);
    }
    const already = { pause: 'paused', resume: 'running', abort: null }[command] === rollout.state;
    if (!already) post({ type: 'steer_rollout', id: own.id, command });
    // What was aborted is not what runs: the next one to ask is told what the file changes, all of it.
    const before = command === 'abort' ? own.turns[0]?.before.program : undefined;
    if (before !== undefined) adopt([before]);
    return this.rollout(String(rollout.id));
  }

  shutdown({ how, timeout_ms }: Checked<'shutdown'>): ShutdownReply {
    const { fleet, news, post, plan } = this.#parts;
    const { seq } = news;
    const alive = [...fleet.instances.values()].filter(({ phase }) => 'body' in phase).map(({ id }) => id);
    const timeoutMs = timeout_ms ?? plan().shutdownTimeoutMs;
    // After the reply has been handed over: nothing may be left to end the daemon before that.
    setImmediate(() => post({ type: 'shutdown', how: HOW[how], timeoutMs }));
    return { version, pid: process.pid, instances: alive, seq };
  }

  logs(query: URLSearchParams): LogsReply {
    const { fleet, logPath } = this.#parts;
    const files = this.#select(query.getAll('selector'), 'all').flatMap((id) => {
      const program = fleet.instances.get(id)?.program;
      return program === undefined ? [] : logFiles(id, program, logPath);
    });
    return { version, files };
  }

  #select(selectors: readonly string[], none: 'none' | 'all' = 'none'): InstanceId[] {
    const { fleet, plan } = this.#parts;
    if (selectors.length === 0 && none === 'all') return [...fleet.instances.keys()];
    const chosen = select(selectors, fleet.instances.values(), plan().groups);
    if (chosen.ok) return chosen.value;
    const hint = whatThereIs(chosen.error, fleet.instances.values(), plan().groups);
    throw new Refused('no_match', `no instance matches "${chosen.error}"`, hint);
  }

  #startedByDefault(): InstanceId[] {
    return [...this.#parts.fleet.instances.values()]
      .filter(({ program, wish }) => program.autostart && !isStoppedByOperator(wish) && !isRemoved(wish))
      .map(({ id }) => id);
  }

  #stoppedByOperator(): InstanceId[] {
    return [...this.#parts.fleet.instances.values()]
      .filter(({ program, wish }) => program.autostart && isStoppedByOperator(wish))
      .map(({ id }) => id);
  }

  #programsOf(ids: readonly InstanceId[]): ProgramName[] {
    const { fleet } = this.#parts;
    return [...new Set(ids.flatMap((id) => fleet.instances.get(id)?.program.name ?? []))];
  }

  #take(names: readonly ProgramName[], keep: boolean): Taken {
    const { plan, world } = this.#parts;
    return keep ? keepConfig(plan(), names) : takeConfig(plan(), names, world);
  }

  #beginRollout(
    program: ProgramPlan,
    ids: readonly InstanceId[],
    body: Checked<'createRollouts'>,
  ): RolloutStatus[] {
    const { fleet, post, clock } = this.#parts;
    const seats = [...seatsOf(fleet, program.name).values()].filter(({ id }) => ids.includes(id));
    const ordered = inOrder(seats, program.rollout.order);
    if (body.dry_run) return [dryRun(program, ordered)];
    if (!seats.some(isWanted)) {
      post({ type: 'take_plan', program, ids });
      return [];
    }
    const id = fleet.nextRollout;
    const maxParallel = resolveParallel(body.max_parallel, program, seatsOf(fleet, program.name).size);
    post({ type: 'begin_rollout', program, ids: ordered.map((seat) => seat.id), maxParallel });
    const rollout = fleet.rollouts.get(id);
    return rollout === undefined ? [] : [describeRollout(rollout, clock.now())];
  }

  #nothingToRoll({ name }: ProgramPlan, ids: readonly InstanceId[]): { program: string; reason: string }[] {
    const seats = [...seatsOf(this.#parts.fleet, name).values()].filter(({ id }) => ids.includes(id));
    if (seats.some(isWanted)) return [];
    return [{ program: name, reason: 'it is stopped, and takes the config at its next start' }];
  }

  #refuseConflicts(names: readonly ProgramName[]): void {
    const conflict = conflictWith(this.#parts.fleet, names);
    if (conflict === null) return;
    const { id, program, state } = conflict;
    const next =
      state === 'paused' ? `rollout resume ${id}" or "tsup-visor rollout abort ${id}` : `rollout abort ${id}`;
    throw new Refused(
      'conflict',
      `rollout ${id} of ${program} is ${state === 'paused' ? 'paused' : 'under way'}`,
      `end it first: "tsup-visor ${next}"`,
    );
  }

  #refuseWhenEnding(): void {
    if (this.#parts.fleet.mode.kind === 'running') return;
    throw new Refused(
      'shutting_down',
      'the daemon is shutting down',
      'wait until it has ended, then start it again',
    );
  }

  async #outcome(
    ids: readonly InstanceId[],
    judge: Judge | null,
    gone: AbortSignal,
    more: Partial<Pick<ActionReply, 'changes' | 'left_stopped'>>,
  ): Promise<ActionReply> {
    const { fleet, waiters } = this.#parts;
    const instances = ids.flatMap((id): Instance[] => {
      const instance = fleet.instances.get(id);
      return instance === undefined ? [] : [instance];
    });
    const outcomes = judge === null ? instances.map(undecided) : await waiters.wait(instances, judge, gone);
    return { version, changes: [], left_stopped: [], ...more, instances: outcomes };
  }
}

const UNCHANGED: Taken = { programs: [], changes: [] };

const HOW = { drain: 'drain', stop: 'now', kill: 'kill' } as const;

const isWanted = ({ wish }: Instance): boolean => wish.want === 'up';

const isStoppedByOperator = (wish: Instance['wish']): boolean =>
  wish.want === 'down' && wish.because === 'operator';

/** The config does not have it any more: only whoever names it wants it. */
const isRemoved = (wish: Instance['wish']): boolean => wish.want === 'down' && wish.because === 'reload';
