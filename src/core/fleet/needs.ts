/**
 * What programs need of one another: whether each is started, ready or completed, and who waits for it. A verdict is
 * worked out when something of its program has changed, and not for each of those who wait.
 */
import type { InstanceId, ProgramName } from '../../base/ids.ts';
import type { Instance } from '../instance/instance.ts';
import { isAvailable } from '../instance/instance.ts';
import type { Waiting } from '../instance/phase.ts';
import type { DependencyCondition, ProgramPlan } from '../plan.ts';

type Verdict =
  | { readonly ok: true }
  | { readonly ok: false; readonly why: string; readonly hopeless: boolean };

export type Verdicts = Readonly<Record<DependencyCondition, Verdict>>;

/** What is to be known of the program that is needed. */
export interface Needed {
  readonly name: ProgramName;
  /** Those that are there to stay. */
  readonly seats: readonly Instance[];
  /** In their turn of a rolling restart: away for the moment, and excused while another one works. */
  readonly turning: ReadonlySet<InstanceId>;
}

export class Needs {
  readonly #verdicts = new Map<ProgramName, Verdicts>();
  /** Who waits for a program. */
  readonly #waiting = new Map<ProgramName, Set<InstanceId>>();

  verdictsOf(name: ProgramName, look: () => Needed): Verdicts {
    const known = this.#verdicts.get(name);
    if (known !== undefined) return known;
    const verdicts = judge(look());
    this.#verdicts.set(name, verdicts);
    return verdicts;
  }

  /** Something of it has changed. Gives the verdicts of before, where anybody had asked. */
  doubt(name: ProgramName): Verdicts | undefined {
    const before = this.#verdicts.get(name);
    this.#verdicts.delete(name);
    return before;
  }

  moved(id: InstanceId, before: Instance['phase'], now: Instance['phase']): void {
    const [was, is] = [awaited(before), awaited(now)];
    if (was === is) return;
    if (was !== null) this.#waiting.get(was)?.delete(id);
    if (is === null) return;
    const set = this.#waiting.get(is) ?? new Set();
    this.#waiting.set(is, set.add(id));
  }

  waitersFor(name: ProgramName): InstanceId[] {
    return [...(this.#waiting.get(name) ?? [])];
  }
}

const awaited = (phase: Instance['phase']): ProgramName | null =>
  phase.kind === 'waiting' && phase.what.kind === 'dependency' ? phase.what.on : null;

/** The first of its needs that is not met; null: all are. */
export function firstUnmet(
  program: ProgramPlan,
  verdicts: (name: ProgramName) => Verdicts,
): Extract<Waiting, { kind: 'dependency' }> | null {
  // The keys of a plan's dependencies are names of programs.
  for (const on of Object.keys(program.dependsOn) as ProgramName[]) {
    const condition = program.dependsOn[on];
    if (condition === undefined) continue;
    const verdict = verdicts(on)[condition];
    if (!verdict.ok) {
      return { kind: 'dependency', on, condition, why: verdict.why, hopeless: verdict.hopeless };
    }
  }
  return null;
}

export const isSameVerdict = (a: Verdicts, b: Verdicts): boolean =>
  isSame(a.started, b.started) && isSame(a.ready, b.ready) && isSame(a.completed, b.completed);

/** What it is for people may change many times before it means anything. */
const isSame = (a: Verdict, b: Verdict): boolean =>
  a.ok === b.ok && (a.ok || b.ok || a.hopeless === b.hopeless);

const OK: Verdict = { ok: true };

function judge(needed: Needed): Verdicts {
  const wanted = needed.seats.filter(({ wish }) => wish.want === 'up');
  if (wanted.length === 0) {
    const nobody: Verdict = { ok: false, why: whyNobody(needed), hopeless: true };
    return { started: nobody, ready: nobody, completed: nobody };
  }
  const works = wanted.some(isAvailable);
  const excused = ({ id }: Instance): boolean => works && needed.turning.has(id);
  return {
    started: all(wanted, (seat) => isStarted(seat) || excused(seat)),
    ready: all(wanted, (seat) => isAvailable(seat) || excused(seat)),
    completed: all(wanted, ({ phase }) => phase.kind === 'exited'),
  };
}

function whyNobody({ name, seats }: Needed): string {
  if (seats.length === 0) return `there is no instance of ${name}`;
  return seats.some(({ wish }) => wish.because === 'operator')
    ? `${name} was stopped by the operator`
    : `${name} is not started`;
}

/** What has run to its end has been started, too. */
const isStarted = ({ phase }: Instance): boolean =>
  phase.kind === 'starting' || phase.kind === 'running' || phase.kind === 'exited';

function all(seats: readonly Instance[], meets: (seat: Instance) => boolean): Verdict {
  const open = seats.filter((seat) => !meets(seat));
  const worst = open.find(isOver) ?? open[0];
  if (worst === undefined) return OK;
  return { ok: false, why: `${worst.id} is ${stateOf(worst)}`, hopeless: isOver(worst) };
}

/** It will not come by itself. */
const isOver = ({ phase }: Instance): boolean =>
  phase.kind === 'failed' ||
  phase.kind === 'exited' ||
  (phase.kind === 'waiting' && phase.what.kind === 'dependency' && phase.what.hopeless);

/** In the words of `status`. */
function stateOf({ phase }: Instance): string {
  switch (phase.kind) {
    case 'preparing':
    case 'spawning':
      return 'starting';
    case 'running':
      return phase.health.ok === false ? 'unhealthy' : 'running';
    case 'sweeping':
    case 'killing':
    case 'cleaning':
      return 'stopping';
    default:
      return phase.kind;
  }
}
