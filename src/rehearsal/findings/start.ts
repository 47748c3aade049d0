/** Did it become ready, and was there something to lose when the signal came? */
import type { ReadyPlan } from '../../core/plan.ts';
import { type Finding, fault, good, note, warning } from '../finding.ts';
import type { Round, Trouble } from '../round.ts';
import { counted, ending, lasted, worded } from '../words.ts';
import { workAt } from '../work.ts';

/** What belongs to a fleet, and has no part in a rehearsal. */
export function alone({ program }: Round): Finding[] {
  const needs = Object.keys(program.dependsOn);
  return [
    ...(needs.length === 0
      ? []
      : [
          note(
            'alone',
            `depends on ${needs.join(', ')}, which ${needs.length === 1 ? 'is' : 'are'} not started here`,
          ),
        ]),
    ...(program.schedule === null ? [] : [note('alone', 'runs on a schedule; here it was started at once')]),
  ];
}

/** None where it never had a process: then there is a trouble that says why. */
export function ready(round: Round): Finding[] {
  const { readyAt, beganAt, exit, signalAt, program } = round;
  if (readyAt !== null) {
    return [good('ready', `was ready after ${lasted(readyAt - beganAt)}: ${SIGNS[program.ready.when]}`)];
  }
  if (round.leader === null || round.troubles.some(({ kind }) => kind === 'hook')) return [];
  if (exit !== null && !isAfter(exit.at, [signalAt, round.stopAt, round.killedAt])) {
    const text = `${ending(exit)} after ${lasted(exit.at - beganAt)}, before it was ready`;
    return [fault('ready', text, exit.code === 0 ? FOREGROUND : SEE_OUTPUT)];
  }
  return [fault('ready', `was not ready in time: ${missing(program.ready)}`, cureOf(program.ready))];
}

const SIGNS: Readonly<Record<ReadyPlan['when'], string>> = {
  spawned: 'it had lived for a while',
  notify: 'it said READY=1',
  log: 'its output said so',
  check: 'its check said so',
};

const isAfter = (at: number, others: readonly (number | null)[]): boolean =>
  others.some((other) => other !== null && at >= other);

const FOREGROUND =
  'if it goes into the background by itself, tell it not to: a supervised program stays in the foreground; else read what it wrote last, below';
const SEE_OUTPUT = 'read what it wrote last, below; what it needs (a database, a variable) may not be there';

function missing(ready: ReadyPlan): string {
  const limit = 'timeoutMs' in ready && ready.timeoutMs !== null ? ` within ${lasted(ready.timeoutMs)}` : '';
  if (ready.when === 'notify') return `it did not say READY=1${limit}`;
  if (ready.when === 'log') return `no line of its output was what \`ready.log\` waits for${limit}`;
  return `its check did not succeed${limit}`;
}

const cureOf = ({ when }: ReadyPlan): string =>
  when === 'notify'
    ? 'write READY=1 to descriptor 3 once it takes jobs, or leave out `ready` to take it for ready while it lives'
    : 'read what it wrote last, below, and see whether `ready` in the config waits for the right thing';

export const troubles = ({ troubles }: Round): Finding[] => troubles.map(troubleFound);

function troubleFound({ kind, detail }: Trouble): Finding {
  return kind === 'health'
    ? warning('trouble', detail, 'see whether `health` asks for something that only the whole fleet has')
    : fault('trouble', detail, CURES[kind]);
}

const CURES: Readonly<Record<Exclude<Trouble['kind'], 'health'>, string>> = {
  spawn: 'mend what the message names, in the config or on this machine',
  hook: 'run the hook by hand, as the same user and in the same directory',
  watchdog: 'send WATCHDOG=1 from a timer of its own, not between jobs',
};

/** What was under way at the moment of the signal: without anything, nothing is proved. */
export function work(round: Round): Finding[] {
  const { signalAt, exit, readyAt } = round;
  if (signalAt === null) return readyAt === null || exit === null ? [] : [endedItself(round, exit)];
  const found = workAt(round, signalAt);
  const when = `when ${round.program.drain.signal} was sent`;
  if (!found.isThere)
    return [warning('work', `nothing was in flight ${when}, so nothing is proved`, MORE_WORK)];
  const has = found.jobs ?? found.processes.length;
  const { wantedJobs } = round;
  if (wantedJobs !== null && has < wantedJobs) {
    return [
      warning('work', `only ${counted(has, 'job')} of ${wantedJobs} were in flight ${when}`, MORE_WORK),
    ];
  }
  return [good('work', `had ${worded(found)} ${when}`)];
}

const MORE_WORK =
  'give it work: it may choose a test queue by TSUP_VISOR_REHEARSAL=1 in its environment; wait for work longer with --after';

function endedItself(round: Round, exit: NonNullable<Round['exit']>): Finding {
  const { program, readyAt } = round;
  const text = `${ending(exit)} by itself ${lasted(exit.at - (readyAt ?? round.beganAt))} after it was ready, before any signal was sent`;
  const isClean = exit.code !== null && program.successExitCodes.includes(exit.code);
  if (isClean && program.restart !== 'always') {
    return warning('work', text, 'give it more work to do, so that there is something to interrupt');
  }
  return fault('work', text, SEE_OUTPUT);
}
