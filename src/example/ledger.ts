/** What became of each job, a line each: only ever appended to, so that it can be trusted afterwards. */
import { closeSync, openSync, readFileSync, writeSync } from 'node:fs';

export interface LedgerLine {
  readonly what: 'begun' | 'done' | 'interrupted';
  readonly job: string;
  readonly instance: string;
  readonly run: string;
  /** Of the job's child; null when it could not be started. */
  readonly pid: number | null;
  /** ISO 8601 in UTC. */
  readonly at: string;
  /** Why it was interrupted. */
  readonly why?: string;
}

export interface Ledger {
  append(line: LedgerLine): void;
  close(): void;
}

/** Several processes append at once: O_APPEND and one write a line keep the lines whole. */
export function openLedger(file: string): Ledger {
  const fd = openSync(file, 'a');
  return {
    append: (line) => void writeSync(fd, `${JSON.stringify(line)}\n`),
    close: () => closeSync(fd),
  };
}

/** The lines of a ledger, in order. A file that is not there holds none. */
export function readLedger(file: string): LedgerLine[] {
  let text = '';
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
  }
  // Written by append() alone; a last line without its end is still being written.
  return text
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as LedgerLine);
}
