/** What the signal did to its processes, and what one to its whole group would do. */
import { constants } from 'node:os';
import { type Finding, fault, good, note, warning } from '../finding.ts';
import { goneInTheMoment, judge, type Life } from '../lives.ts';
import { type Drained, isTwice, type Round, type Sighting } from '../round.ts';
import { counted, lasted, named } from '../words.ts';
import { workAt } from '../work.ts';
import { isDeafShell } from './exit.ts';

/** Those whose end in the moment after `at` may have been that of the signal; none where its own word is that it was idle. */
export function suspectsAt(round: Drained, at: number): Sighting[] {
  const { processes, jobs } = workAt(round, at);
  if (jobs === 0) return [];
  const suspects = goneInTheMoment(processes, at);
  return suspects.filter((one) => one.killedBy !== null || !isStep(one, processes));
}

/** Of a job that has a process of its own: whatever that did decides. Whoever cuts a job does not begin with its smallest part. */
const isStep = (one: Sighting, processes: readonly Sighting[]): boolean =>
  processes.some(({ pid }) => pid === one.ppid);

export const cutAt = (round: Drained, at: number, lives: readonly Life[]): Sighting[] =>
  suspectsAt(round, at).filter((suspect) => judge(suspect, lives) === 'cut');

export const unsureAt = (round: Drained, at: number, lives: readonly Life[]): Sighting[] =>
  suspectsAt(round, at).filter((suspect) => judge(suspect, lives) === 'unknown');

/** `second`: another round, in which the same should have happened again. */
export function cut(round: Drained, second: Drained | null, lives: readonly Life[]): Finding[] {
  const { signalAt, program } = round;
  const dead = cutAt(round, signalAt, lives);
  const unsure = unsureAt(round, signalAt, lives);
  const { signal } = program.drain;
  if (dead.length === 0 && unsure.length > 0)
    return [warning('cut', ended(unsure, signalAt, signal), TO_BE_SURE)];
  if (dead.length === 0) {
    const { processes } = workAt(round, signalAt);
    return processes.length === 0 ? [] : [good('cut', `none of its processes was ended by ${signal}`)];
  }
  const isAgain = second === null || cutAt(second, second.signalAt, lives).length > 0;
  // Where one was, what ended beside it was not by chance either.
  const text = ended([...dead, ...unsure], signalAt, signal);
  return isProvedBy(dead) || isAgain
    ? [fault('cut', text, CURE_OF_CUT)]
    : [warning('cut', `${text}; not so in the second round`, TO_BE_SURE)];
}

/** Seen to be, or more at once than chance would have it. */
export const isProvedBy = (dead: readonly Sighting[]): boolean =>
  dead.some(({ killedBy }) => killedBy !== null) || dead.length > 1;

function ended(dead: readonly Sighting[], signalAt: number, signal: string): string {
  const within = Math.max(...dead.map(({ goneAt }) => (goneAt ?? signalAt) - signalAt));
  const count = counted(dead.length, 'process', 'processes');
  return `${count} ended within ${lasted(within)} of ${signal}, which was sent to the main process alone: ${named(dead)}`;
}

const CURE_OF_CUT =
  'do not hand the signal on to the jobs: no kill of the group, no abort of their `signal`, before the deadline is near';
export const TO_BE_SURE = 'this may be chance; run it again, with longer jobs or without --once, to be sure';

/**
 * Who in the main process's own group would hear what is sent to the group. What catches signals may heed them well or
 * not: that has to be tried, and `tried` is the round in which the whole group got the signal.
 */
export function group(round: Drained, tried: Round | null, lives: readonly Life[]): Finding[] {
  const { processes, jobs } = workAt(round, round.signalAt);
  if (processes.length === 0) return [];
  const exposed = exposedIn(round);
  if (exposed.length > 0) {
    const text = `has ${named(exposed)} ${IN_GROUP}: Ctrl-C, or a signal to the group, would be the end of that`;
    // Without a job in flight it is a helper, and no job.
    return [jobs === 0 ? note('group', text) : fault('group', text, CURE_OF_GROUP)];
  }
  const wilful = wilfulIn(round);
  if (wilful.length > 0) return [groupTried(wilful, round, tried, lives)];
  return [good('group', 'a signal to its process group would reach none of its processes')];
}

const IN_GROUP = 'in its own process group';

function groupTried(
  wilful: readonly Sighting[],
  round: Drained,
  tried: Round | null,
  lives: readonly Life[],
): Finding {
  const { signal } = round.program.drain;
  if (tried === null || !isTwice(tried)) {
    const text = `has ${named(wilful)} ${IN_GROUP}, with a handler for signals: what one to the group does was not tried`;
    return warning('group', text, CURE_OF_GROUP);
  }
  const dead = cutAt(tried, tried.againAt, lives).filter((one) => one.group === tried.leader);
  return dead.length === 0
    ? good('group', `has ${named(wilful)} ${IN_GROUP}, which worked on after a ${signal} to all of it`)
    : fault(
        'group',
        `had ${named(dead)} ${IN_GROUP}: a ${signal} to all of it was the end of that`,
        CURE_OF_GROUP,
      );
}

const withinGroup = (round: Drained): Sighting[] =>
  workAt(round, round.signalAt).processes.filter(
    (one) => one.group === round.leader && !isWorker(one, round),
  );

const exposedIn = (round: Drained): Sighting[] =>
  withinGroup(round).filter((one) => endsAtOnce(one, round.program.drain.signal));

/** What decides itself what a signal does to it: none where something is exposed anyway. */
export function wilfulIn(round: Drained): Sighting[] {
  if (exposedIn(round).length > 0) return [];
  return withinGroup(round).filter((one) => catches(one, round.program.drain.signal));
}

/** Behind a shell that does not hear for it: that is another fault. */
const isWorker = ({ ppid }: Sighting, round: Drained): boolean => ppid === round.leader && isDeafShell(round);

const CURE_OF_GROUP =
  'start job children in a group of their own: runner.exec of "tsup-visor/runner" or `detached: true` in Node.js, Setpgid in Go, start_new_session in Python, setsid in a shell';

/** Of Ctrl-C and the drain's signal: one that it neither ignores nor catches. */
const endsAtOnce = ({ heeded }: Sighting, signal: string): boolean =>
  groupSignals(signal).some((number) => !heeded.ignored.includes(number) && !heeded.caught.includes(number));

const catches = ({ heeded }: Sighting, signal: string): boolean =>
  groupSignals(signal).some((number) => heeded.caught.includes(number));

function groupSignals(signal: string): number[] {
  const numbers: Readonly<Record<string, number>> = constants.signals;
  return [constants.signals.SIGINT, numbers[`SIG${signal}`] ?? constants.signals.SIGTERM];
}
