/** What an instance is doing, in one line. */
import { describeExit } from '../../base/exit-status.ts';
import type { InstanceStatus, LastExit } from '../../protocol/status.ts';
import { printable } from './text.ts';
import { elapsed, inLocalTime, jobs, soon, until } from './words.ts';

/** `draining 41s, 2 jobs in flight, until 14:02`, `for redis (ready)`, or what it says of itself. */
export function doing(instance: InstanceStatus, now: Date): string {
  const said = inLocalTime(printable(instance.message)).trim();
  const parts = [ownWords(instance, said, now), ...lastWords(instance, said)];
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
function lastWords({ state, last_exit }: InstanceStatus, said: string): string[] {
  if (last_exit === null) return [];
  const failed = state === 'waiting' && FAILED.has(last_exit.because);
  if (!failed && !last_exit.oom) return [];
  const words = describe(last_exit);
  return said.includes(words) ? [] : [`its last run ${words}`];
}

const FAILED: ReadonlySet<string> = new Set(['crash', 'not ready', 'hook', 'watchdog']);

function describe({ code, signal, oom }: LastExit): string {
  if (signal !== null) return describeExit({ kind: 'signal', signal, ...(oom ? { oom: true } : {}) });
  return describeExit(code === null ? { kind: 'unknown' } : { kind: 'code', code });
}
