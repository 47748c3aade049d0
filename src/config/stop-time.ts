/** How long the end of everything may take by the config: what whoever runs the daemon must not cut short. */
import type { ProgramName } from '../base/ids.ts';
import type { Plan, ProgramPlan } from '../core/plan.ts';

export interface StopTime {
  /** Null: there is no limit. */
  readonly ms: number | null;
  /** Whose ends follow each other, the first one first; of those without a limit, the one that has none. */
  readonly programs: readonly ProgramName[];
}

type Planned = Pick<Plan, 'programs' | 'shutdownTimeoutMs'>;

/** From a kill until all of it is gone and that is written down. */
const MARGIN_MS = 5000;

export function longestStop({ programs, shutdownTimeoutMs }: Planned): StopTime {
  const whole = longestPath(programs, (program) => add(drainMs(program), stopMs(program)));
  if (shutdownTimeoutMs === null) return whole;
  // After it no drain is waited for any more; those who are needed are still stopped after those who need them.
  const { ms } = longestPath(programs, stopMs);
  const cut = add(shutdownTimeoutMs, ms);
  return whole.ms !== null && cut !== null && whole.ms <= cut ? whole : { ms: cut, programs: [] };
}

const drainMs = ({ drain, hooks }: ProgramPlan): number | null =>
  add(drain.timeoutMs, hooks.pre_drain?.timeoutMs ?? 0);

const stopMs = ({ stop, hooks }: ProgramPlan): number | null =>
  add(stop.timeoutMs, (hooks.post_stop?.timeoutMs ?? 0) + MARGIN_MS);

const add = (one: number | null, other: number | null): number | null =>
  one === null || other === null ? null : one + other;

/** Whoever is needed ends after those who need it; all others end at the same time. */
function longestPath(
  programs: readonly ProgramPlan[],
  own: (program: ProgramPlan) => number | null,
): StopTime {
  const known = new Map<ProgramName, StopTime>();
  const endOf = (program: ProgramPlan): StopTime => {
    const found = known.get(program.name) ?? ended(program);
    known.set(program.name, found);
    return found;
  };
  const ended = (program: ProgramPlan): StopTime => {
    const ms = own(program);
    if (ms === null) return { ms, programs: [program.name] };
    const before = longest(programs.filter(({ dependsOn }) => program.name in dependsOn).map(endOf));
    return before.ms === null ? before : { ms: before.ms + ms, programs: [...before.programs, program.name] };
  };
  return longest(programs.map(endOf));
}

const longest = (all: readonly StopTime[]): StopTime =>
  all.reduce((most, each) => (isLonger(each.ms, most.ms) ? each : most), { ms: 0, programs: [] });

const isLonger = (one: number | null, other: number | null): boolean =>
  other !== null && (one === null || one > other);
