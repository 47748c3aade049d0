/** The runner itself: takes jobs, several at a time, until it is asked to stop; then finishes what it has. */
import { mkdirSync, watch } from 'node:fs';
import { createRunner } from '../runner/index.ts';
import { type JobGroup, runJob } from './job.ts';
import { type LedgerLine, openLedger } from './ledger.ts';
import { type ClaimedJob, folders, openQueue } from './queue.ts';

export interface WorkOptions {
  readonly dir: string;
  /** How many jobs at a time. */
  readonly parallel: number;
  readonly jobGroup: JobGroup;
}

/** Should a change in the folder go unnoticed (some network file systems report none), it is seen this much later. */
const RESCAN_MS = 3000;

/** Works until TERM or INT; the process ends once the last job is done. */
export function work({ dir, parallel, jobGroup }: WorkOptions): void {
  const runner = createRunner();
  const instance = process.env.TSUP_VISOR_INSTANCE ?? `pid-${process.pid}`;
  const run = process.env.TSUP_VISOR_RUN ?? String(process.pid);
  mkdirSync(dir, { recursive: true });
  const queue = openQueue(dir, `${instance}.${run}`);
  const ledger = openLedger(folders(dir).ledger);
  let done = 0;

  const write = (line: Pick<LedgerLine, 'what' | 'job' | 'pid' | 'why'>): void =>
    ledger.append({ ...line, instance, run, at: new Date().toISOString() });

  function takeJobs(): void {
    while (!runner.quiet.aborted && runner.inFlight < parallel) {
      const job = queue.claim();
      if (job === undefined) break;
      void runner.run(job.name, (cancel) => doJob(job, cancel)).then(takeJobs, takeJobs);
    }
    const jobs = runner.list().map(({ name }) => name);
    const doing = runner.quiet.aborted ? 'finishing' : 'working on';
    runner.status(`${doing} ${jobs.join(', ') || 'nothing'}; ${done} done`);
  }

  async function doJob(job: ClaimedJob, signal: AbortSignal): Promise<void> {
    const env = { ...process.env, JOB_NAME: job.name, JOB_RESULT: job.result, JOB_RUNNER: instance };
    let pid: number | null = null;
    const end = await runJob(runner, job, jobGroup, { signal, env }, (begun) => {
      pid = begun;
      write({ what: 'begun', job: job.name, pid });
    });
    if (end === null) {
      done += 1;
      write({ what: 'done', job: job.name, pid });
      queue.finish(job);
    } else {
      write({ what: 'interrupted', job: job.name, pid, why: end });
      queue.setAside(job);
    }
  }

  const watcher = watch(queue.todo, takeJobs);
  watcher.on('error', () => watcher.close()); // the slow look goes on
  const rescan = setInterval(takeJobs, RESCAN_MS);
  runner.onQuiet('queue', () => {
    watcher.close();
    clearInterval(rescan);
    takeJobs(); // takes none; says what is being finished
  });
  runner.onShutdown('queue', () => queue.leave());
  runner.onShutdown('ledger', () => ledger.close());

  runner.ready();
  takeJobs();
  void runner.drained();
}
