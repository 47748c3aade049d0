/**
 * While nobody answers, the daemon goes before others: what it has to do then is little, and everybody waits for it.
 * Only root may; for all others it goes at its own pace.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { getPriority, setPriority } from 'node:os';

export interface Pace {
  /** Of the process among those of its session, or of all, as setpriority(2) has it. */
  readonly nice: number;
  /** Of the session among all others, as sched(7) has it of autogroups; null: there are none here. */
  readonly session: number | null;
}

const FIRST = -20;
const SESSION = '/proc/self/autogroup';

/** Returns what it was, to be given to `goOnAt`; null where it could not be changed. */
export function hurry(): Pace | null {
  try {
    const before = { nice: getPriority(), session: sessionNice() };
    goOnAt({ nice: FIRST, session: before.session === null ? null : FIRST });
    return before;
  } catch {
    return null;
  }
}

/** Before anything is begun that would inherit it. Never throws. */
export function goOnAt({ nice, session }: Pace): void {
  if (session !== null) quietly(() => writeFileSync(SESSION, String(session)));
  // Of each thread by itself, as Linux has it: those that are begun meanwhile have taken on that of the first.
  for (const thread of threads()) quietly(() => setPriority(thread, nice));
}

function threads(): readonly number[] {
  try {
    return readdirSync('/proc/self/task').map(Number);
  } catch {
    return [0];
  }
}

function sessionNice(): number | null {
  try {
    const nice = /nice (-?\d+)/.exec(readFileSync(SESSION, 'latin1'))?.[1];
    return nice === undefined ? null : Number(nice);
  } catch {
    return null;
  }
}

function quietly(act: () => void): void {
  try {
    act();
  } catch {
    // Not allowed, or not here.
  }
}

/** As it was told by the program before this one. */
export function paceIn(value: unknown): Pace | null {
  if (typeof value !== 'object' || value === null) return null;
  const { nice, session }: Partial<Record<keyof Pace, unknown>> = value;
  if (typeof nice !== 'number') return null;
  return { nice, session: typeof session === 'number' ? session : null };
}
