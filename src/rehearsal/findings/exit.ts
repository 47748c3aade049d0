/** How its main process ended, and what it left. */
import { basename } from 'node:path';
import { type Finding, fault, good, warning } from '../finding.ts';
import type { Drained, Exit, Sighting } from '../round.ts';
import { counted, ending, lasted, named, worded } from '../words.ts';
import { inFlightAt, isShell, workAt } from '../work.ts';

/** What has not ended by itself has no exit of its own to judge. */
export function exit(round: Drained): Finding[] {
  const { exit, signalAt } = round;
  if (exit === null || wasForced(round)) return [];
  if (exit.signal !== null) return [endedBySignal(round, exit)];
  const jobs = inFlightAt(round.reports, exit.at) ?? 0;
  const text = `${ending(exit)} ${lasted(exit.at - signalAt)} after ${round.program.drain.signal}`;
  if (jobs > 0) return [fault('exit', `${text}, with ${counted(jobs, 'job')} still in flight`, WAIT)];
  const abandoned = abandonedBy(round, exit);
  if (abandoned.length > 0) {
    const still = `${abandoned.length === 1 ? 'was' : 'were'} still at work for it`;
    return [fault('exit', `${text}, while ${named(abandoned)} ${still}`, WAIT)];
  }
  if (exit.code !== null && round.program.successExitCodes.includes(exit.code)) return [good('exit', text)];
  const cure = 'exit with 0 when all is done, or name the code in success_exit_codes';
  return [warning('exit', `${text}, which counts as a failure`, cure)];
}

const WAIT = 'on the signal, take no more jobs and wait for those that are begun; exit when they are done';

/** By us, after the drain: a stop signal that it does not handle is a clean end after `done_when: notify`. */
const wasForced = ({ stopAt, killedAt, exit }: Drained): boolean =>
  [stopAt, killedAt].some((at) => at !== null && exit !== null && exit.at >= at);

function endedBySignal(round: Drained, exit: Exit): Finding {
  const { program, signalAt } = round;
  const isOurs = exit.signal === program.drain.signal || exit.signal === `SIG${program.drain.signal}`;
  const found = workAt(round, signalAt);
  const text = `${ending(exit)} ${lasted(exit.at - signalAt)} after ${program.drain.signal}`;
  if (!isOurs) return fault('exit', text, 'see why it crashed, in what it wrote last, below');
  const why = `${text}: it has no handler for ${program.drain.signal}`;
  return found.isThere
    ? fault('exit', `${why}, and had ${worded(found)}`, cureOfDeaf(round))
    : warning('exit', `${why}; with a job in flight, that would have been lost`, cureOfDeaf(round));
}

/** A shell that runs the worker instead of becoming it takes the signal for itself. */
export function isDeafShell({ program, processes, leader, exit }: Drained): boolean {
  const hasWorker = processes.some(({ ppid }) => ppid === leader);
  return isShell(program) && hasWorker && exit !== null && exit.signal !== null;
}

function cureOfDeaf(round: Drained): string {
  const { program } = round;
  const [word = '', option] = program.command;
  if (!isDeafShell(round)) return `handle ${program.drain.signal}: ${WAIT}`;
  const how = option === '-c' ? '`exec` before the last command' : '`exec` before the worker in the script';
  return `the signal goes to ${basename(word)}, not to what it runs: put ${how}, or let the script trap it and wait`;
}

/** One that exits so soon has not waited for anything. */
const AT_ONCE_MS = 1000;

/** What it had begun itself, and did not wait for. */
function abandonedBy(round: Drained, exit: Exit): Sighting[] {
  if (exit.at - round.signalAt > AT_ONCE_MS) return [];
  const { processes } = workAt(round, round.signalAt);
  return leftAt(processes, exit).filter(({ ppid }) => ppid === round.leader);
}

/** A look takes a while, and what the leader had reaped a moment before may have been seen in it. */
const AFTERLIFE_MS = 40;

export const leftAt = (processes: readonly Sighting[], { at }: Exit): Sighting[] =>
  processes.filter(({ firstAt, lastAt }) => firstAt <= at + AFTERLIFE_MS && lastAt > at + AFTERLIFE_MS);

export function left(round: Drained): Finding[] {
  const { exit, processes, program } = round;
  if (exit === null) return [];
  const behind = leftAt(processes, exit);
  if (behind.length === 0) return [good('left', 'left no process behind')];
  const who = `${counted(behind.length, 'process', 'processes')} behind: ${named(behind)}`;
  const endless = behind.filter(({ goneAt }) => wasEndedByUs(round, goneAt));
  if (endless.length > 0) {
    const why = program.drain.waitFor === 'leader' ? WAIT_FOR_TREE : WAIT_FOR_CHILDREN;
    return [fault('left', `left ${who}; what did not end by itself had to be ended`, why)];
  }
  const last = Math.max(...behind.map(({ lastAt }) => lastAt));
  const text = `left ${who}, at work for another ${lasted(last - exit.at)}; tsup-visor waits for that, others do not`;
  return [warning('left', text, WAIT_FOR_CHILDREN)];
}

const WAIT_FOR_CHILDREN =
  'wait for the child processes before it exits, and end those that would run for ever';
const WAIT_FOR_TREE = `${WAIT_FOR_CHILDREN}; with \`drain: { wait_for: tree }\` they are waited for`;

/** Gone only after it was told to, or not even then. */
const wasEndedByUs = ({ stopAt, killedAt }: Drained, goneAt: number | null): boolean =>
  [stopAt, killedAt].some((at) => at !== null && (goneAt === null || goneAt >= at));
