/** Does the same signal, twice within moments, hurt? A group signal and a forwarded one come like that. */
import { type Finding, fault, good, note } from '../finding.ts';
import type { Life } from '../lives.ts';
import { type Drained, isTwice, type Round, type Sighting, type Twice } from '../round.ts';
import { counted, ending, lasted, named } from '../words.ts';
import { inFlightAt, workAt } from '../work.ts';
import { cutAt } from './children.ts';
import { leftAt } from './exit.ts';

/** What the first round suffered as well was not the second signal's doing. */
export function again(first: Drained, second: Round, lives: readonly Life[]): Finding[] {
  const { signal } = first.program.drain;
  if (!isTwice(second)) {
    return [
      note('again', `a second ${signal} was not tried: the second instance had ended, or had no time for it`),
    ];
  }
  const gap = lasted(second.againAt - second.signalAt);
  if (!workAt(second, second.signalAt).isThere) {
    return [note('again', `a second ${signal} after ${gap} proves nothing: nothing was in flight`)];
  }
  const harm = harmIn(second, first, lives);
  return harm === null
    ? [good('again', `a second ${signal} ${gap} after the first changed nothing`)]
    : [fault('again', `a second ${signal} ${gap} after the first hurts: ${harm}`, CURE)];
}

const CURE =
  'a signal that comes twice within moments is one from the group and one handed on, not a user who insists: take the second one as the first for some 500ms';

function harmIn(second: Twice, first: Drained, lives: readonly Life[]): string | null {
  const { exit } = second;
  const dead = cutAt(second, second.againAt, lives);
  if (dead.length > 0 && cutAt(first, first.signalAt, lives).length === 0) return `it ended ${named(dead)}`;
  if (exit === null) return null;
  if (isClean(first) && !isClean(second))
    return `it ${ending(exit)}, ${lasted(exit.at - second.againAt)} later`;
  const jobs = inFlightAt(second.reports, exit.at) ?? 0;
  if (jobs > 0 && jobsLeft(first) === 0) return `it exited with ${counted(jobs, 'job')} still in flight`;
  const behind = leftWork(second);
  return behind.length > 0 && leftWork(first).length === 0
    ? `it exited while ${named(behind)} still worked`
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
