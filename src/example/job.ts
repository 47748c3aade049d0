/** Runs one job: a bash script as a child process. */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import type { ClaimedJob } from './queue.ts';

/**
 * `own`: the job's child leads a session and group of its own. `shared`: it stays in the runner's group, as
 * most programs have it, so a signal to that group cuts it.
 */
export type JobGroup = 'own' | 'shared';

/** Null when the job is done, else why it is not. */
export type JobEnd = string | null;

/** `onEnd` is called exactly once, never before this has returned. The pid is null where no child could be started. */
export function runJob(
  job: ClaimedJob,
  runner: string,
  group: JobGroup,
  onEnd: (end: JobEnd) => void,
): number | null {
  const child = spawn('bash', [job.file], {
    detached: group === 'own',
    stdio: ['ignore', 'inherit', 'inherit'],
    env: jobEnvironment(job, runner),
  });
  child.once('error', (error) => {
    if (child.pid === undefined) onEnd(`cannot start bash: ${error.message}`);
  });
  // `exit`, not `close`: something that the job left behind may hold its output open.
  child.once('exit', (code, signal) => onEnd(verdict(job, code, signal)));
  return child.pid ?? null;
}

function verdict(job: ClaimedJob, code: number | null, signal: string | null): JobEnd {
  if (signal !== null) return `ended by ${signal}`;
  if (code !== 0) return `exited with code ${code}`;
  return existsSync(job.result) ? null : 'left no result';
}

/** The channels to the supervisor are the runner's own: a job must not speak in its name. */
function jobEnvironment(job: ClaimedJob, runner: string): NodeJS.ProcessEnv {
  const { TSUP_VISOR_NOTIFY_FD: _fd, NOTIFY_SOCKET: _socket, ...rest } = process.env;
  return { ...rest, JOB_NAME: job.name, JOB_RESULT: job.result, JOB_RUNNER: runner };
}
