/** A rehearsal: one round as a planned end goes, another in which the signal comes twice, and what they mean. */
import { ok, type Result } from '../base/result.ts';
import { diagnose, type FurtherRounds, isWell } from './diagnose.ts';
import type { Finding } from './finding.ts';
import { isInDoubt } from './findings/again.ts';
import { cutAt, isProvedBy, unsureAt, wilfulIn } from './findings/children.ts';
import { drainedAfter } from './findings/drain.ts';
import { kindOf, livesIn } from './lives.ts';
import { type PlayOptions, play } from './play.ts';
import { isDrained, type Round } from './round.ts';
import { type Work, workAt } from './work.ts';

export interface RehearsalOptions extends Omit<PlayOptions, 'again' | 'learn'> {
  /** No further round, but where the first cannot be understood without one. */
  readonly once: boolean;
}

export interface Rehearsal {
  readonly program: string;
  readonly instance: string;
  /** No fault was found. */
  readonly ok: boolean;
  readonly findings: readonly Finding[];
  /** Null: it never came to that. */
  readonly drain: DrainSeen | null;
  /** What it wrote last. */
  readonly output: readonly string[];
}

export interface DrainSeen {
  readonly signal: string;
  /** From the signal until it had drained; null: it had not. */
  readonly ms: number | null;
  readonly timeout_ms: number | null;
  readonly killed: boolean;
  /** By its own word, when the signal was sent. */
  readonly in_flight: number | null;
  /** All but its main process, when the signal was sent. */
  readonly processes: readonly {
    readonly pid: number;
    readonly ppid: number;
    readonly pgid: number;
    readonly sid: number;
    readonly command: string;
  }[];
  readonly exit: { readonly code: number | null; readonly signal: string | null } | null;
}

/** An error is a sentence: there could be no rehearsal. */
export async function rehearse(options: RehearsalOptions): Promise<Result<Rehearsal, string>> {
  const { once, interrupts, say } = options;
  const first = await play({ ...options, again: null, learn: [] });
  if (!first.ok) return first;
  const wants = !once && isWorthAnother(first.value);
  const learn = unsureKinds(first.value);
  const further: { -readonly [K in keyof FurtherRounds]: FurtherRounds[K] } = {
    second: null,
    confirming: null,
    grouped: null,
  };
  if (interrupts.count === 0 && (wants || learn.length > 0)) {
    say(wants ? SECOND : LEARNING);
    const second = await play({ ...options, again: wants ? 'leader' : null, learn });
    if (!second.ok) return second;
    further.second = second.value;
  }
  if (interrupts.count === 0 && further.second !== null && hasDoubts(first.value, further.second)) {
    say(CONFIRMING);
    const confirming = await play({ ...options, again: 'leader', learn: [] });
    if (!confirming.ok) return confirming;
    further.confirming = confirming.value;
  }
  if (interrupts.count === 0 && wants && hasWilful(first.value)) {
    say(GROUPED);
    const grouped = await play({ ...options, again: 'group', learn: [] });
    if (!grouped.ok) return grouped;
    further.grouped = grouped.value;
  }
  return ok(report(first.value, further));
}

const SECOND = 'second round: the same signal twice within moments';
const LEARNING = 'once more, to see how long its processes live when nothing ends them';
const CONFIRMING = 'the same again, to tell harm from chance';
const GROUPED = 'another round: the signal to all of its process group';

const hasDoubts = (first: Round, second: Round): boolean => isDrained(first) && isInDoubt(first, second);

const hasWilful = (round: Round): boolean => isDrained(round) && wilfulIn(round).length > 0;

/** Of those that ended in the moment of the signal, by it or by chance. */
function unsureKinds(round: Round): string[] {
  if (!isDrained(round) || isProvedBy(cutAt(round, round.signalAt, livesIn(round)))) return [];
  return [...new Set(unsureAt(round, round.signalAt, livesIn(round)).map(kindOf))];
}

/** What one signal ends, or what does not end in time, says nothing of two. */
function isWorthAnother(round: Round): boolean {
  if (!isDrained(round) || round.overdueAt !== null || round.killedAt !== null) return false;
  if (round.exit === null || round.exit.signal !== null) return false;
  const isCut = isProvedBy(cutAt(round, round.signalAt, livesIn(round)));
  return workAt(round, round.signalAt).isThere && !isCut;
}

function report(first: Round, further: FurtherRounds): Rehearsal {
  const findings = diagnose(first, further);
  return {
    program: first.program.name,
    instance: first.instance,
    ok: isWell(findings),
    findings,
    drain: drainSeen(first),
    output: first.output,
  };
}

function drainSeen(round: Round): DrainSeen | null {
  if (!isDrained(round)) return null;
  const { program, drainTimeoutMs, killedAt, exit, signalAt } = round;
  const found: Work = workAt(round, signalAt);
  const took = round.overdueAt === null ? drainedAfter(round) : null;
  return {
    signal: program.drain.signal,
    ms: took === null ? null : Math.round(took),
    timeout_ms: drainTimeoutMs,
    killed: killedAt !== null,
    in_flight: found.jobs,
    processes: found.processes.map(({ pid, ppid, group, session, command }) => ({
      pid,
      ppid,
      pgid: group,
      sid: session,
      command,
    })),
    exit: exit === null ? null : { code: exit.code, signal: exit.signal },
  };
}
