/** What an instance is doing, in one line. */
import type { InstanceStatus } from '../../protocol/status.ts';
import { printable } from './text.ts';
import { elapsed, jobs, until } from './words.ts';

/** `draining 41s, 2 jobs in flight, until 14:02`, or what it says of itself. */
export function doing(instance: InstanceStatus, now: Date): string {
  const said = printable(instance.message).trim();
  if (instance.drain !== null && instance.state === 'draining') {
    const { elapsed_ms, in_flight, deadline } = instance.drain;
    const parts = [`draining ${elapsed(elapsed_ms)}`];
    if (in_flight !== null) parts.push(jobs(in_flight));
    // The daemon says so itself where the deadline has passed; there is none any more then.
    if (!said.includes('past its deadline')) parts.push(until(deadline, now));
    // The daemon may have put the same into its own words.
    return said === '' || said.startsWith('draining') ? parts.join(', ') : `${parts.join(', ')}; ${said}`;
  }
  if (instance.state !== 'running' || instance.in_flight === null) return said;
  return said === '' ? jobs(instance.in_flight) : `${jobs(instance.in_flight)}; ${said}`;
}
