/** What an instance is doing, in one line. */
import { describeExit } from '../../base/exit-status.ts';
import type { InstanceState, InstanceStatus, LastExit } from '../../protocol/status.ts';
import { printable } from './text.ts';
import { elapsed, inLocalTime, jobs, soon, until } from './words.ts';

/** `draining 41s, 2 jobs in flight, until 14:02`, `for redis (ready)`, or what it says of itself. */
export function doing(instance: InstanceStatus, now: Date): string {
  const said = inLocalTime(printable(instance.message)).trim();
  const parts = [ownWords(instance, said, now), ...lastWords(instance, said, now)];
  return parts.filter((part) => part !== '').join('; ');
}

function ownWords(instance: InstanceStatus, said: string, now: Date): string {
  if (instance.state === 'draining' && instance.drain !== null) return drains(instance.drain, said, now);
  if (instance.state === 'waiting') return waits(instance, said, now);
  if (instance.state !== 'running' || instance.in_flight === null) return said;
  return said === '' ? jobs(instance.in_flight) : `${jobs(instance.in_flight)}; ${said}`;
}

function drains(drain: NonNullable<InstanceStatus['drain']>, said: string, now: Date): string {
  const { elapsed_ms, in_flight, deadline } = drain;
  const parts = [`draining ${elapsed(elapsed_ms)}`];
  if (in_flight !== null) parts.push(jobs(in_flight));
  // The daemon says so itself where the deadline has passed; there is none any more then.
  if (!said.includes('past its deadline')) parts.push(until(deadline, now));
  // The daemon may have put the same into its own words.
  return said === '' || said.startsWith('draining') ? parts.join(', ') : `${parts.join(', ')}; ${said}`;
}

/** The state beside it says that it waits; times are told in the words of the place where one looks. */
function waits({ waits_for, next_run }: InstanceStatus, said: string, now: Date): string {
  if (waits_for === null && next_run !== null) return `next run ${soon(next_run, now)}`;
  if (said === '' && waits_for !== null) return `for ${printable(waits_for)}`;
  return said.replace(/^waits /, '');
}

/** How the last run ended, where that is not to be overlooked and the daemon does not say it. */
function lastWords({ state, last_exit }: InstanceStatus, said: string, now: Date): string[] {
  if (last_exit === null) return [];
  const words = describe(last_exit);
  if (said.includes(words)) return [];
  if (state === 'exited') return [`${words} at ${soon(last_exit.at, now)}`];
  if (last_exit.oom || (state === 'waiting' && FAILED.has(last_exit.because)))
    return [`its last run ${words}`];
  return isUp(state) && isRecent(last_exit, now) ? whyAgain(last_exit, now) : [];
}

const FAILED: ReadonlySet<string> = new Set(['crash', 'not ready', 'hook', 'watchdog']);
const RECENT_MS = 10 * 60_000;

const isUp = (state: InstanceState): boolean => state === 'running' || state === 'starting';
const isRecent = ({ at }: LastExit, now: Date): boolean => now.getTime() - Date.parse(at) < RECENT_MS;

/** The signal of an end that we made says nothing: what made us do that is said instead. */
function whyAgain(exit: LastExit, now: Date): string[] {
  const at = `at ${soon(exit.at, now)}`;
  switch (exit.because) {
    case 'crash':
      return [`its last run ${describe(exit)} ${at}`];
    case 'unhealthy':
      return [`its last run was unhealthy ${at}`];
    case 'watchdog':
      return [`its last run was taken for hung ${at}`];
    case 'not ready':
      return [`its last run was not ready in time, ${at}`];
    case 'hook':
      return [`a hook of its last run failed ${at}`];
    default:
      return [];
  }
}

function describe({ code, signal, oom }: LastExit): string {
  if (signal !== null) return describeExit({ kind: 'signal', signal, ...(oom ? { oom: true } : {}) });
  return describeExit(code === null ? { kind: 'unknown' } : { kind: 'code', code });
}
