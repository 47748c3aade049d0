/** Small phrases that several findings share. */
import { formatDuration } from '../base/duration.ts';
import type { Exit, Sighting } from './round.ts';
import type { Work } from './work.ts';

export const counted = (count: number, one: string, many = `${one}s`): string =>
  `${count} ${count === 1 ? one : many}`;

/** `1.2s`; never less than a millisecond. */
export const lasted = (ms: number): string => formatDuration(Math.max(1, ms));

const MOST_NAMED = 4;
const LONGEST = 60;

/** `17 (bash hello.sh 3), 18 (sleep 2)` */
export function named(processes: readonly Sighting[]): string {
  const names = processes.slice(0, MOST_NAMED).map(({ pid, command }) => `${pid} (${shortened(command)})`);
  const more = processes.length - names.length;
  return more > 0 ? `${names.join(', ')} and ${more} more` : names.join(', ');
}

/** A command may hold anything, line ends and escape sequences too. */
function shortened(command: string): string {
  const plain = command.replace(/\p{Cc}+/gu, ' ').trim();
  return plain.length > LONGEST ? `${plain.slice(0, LONGEST - 1)}…` : plain;
}

/** `2 jobs and 3 processes` */
export function worded({ jobs, processes }: Omit<Work, 'isThere'>): string {
  const parts = [
    ...(jobs === null || jobs === 0 ? [] : [`${counted(jobs, 'job')} in flight`]),
    ...(processes.length === 0 ? [] : [`${counted(processes.length, 'process', 'processes')} of its own`]),
  ];
  return parts.length === 0 ? 'nothing in flight' : parts.join(' and ');
}

export function ending({ code, signal, oom }: Exit): string {
  if (oom) return 'was ended by the kernel for want of memory';
  if (signal !== null) return `was ended by ${signal}`;
  return code === null ? 'ended, with an unknown exit status' : `exited with code ${code}`;
}
