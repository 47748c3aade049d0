/** Counts what became of the jobs of a queue. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { type LedgerLine, readLedger } from './ledger.ts';
import { folders, jobsIn } from './queue.ts';

export interface Tally {
  readonly jobs: number;
  /** Lines of the ledger, so that a job that was begun twice counts twice. */
  readonly begun: number;
  readonly done: number;
  readonly interrupted: number;
  readonly doneTwice: readonly string[];
  /** Known by a file or by the ledger, but not done, or without a result. */
  readonly missing: readonly string[];
  /** Of the missing ones: still in the queue. */
  readonly waiting: number;
  /** Of the missing ones: taken by a runner, which may be dead. */
  readonly underWay: number;
}

/**
 * May be asked while jobs move on: the folders are read in the order in which a job passes through them and the
 * ledger last, so that a job on its way is seen at least once.
 */
export function tally(dir: string): Tally {
  const at = folders(dir);
  const todo = jobsIn(at.todo);
  const doing = subfolders(at.doing).flatMap(jobsIn);
  const failed = jobsIn(at.failed);
  const results = new Set(jobsIn(at.done));
  const lines = readLedger(at.ledger);
  const jobs = new Set([...lines.map((line) => line.job), ...todo, ...doing, ...failed, ...results]);
  const done = count(lines, 'done');
  const missing = [...jobs].filter((job) => !done.has(job) || !results.has(job)).sort();
  return {
    jobs: jobs.size,
    begun: sum(count(lines, 'begun')),
    done: sum(done),
    interrupted: sum(count(lines, 'interrupted')),
    doneTwice: [...done].filter(([, times]) => times > 1).map(([job]) => job),
    missing,
    waiting: todo.length,
    underWay: doing.filter((job) => missing.includes(job)).length,
  };
}

/** Nothing is waiting and nothing is under way, for better or worse. */
export const isWorkedOff = (it: Tally): boolean => it.waiting === 0 && it.underWay === 0;

/** Every job was begun once, done once, and never cut. */
export const isPerfect = (it: Tally): boolean =>
  it.missing.length === 0 && it.interrupted === 0 && it.begun === it.jobs && it.done === it.jobs;

export function describe(it: Tally): string {
  const rows: [string, number, readonly string[]][] = [
    ['jobs', it.jobs, []],
    ['begun', it.begun, []],
    ['done', it.done, []],
    ['interrupted', it.interrupted, []],
    ['done twice', it.doneTwice.length, it.doneTwice],
    ['missing', it.missing.length, it.missing],
  ];
  const table = rows.map(([name, n, which]) =>
    `${name.padEnd(12)}${String(n).padStart(5)}  ${some(which)}`.trimEnd(),
  );
  return [...table, verdict(it)].join('\n');
}

function verdict(it: Tally): string {
  if (isPerfect(it)) return 'every job was done exactly once';
  if (!isWorkedOff(it)) return `not over yet: ${it.waiting} waiting, ${it.underWay} under way`;
  return 'NOT every job was done exactly once';
}

const some = (names: readonly string[]): string =>
  names.length > 5 ? `${names.slice(0, 5).join(' ')} …` : names.join(' ');

function count(lines: readonly LedgerLine[], what: LedgerLine['what']): Map<string, number> {
  const times = new Map<string, number>();
  for (const line of lines) if (line.what === what) times.set(line.job, (times.get(line.job) ?? 0) + 1);
  return times;
}

const sum = (times: ReadonlyMap<string, number>): number => [...times.values()].reduce((a, b) => a + b, 0);

function subfolders(folder: string): string[] {
  try {
    return readdirSync(folder).map((name) => join(folder, name));
  } catch {
    return []; // nobody has taken a job yet
  }
}
