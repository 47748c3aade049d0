/** From what was seen to what it means: pure, so that a table can test it. */
import type { Finding } from './finding.ts';
import { again } from './findings/again.ts';
import { cut, group } from './findings/children.ts';
import { drain, force, quiet, reports } from './findings/drain.ts';
import { exit, left } from './findings/exit.ts';
import { alone, ready, troubles, work } from './findings/start.ts';
import { livesIn } from './lives.ts';
import { isDrained, type Round } from './round.ts';

/** Each null where it was not played. Their own drains are judged only where that says something about the first. */
export interface FurtherRounds {
  /** The signal came twice, or all was only watched for longer. */
  readonly second: Round | null;
  /** As the second, where that left doubts. */
  readonly confirming: Round | null;
  /** The signal came to the whole group, too. */
  readonly grouped: Round | null;
}

const NONE: FurtherRounds = { second: null, confirming: null, grouped: null };

export function diagnose(
  first: Round,
  { second, confirming, grouped }: FurtherRounds = NONE,
): readonly Finding[] {
  const begin = [...alone(first), ...ready(first), ...troubles(first), ...work(first)];
  if (!isDrained(first)) return begin;
  const lives = [first, second, confirming, grouped].flatMap((round) =>
    round === null ? [] : livesIn(round),
  );
  return [
    ...begin,
    ...quiet(first),
    ...drain(first),
    ...reports(first),
    ...exit(first),
    ...cut(first, second !== null && isDrained(second) ? second : null, lives),
    ...left(first),
    ...group(first, grouped, lives),
    ...force(first),
    ...(second === null || second.isForLearning ? [] : again(first, { second, confirming }, lives)),
  ];
}

export const isWell = (findings: readonly Finding[]): boolean =>
  findings.every(({ level }) => level !== 'fault');
