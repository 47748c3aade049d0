/**
 * Processes that were seen to bear no mark of ours, so that their environments are not read at each look. Numbers
 * are given out in a circle: one that the system has not come past since the last look is still the same process.
 */
import { readFileSync } from 'node:fs';
import type { Run } from '../base/ids.ts';

/** Where the system stands in giving out process numbers. */
export interface Allocation {
  /** The number given out last. */
  readonly last: number;
  /** Processes and threads begun since the machine was started. */
  readonly forks: number;
}

export class Unmarked {
  private readonly read: () => Allocation | null;
  private readonly circle: number;
  private before: Allocation | null = null;
  private known = new Map<number, number>();
  private seen = new Map<number, number>();

  /** `circle`: how many numbers there are at least before one comes again. */
  constructor(read = readAllocation, circle = pidMax() - RESERVED) {
    this.read = read;
    this.circle = circle;
  }

  beginScan(): void {
    const { before } = this;
    // What the last look did not meet any more has ended.
    this.known = this.seen;
    this.seen = new Map();
    // Read before the look: a number that is given out meanwhile counts as new the next time.
    this.before = this.read();
    if (before === null || this.before === null || this.before.forks - before.forks >= this.circle) {
      this.known.clear();
      return;
    }
    for (const pid of this.known.keys())
      if (isBetween(before.last, pid, this.before.last)) this.known.delete(pid);
  }

  /** `undefined` of a process that cannot be told yet: it is looked into again. */
  unless(pid: number, session: number, read: () => Run | null | undefined): Run | null | undefined {
    if (this.known.get(pid) === session || this.seen.get(pid) === session) {
      this.seen.set(pid, session);
      return null;
    }
    const run = read();
    if (run === null) this.seen.set(pid, session);
    return run;
  }
}

/** Given out after `from`, up to `to`, on the circle. */
function isBetween(from: number, pid: number, to: number): boolean {
  return from <= to ? pid > from && pid <= to : pid > from || pid <= to;
}

/** The kernel never gives out the numbers below this a second time. */
const RESERVED = 300;

function pidMax(): number {
  const max = Number(text('/proc/sys/kernel/pid_max'));
  return max > RESERVED ? max : 0;
}

/** Null where the system does not tell. */
function readAllocation(): Allocation | null {
  const last = Number(text('/proc/loadavg').split(' ')[4]);
  const forks = Number(/^processes (\d+)$/m.exec(text('/proc/stat'))?.[1]);
  return Number.isInteger(last) && Number.isInteger(forks) ? { last, forks } : null;
}

function text(path: string): string {
  try {
    return readFileSync(path, 'latin1').trim();
  } catch {
    return '';
  }
}
