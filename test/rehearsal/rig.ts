/** Rounds for the doctor's tables: times are milliseconds since the signal. */
import { diagnose } from '../../src/rehearsal/diagnose.ts';
import type { Finding, FindingId } from '../../src/rehearsal/finding.ts';
import type { Round, Sighting } from '../../src/rehearsal/round.ts';
import { programOf } from '../config/config.ts';

export const LEADER = 100;

/** A job's child that was there from a second before the signal to a second after, in a group of its own. */
export function child(more: Partial<Sighting> = {}): Sighting {
  const pid = more.pid ?? 200;
  return {
    pid,
    ppid: LEADER,
    group: pid,
    session: pid,
    command: 'bash job.sh 17',
    heeded: { ignored: [], caught: [] },
    firstAt: -1000,
    lastAt: (more.goneAt ?? 1000) - 10,
    goneAt: 1000,
    killedBy: null,
    ...more,
  };
}

export const WORKER = programOf('ready: { when: notify }\ndrain: { timeout: 5s }\nstop: { timeout: 1s }');

/** One that does everything right: drained a second after the signal. */
export const GOOD: Round = {
  instance: 'worker:1',
  program: WORKER,
  drainTimeoutMs: 5000,
  wantedJobs: null,
  isForLearning: false,
  beganAt: -1500,
  overAt: 1100,
  leader: LEADER,
  readyAt: -1200,
  signalAt: 0,
  againAt: null,
  overdueAt: null,
  stopAt: null,
  killedAt: null,
  exit: { at: 1005, code: 0, signal: null, oom: false },
  goneAt: 1006,
  reports: [
    { at: -1100, inFlight: 1 },
    { at: 2, stopping: true },
    { at: 1000, inFlight: 0 },
    { at: 1003, drained: true },
  ],
  processes: [child()],
  troubles: [],
  output: [],
};

export const round = (more: Partial<Round> = {}): Round => ({ ...GOOD, ...more });

/** The second round of one that does everything right. */
export const twice = (more: Partial<Round> = {}): Round => round({ againAt: 50, ...more });

/** What is said under this name; `first` alone, or with a second round. */
export const found = (
  id: FindingId,
  first: Round,
  second: Round | null = null,
  grouped: Round | null = null,
  confirming: Round | null = null,
): Finding[] => diagnose(first, { second, confirming, grouped }).filter((finding) => finding.id === id);

/** `cut: fault` for each finding that is not well. */
export const ills = (first: Round, second: Round | null = null): string[] =>
  diagnose(first, { second, confirming: null, grouped: null })
    .filter(({ level }) => level === 'warning' || level === 'fault')
    .map(({ id, level }) => `${id}: ${level}`);
