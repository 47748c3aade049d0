/** A queue that is a folder: a job is a file, and who renames it out of `todo` has it. */
import { mkdirSync, readdirSync, renameSync, rmdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';

export interface ClaimedJob {
  /** The name of its file, which is the name of the job. */
  readonly name: string;
  readonly file: string;
  /** Where the job puts its result, by atomic rename. */
  readonly result: string;
}

export interface Queue {
  /** The folder to watch for new jobs. */
  readonly todo: string;
  /** The first job that nobody else takes before us, or undefined when there is none. */
  claim(): ClaimedJob | undefined;
  /** The job is over and its file can go. */
  finish(job: ClaimedJob): void;
  /** The job was cut or has failed: its file is kept in `failed`, and nobody tries it again unasked. */
  setAside(job: ClaimedJob): void;
  /** Nothing of ours is left in `doing`. */
  leave(): void;
}

/** `owner` must be unlike that of any other runner: jobs under way lie in a folder of that name. */
export function openQueue(dir: string, owner: string): Queue {
  const { todo, doing, done, failed } = folders(dir);
  const mine = join(doing, owner);
  for (const folder of [todo, mine, done, failed]) mkdirSync(folder, { recursive: true });
  let seen: string[] = []; // listed but not yet tried, last first

  const take = (name: string): boolean =>
    succeeds('ENOENT', () => renameSync(join(todo, name), join(mine, name)));
  return {
    todo,
    claim() {
      if (seen.length === 0) seen = jobsIn(todo).reverse();
      for (let name = seen.pop(); name !== undefined; name = seen.pop()) {
        if (take(name)) return { name, file: join(mine, name), result: join(done, name) };
      }
      return undefined;
    },
    finish: (job) => rmSync(job.file, { force: true }),
    setAside: (job) => renameSync(job.file, join(failed, job.name)),
    leave: () => void succeeds('ENOTEMPTY', () => rmdirSync(mine)),
  };
}

export function folders(dir: string) {
  return {
    todo: join(dir, 'todo'),
    doing: join(dir, 'doing'),
    done: join(dir, 'done'),
    failed: join(dir, 'failed'),
    ledger: join(dir, 'ledger.ndjson'),
  };
}

/** The names of the jobs in a folder, in order; none where there is no such folder. */
export function jobsIn(folder: string): string[] {
  let names: string[] = [];
  succeeds('ENOENT', () => {
    names = readdirSync(folder);
  });
  return names.filter((name) => /\.(?:sh|job)$/.test(name)).sort();
}

/** False for the one error that is expected; every other one is thrown on. */
function succeeds(expected: string, action: () => void): boolean {
  try {
    action();
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === expected) return false;
    throw error;
  }
}
