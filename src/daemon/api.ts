/** What each route of the wire does. Asking goes to the fleet as it stands, acting goes through the loop. */
import type { InstanceId, Run } from '../base/ids.ts';
import { bodyOf } from '../core/instance/phase.ts';
import type { Usage } from '../ports/processes.ts';
import type {
  ActionReply,
  LogFilesReply,
  LogsReply,
  ReloadReply,
  RevisionsReply,
  RolloutReply,
  RolloutsCreatedReply,
  RolloutsReply,
  ShutdownReply,
} from '../protocol/replies.ts';
import type { Checked } from '../protocol/requests.ts';
import type { StatusReply } from '../protocol/status.ts';
import { PROTOCOL_VERSION as version } from '../protocol/version.ts';
import { restart, signal, start, stop } from './actions.ts';
import { type ApiParts, inPlanOrder, instancesOf, selectIds } from './api-parts.ts';
import { countsOf, meansEmpty } from './counts.ts';
import { describeInstance } from './describe.ts';
import { lackOf } from './lacks.ts';
import { filesLeftBy, logFiles } from './log-files.ts';
import { handleLogs, type LogWish } from './log-wishes.ts';
import { reload } from './reloading.ts';
import { createRollouts, findRollout, listRollouts } from './rollouts.ts';
import { scale } from './scaling.ts';
import { listRevisions, revertRollout, type Steering, steerRollout } from './steering.ts';

export class Api {
  readonly #parts: ApiParts;

  constructor(parts: ApiParts) {
    this.#parts = parts;
  }

  async status(query: URLSearchParams): Promise<StatusReply> {
    const { fleet, processes, history, clock, nextRun, output } = this.#parts;
    const selectors = query.getAll('selector');
    const ids = this.#lookedAt(selectors);
    const runs = instancesOf(this.#parts, ids).flatMap(({ phase }) => bodyOf(phase)?.life.run ?? []);
    const usage: ReadonlyMap<Run, Usage> =
      query.get('usage') === '0' ? new Map() : await processes.usage(runs);
    const now = clock.now();
    // Looked up anew: an instance may have moved on while its usage was sampled.
    const instances = instancesOf(this.#parts, ids).map((instance) => {
      const run = bodyOf(instance.phase)?.life.run;
      const own = run === undefined ? undefined : usage.get(run);
      const heldBy = fleet.stopOrder.waitsFor(instance);
      const due = nextRun(instance.program.name);
      const described = describeInstance(instance, now, own, due, heldBy, lackOf(fleet, instance));
      const droppedBytes = output.droppedBytes(instance.id);
      return droppedBytes === 0 ? described : { ...described, logs: { dropped_bytes: droppedBytes } };
    });
    const rollouts = history.current(fleet, now);
    const counts = countsOf(this.#parts, selectors);
    return { version, daemon: this.#parts.describeDaemon(), instances, rollouts, counts };
  }

  start(body: Checked<'start'>, left: AbortSignal): Promise<ActionReply> {
    return this.#owning(start(this.#parts, body, left));
  }

  stop(body: Checked<'stop'>, left: AbortSignal): Promise<ActionReply> {
    return this.#owning(stop(this.#parts, body, left));
  }

  restart(body: Checked<'restart'>, left: AbortSignal): Promise<ActionReply> {
    return this.#owning(restart(this.#parts, body, left));
  }

  scale(body: Checked<'scale'>, left: AbortSignal): Promise<ActionReply> {
    return this.#owning(scale(this.#parts, body, left));
  }

  /** A wish that the next daemon would not know of is told with the answer. */
  async #owning(answer: Promise<ActionReply>): Promise<ActionReply> {
    const reply = await answer;
    const trouble = this.#parts.unwritten();
    return trouble === null
      ? reply
      : { ...reply, remarks: [...(reply.remarks ?? []), unwrittenWish(trouble)] };
  }

  signal(body: Checked<'signal'>): ActionReply {
    return signal(this.#parts, body);
  }

  /** `by`, here and below: the user who asks, as far as the system tells. */
  reload(body: Checked<'reload'>, by: string | null): ReloadReply {
    return reload(this.#parts, body, by);
  }

  createRollouts(body: Checked<'createRollouts'>, by: string | null): RolloutsCreatedReply {
    return createRollouts(this.#parts, body, by);
  }

  rollouts(): RolloutsReply {
    return listRollouts(this.#parts);
  }

  rollout(key: string): RolloutReply {
    return findRollout(this.#parts, key);
  }

  steer(key: string, command: Steering, by: string | null, reason?: string): RolloutReply {
    return steerRollout(this.#parts, key, command, by, reason);
  }

  revert(key: string, body: Checked<'revertRollout'>, by: string | null): RolloutReply {
    return revertRollout(this.#parts, key, body, by);
  }

  revisions(query: URLSearchParams): RevisionsReply {
    return listRevisions(this.#parts, query);
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
    const { logPath, fleet, plan, output, ownLog } = this.#parts;
    output.drain();
    ownLog.flush();
    const selectors = query.getAll('selector');
    // What is there no more may have said why.
    const left = selectors
      .filter((selector) => !fleet.instances.has(selector as InstanceId)) // if it is none, nothing has it
      .map((selector) => [selector, filesLeftBy(selector, plan().programs, logPath)] as const)
      .filter(([, files]) => files.length > 0);
    const gone = new Set(left.map(([selector]) => selector));
    const others = selectors.filter((selector) => !gone.has(selector));
    const ids = others.length === 0 && gone.size > 0 ? [] : this.#shown(others);
    const files = instancesOf(this.#parts, ids).flatMap(({ id, program }) => logFiles(id, program, logPath));
    const daemon = { path: ownLog.path, format: ownLog.format };
    return { version, files: [...files, ...left.flatMap(([, own]) => own)], daemon };
  }

  handleLogs(what: LogWish, { selectors }: Checked<'rotateLogs'>): LogFilesReply {
    return handleLogs(this.#parts, what, selectors);
  }

  /** A program without instances may be looked at. */
  #lookedAt(selectors: readonly string[]): InstanceId[] {
    const matching = selectors.filter((selector) => !meansEmpty(this.#parts, selector));
    if (matching.length === 0 && selectors.length > 0) return [];
    return inPlanOrder(this.#parts, selectIds(this.#parts, matching, 'all'));
  }

  #shown(selectors: readonly string[]): InstanceId[] {
    return inPlanOrder(this.#parts, selectIds(this.#parts, selectors, 'all'));
  }
}

const unwrittenWish = (trouble: string): string =>
  `what was asked for is not written down, and is forgotten if the daemon dies before it is: ${trouble}`;

const HOW = { drain: 'drain', stop: 'now', kill: 'kill' } as const;
