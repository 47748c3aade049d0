/** Runs one job: a bash script as a child process. */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import type { Runner, SpawnChildOptions } from '../runner/index.ts';
import type { ClaimedJob } from './queue.ts';

/**
 * `own`: the runner gives the job's child a session and group of its own. `shared`: it stays in the runner's group,
 * as most programs have it, so a signal to that group cuts it.
 */
export type JobGroup = 'own' | 'shared';

/** Null when the job is done, else why it is not. */
export type JobEnd = string | null;

/** `begun` is called once, before this returns. The pid is null where no child could be started. */
export function runJob(
  runner: Runner,
  job: ClaimedJob,
  group: JobGroup,
  options: SpawnChildOptions,
  begun: (pid: number | null) => void,
): Promise<JobEnd> {
  const command = [job.file];
  const child =
    group === 'own'
      ? runner.spawn('bash', command, options)
      : spawn('bash', command, { stdio: 'inherit', ...options });
  begun(child.pid ?? null);
  return new Promise((resolve) => {
    child.once('error', (error) => {
      if (child.pid === undefined) resolve(`cannot start bash: ${error.message}`);
    });
    // `exit`, not `close`: something that the job left behind may hold its output open.
    child.once('exit', (code, signal) => resolve(verdict(job, code, signal)));
  });
}

function verdict(job: ClaimedJob, code: number | null, signal: string | null): JobEnd {
  if (signal !== null) return `ended by ${signal}`;
  if (code !== 0) return `exited with code ${code}`;
  return existsSync(job.result) ? null : 'left no result';
}
