/** From what was seen to what it means: pure, so that a table can test it. */
import type { Finding } from './finding.ts';
import { again } from './findings/again.ts';
import { cut, group } from './findings/children.ts';
import { type Drained, drain, force, quiet, reports } from './findings/drain.ts';
import { exit, left } from './findings/exit.ts';
import { alone, ready, troubles, work } from './findings/start.ts';
import { livesIn } from './lives.ts';
import type { Round } from './round.ts';

/** `second` null: there was none. Its own drain is judged only where that says something about the first. */
export function diagnose(first: Round, second: Round | null): readonly Finding[] {
  const begin = [...alone(first), ...ready(first), ...troubles(first), ...work(first)];
  if (!isDrained(first)) return begin;
  const lives = [...livesIn(first), ...(second === null ? [] : livesIn(second))];
  return [
    ...begin,
    ...quiet(first),
    ...drain(first),
    ...reports(first),
    ...exit(first),
    ...cut(first, second !== null && isDrained(second) ? second : null, lives),
    ...left(first),
    ...group(first),
    ...force(first),
    ...(second === null || second.isForLearning ? [] : again(first, second, lives)),
  ];
}

export const isDrained = (round: Round): round is Drained => round.signalAt !== null;

export const isWell = (findings: readonly Finding[]): boolean =>
  findings.every(({ level }) => level !== 'fault');
