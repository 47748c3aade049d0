/** Does the same signal, twice within moments, hurt? A group signal and a forwarded one come like that. */
import { type Finding, fault, good, note, warning } from '../finding.ts';
import { type Life, livesIn } from '../lives.ts';
import { type Drained, isTwice, type Round, type Sighting, type Twice } from '../round.ts';
import { counted, ending, lasted, named } from '../words.ts';
import { inFlightAt, workAt } from '../work.ts';
import { cutAt, isProvedBy, TO_BE_SURE } from './children.ts';
import { leftAt } from './exit.ts';

/** What the first round suffered as well was not the second signal's doing. */
export function again(
  first: Drained,
  { second, confirming }: SecondSignal,
  lives: readonly Life[],
): Finding[] {
  const { signal } = first.program.drain;
  if (!isTwice(second)) {
    return [note('again', `a second ${signal} was not tried: that instance had ended before it`)];
  }
  const gap = lasted(second.againAt - second.signalAt);
  if (!workAt(second, second.signalAt).isThere) {
    return [note('again', `a second ${signal} after ${gap} proves nothing: nothing was in flight`)];
  }
  const harm = confirmed(harmIn(second, first, lives), confirming, lives);
  if (harm?.isSure === false) {
    const text = `a second ${signal} ${gap} after the first may hurt: ${harm.what}`;
    return [warning('again', text, TO_BE_SURE)];
  }
  return harm === null
    ? [good('again', `a second ${signal} ${gap} after the first changed nothing`)]
    : [fault('again', `a second ${signal} ${gap} after the first hurts: ${harm.what}`, CURE)];
}

const CURE =
  'a signal that comes twice within moments is one from the group and one handed on, not a user who insists: take the second one as the first for some 250ms';

export interface SecondSignal {
  readonly second: Round;
  /** Another round like it; null where that was not needed. */
  readonly confirming: Round | null;
}

/** Something may have been cut by the second signal, or by chance: another round tells. */
export function isInDoubt(first: Drained, second: Round): boolean {
  const lives = [...livesIn(first), ...livesIn(second)];
  return isTwice(second) && harmIn(second, first, lives)?.isSure === false;
}

/** Once may be chance. */
function confirmed(harm: Harm | null, confirming: Round | null, lives: readonly Life[]): Harm | null {
  if (harm === null || harm.isSure || confirming === null || !isTwice(confirming)) return harm;
  return { ...harm, isSure: cutAt(confirming, confirming.againAt, lives).length > 0 };
}

interface Harm {
  readonly what: string;
  /** It was not chance. */
  readonly isSure: boolean;
}

const sure = (what: string): Harm => ({ what, isSure: true });

function harmIn(second: Twice, first: Drained, lives: readonly Life[]): Harm | null {
  const dead = cutAt(second, second.againAt, lives);
  const isNew = dead.length > 0 && cutAt(first, first.signalAt, lives).length === 0;
  if (isNew && isProvedBy(dead)) return sure(`it ended ${named(dead)}`);
  return earlyExit(second, first) ?? (isNew ? { what: `it ended ${named(dead)}`, isSure: false } : null);
}

function earlyExit(second: Twice, first: Drained): Harm | null {
  const { exit } = second;
  if (exit === null) return null;
  if (isClean(first) && !isClean(second))
    return sure(`it ${ending(exit)}, ${lasted(exit.at - second.againAt)} later`);
  const jobs = inFlightAt(second.reports, exit.at) ?? 0;
  if (jobs > 0 && jobsLeft(first) === 0)
    return sure(`it exited with ${counted(jobs, 'job')} still in flight`);
  const behind = leftWork(second);
  return behind.length > 0 && leftWork(first).length === 0
    ? sure(`it exited while ${named(behind)} still worked`)
    : null;
}

const jobsLeft = ({ exit, reports }: Drained): number =>
  exit === null ? 0 : (inFlightAt(reports, exit.at) ?? 0);

/** What was at work when the signal came, and still is when the main process has ended. */
const leftWork = (round: Drained): Sighting[] =>
  round.exit === null ? [] : leftAt(workAt(round, round.signalAt).processes, round.exit);

function isClean({ exit, program, killedAt }: Drained): boolean {
  if (exit === null || killedAt !== null) return false;
  return exit.code !== null && program.successExitCodes.includes(exit.code);
}
