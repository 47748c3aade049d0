/** The runner itself: takes jobs, several at a time, until it is asked to stop; then finishes what it has. */
import { type FSWatcher, mkdirSync, watch } from 'node:fs';
import { createReporter, type Reporter } from '../runner/index.ts';
import { type JobEnd, type JobGroup, runJob } from './job.ts';
import { type Ledger, type LedgerLine, openLedger } from './ledger.ts';
import { type ClaimedJob, folders, openQueue, type Queue } from './queue.ts';

export interface WorkOptions {
  readonly dir: string;
  /** How many jobs at a time. */
  readonly parallel: number;
  readonly jobGroup: JobGroup;
}

/** Works until TERM or INT; the process ends by itself once the last job is done. */
export function work(options: WorkOptions): void {
  const worker = new Worker(options, createReporter());
  // A second signal changes nothing: whoever sends it twice wants the same thing.
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => worker.quit());
  worker.start();
}

/** Should a change in the folder go unnoticed (some network file systems report none), it is seen this much later. */
const RESCAN_MS = 3000;

class Worker {
  readonly #options: WorkOptions;
  readonly #reporter: Reporter;
  readonly #instance = process.env.TSUP_VISOR_INSTANCE ?? `pid-${process.pid}`;
  readonly #run = process.env.TSUP_VISOR_RUN ?? String(process.pid);
  readonly #queue: Queue;
  readonly #ledger: Ledger;
  readonly #underWay = new Set<string>();
  #done = 0;
  #told = '';
  #quiet = false;
  #watcher: FSWatcher | undefined;
  #rescan: NodeJS.Timeout | undefined;

  constructor(options: WorkOptions, reporter: Reporter) {
    this.#options = options;
    this.#reporter = reporter;
    mkdirSync(options.dir, { recursive: true });
    this.#queue = openQueue(options.dir, `${this.#instance}.${this.#run}`);
    this.#ledger = openLedger(folders(options.dir).ledger);
  }

  start(): void {
    this.#watcher = watch(this.#queue.todo, () => this.#takeJobs());
    this.#watcher.on('error', () => this.#watcher?.close()); // the slow look goes on
    this.#rescan = setInterval(() => this.#takeJobs(), RESCAN_MS);
    this.#reporter.ready();
    this.#takeJobs();
    this.#tell();
  }

  /** Takes no more jobs and waits for those under way. */
  quit(): void {
    if (this.#quiet) return;
    this.#quiet = true;
    this.#watcher?.close();
    clearInterval(this.#rescan);
    this.#reporter.stopping();
    this.#tell();
    if (this.#underWay.size === 0) this.#drained();
  }

  #takeJobs(): void {
    while (!this.#quiet && this.#underWay.size < this.#options.parallel) {
      const job = this.#queue.claim();
      if (job === undefined) return;
      this.#begin(job);
    }
  }

  #begin(job: ClaimedJob): void {
    this.#underWay.add(job.name);
    const pid = runJob(job, this.#instance, this.#options.jobGroup, (end) => this.#ended(job, pid, end));
    this.#write({ what: 'begun', job: job.name, pid });
    this.#tell();
  }

  #ended(job: ClaimedJob, pid: number | null, end: JobEnd): void {
    if (end === null) {
      this.#write({ what: 'done', job: job.name, pid });
      this.#queue.finish(job);
      this.#done += 1;
    } else {
      this.#write({ what: 'interrupted', job: job.name, pid, why: end });
      this.#queue.setAside(job);
    }
    this.#underWay.delete(job.name);
    this.#takeJobs();
    this.#tell();
    if (this.#quiet && this.#underWay.size === 0) this.#drained();
  }

  #drained(): void {
    this.#queue.leave();
    this.#ledger.close();
    this.#reporter.drained();
  }

  #write(line: Pick<LedgerLine, 'what' | 'job' | 'pid' | 'why'>): void {
    this.#ledger.append({ ...line, instance: this.#instance, run: this.#run, at: new Date().toISOString() });
  }

  #tell(): void {
    const jobs = [...this.#underWay].join(', ') || 'nothing';
    const status = `${this.#quiet ? 'finishing' : 'working on'} ${jobs}; ${this.#done} done`;
    if (status === this.#told) return;
    this.#told = status;
    this.#reporter.inFlight(this.#underWay.size);
    this.#reporter.status(status);
  }
}
