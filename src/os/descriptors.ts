/** How many descriptors this process may have, and whether there are enough left to begin a program. */
import { closeSync, openSync, readFileSync } from 'node:fs';

/** Of the soft limit, which Node raises to the hard one as it starts; null where the system does not tell it. */
export function descriptorLimit(): number | null {
  try {
    const soft = /^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'latin1'))?.[1];
    return soft === undefined ? null : Number(soft);
  } catch {
    return null;
  }
}

/** So many connections are let in at once: whoever asks is never to be kept out by what runs, nor the other way round. */
export const connectionsFor = (limit: number | null): number =>
  Math.min(Math.max(Math.floor((limit ?? Number.POSITIVE_INFINITY) / 8), 8), 1024);

/** For what the daemon itself opens now and then: files, checks, hooks. */
const OWN = 8;

/**
 * Says why no program may be begun now; null: it may. Numbers are given out from the lowest on, so that a few of them
 * tell how many are taken; one alone may be a gap that something has just left.
 */
export function createHeadroom(limit = descriptorLimit()): () => string | null {
  if (limit === null) return () => null;
  const kept = connectionsFor(limit) + OWN;
  const why = `too many open files: the daemon may have ${limit} (ulimit -n), and keeps the last ${kept} for itself`;
  return () => (nextFree() < limit - kept ? null : why);
}

const GAPS = 4;

/** Infinite where not even these few are left. */
function nextFree(): number {
  const taken: number[] = [];
  try {
    for (let i = 0; i <= GAPS; i++) taken.push(openSync('/dev/null', 'r'));
    return taken.at(-1) ?? 0;
  } catch {
    return Number.POSITIVE_INFINITY;
  } finally {
    for (const descriptor of taken) closeSync(descriptor);
  }
}
