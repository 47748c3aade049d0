/**
 * The mark in the environment of everything that a run starts. It names the daemon by its run folder, so that no
 * other daemon's run can be meant; a daemon that is itself an instance adds its mark to the one it bears.
 */
import { createHash } from 'node:crypto';
import { resolve } from 'node:path';
import { type Run, run as runOf } from '../base/ids.ts';

export const MARK_NAME = 'TSUP_VISOR_MARK';

/** A hook or a check, rather than a run of an instance. */
export const isCommand = (run: Run): boolean => run < 0;

export interface Mark {
  /** The value of TSUP_VISOR_MARK for a run. */
  of(run: Run): string;
  /** The run that a value names, if it was given by this daemon; a command's is negative. */
  read(value: string): Run | null;
  /** What a gate bears for as long as it waits to become that run: no mark of a run. */
  waiting(run: Run): string;
  /** Whether a value is that, of this daemon or an earlier one. */
  isWaiting(value: string): boolean;
}

/** Tells the daemon of this run folder from all others. */
export function daemonKey(runDir: string): string {
  return createHash('sha256').update(resolve(runDir)).digest('hex').slice(0, 12);
}

export function createMark(runDir: string, inherited = process.env[MARK_NAME]): Mark {
  const daemon = daemonKey(runDir);
  const pattern = new RegExp(`(?:^| )${daemon}:(-?\\d+)(?: |$)`);
  const waiting = new RegExp(`(?:^| )${daemon}:gate-\\d+(?: |$)`);
  const borne = inherited === undefined || inherited === '' ? '' : ` ${inherited}`;
  return {
    of: (run) => `${daemon}:${run}${borne}`,
    read(value) {
      const found = pattern.exec(value)?.[1];
      return found === undefined ? null : runOf(Number(found));
    },
    waiting: (run) => `${daemon}:gate-${run}${borne}`,
    isWaiting: (value) => waiting.test(value),
  };
}
