/**
 * The way of a runner from the first wish to its end: no more work, what is under way, the hooks, the exit. Each step
 * is decided here, and whoever takes part in it is told from here.
 */
import { setMaxListeners } from 'node:events';
import { Children } from './children.ts';
import type { Tell } from './complaints.ts';
import { Deadline } from './deadline.ts';
import { Ending, type Outcome } from './ending.ts';
import { EXIT } from './exit-code.ts';
import { Gauge } from './gauge.ts';
import { startHeartbeat } from './heartbeat.ts';
import { Hooks } from './hooks.ts';
import type { Host } from './host.ts';
import type { Settings } from './options.ts';
import { answerWhetherAsked } from './question.ts';
import { QuietHooks } from './quiet-hooks.ts';
import { type AbortCause, RunnerAbort } from './reason.ts';
import { createReporter, type Reporter } from './report.ts';
import { ownSignals, type Signals } from './signals.ts';
import { after, stayAlive } from './timer.ts';
import { type Job, WaitGroup } from './wait-group.ts';

/**
 * `working` until the last job is done, `ending` while the shutdown hooks run, `over` from then on or when it was
 * forced. Whoever uninstalls it leaves it `released`: it hears nothing, tells nothing and ends nothing any more.
 */
type Stage = 'working' | 'ending' | 'over' | 'released';

export class Course {
  readonly jobs = new WaitGroup(() => this.#changed());
  readonly children: Children;
  readonly reporter: Reporter;
  readonly atQuiet: QuietHooks;
  readonly atEnd = new Hooks();
  readonly deadline = new Deadline(() => this.giveUp('deadline', null));
  readonly #quiet = new AbortController();
  readonly #cancel = new AbortController();
  readonly #host: Host;
  readonly #settings: Settings;
  readonly #tell: Tell;
  readonly #disown: () => void;
  readonly #gauge: Gauge;
  readonly #signals: Signals;
  readonly #endHeartbeat: () => void;
  readonly #endAnswers: () => void;
  readonly #ending: Ending;
  #stage: Stage = 'working';
  #isWaitedFor = false;
  #lastLook: NodeJS.Immediate | undefined;
  #takeBackGrace: () => void = () => {};
  #takeBackLife: () => void = () => {};

  /** `disown`: the host is another's to own from then on. */
  constructor(host: Host, settings: Settings, tell: Tell, disown: () => void) {
    this.#host = host;
    this.#settings = settings;
    this.#tell = tell;
    this.#disown = disown;
    for (const signal of [this.quiet, this.cancel]) setMaxListeners(0, signal);
    this.children = new Children(this.jobs, host.env, tell);
    this.reporter = createReporter(host.env);
    this.#gauge = new Gauge(this.reporter);
    this.atQuiet = new QuietHooks(this.cancel, tell, () => this.#changed());
    this.#ending = new Ending(host, settings.exit, () => this.#release());
    const { signals, debounceMs } = settings;
    this.#signals = ownSignals(host, { names: signals, debounceMs }, (signal, times) =>
      this.#asked(signal, times),
    );
    this.#endAnswers = answerWhetherAsked(host, signals, this.reporter, () => this.quiet.aborted);
    this.#endHeartbeat = startHeartbeat(host, this.reporter);
    host.on('beforeExit', this.#atLoopEnd);
  }

  get quiet(): AbortSignal {
    return this.#quiet.signal;
  }

  get cancel(): AbortSignal {
    return this.#cancel.signal;
  }

  ready(): void {
    this.reporter.ready();
    this.#gauge.set(this.jobs.size);
  }

  /** @throws when everything is done: nobody would wait for it. */
  begin(name: string): Job {
    if (this.#stage === 'ending' || this.#stage === 'over')
      throw new Error(`cannot begin ${name}: the runner has drained`);
    return this.jobs.begin(name);
  }

  becomeQuiet(because: AbortCause, signal: NodeJS.Signals | null): void {
    if (this.quiet.aborted) return;
    if (this.#stage === 'working') {
      this.reporter.stopping();
      this.deadline.begin(this.#settings.deadlineMs);
    }
    this.#quiet.abort(new RunnerAbort('quiet', because, signal));
    this.atQuiet.begin();
    this.#changed();
  }

  giveUp(because: AbortCause, signal: NodeJS.Signals | null): void {
    this.becomeQuiet(because, signal);
    if (this.cancel.aborted || this.#stage === 'ending' || this.#stage === 'over') return; // nothing is under way
    this.deadline.end();
    if (this.#stage === 'working')
      this.#takeBackGrace = after(this.#settings.cancelGraceMs, () => this.#force());
    const reason = new RunnerAbort('cancel', because, signal);
    this.#cancel.abort(reason);
    this.jobs.cancel(reason);
  }

  /** Nothing but jobs and hooks is left to do. */
  wait(): Promise<Outcome> {
    if (!this.#isWaitedFor && !this.#ending.isOver) {
      this.#isWaitedFor = true;
      this.#takeBackLife = stayAlive();
      this.#changed();
    }
    return this.#ending.over;
  }

  /** Goes no further. What is under way goes on. */
  leave(): void {
    if (this.#ending.isOver) return;
    this.#stage = 'released';
    this.#ending.abandon();
  }

  get isReleased(): boolean {
    return this.#stage === 'released';
  }

  #asked(signal: NodeJS.Signals, times: number): void {
    if (times === 1) this.becomeQuiet('signal', signal);
    else if (times === 2) this.giveUp('insisted', signal);
    else this.#force();
  }

  /** Nobody waits any more, for anything. */
  #force(): void {
    this.children.close();
    this.#end({ reason: 'forced', code: EXIT.forced, failures: [] }, FORCED_FLUSH_MS);
  }

  #changed(): void {
    if (this.#stage !== 'working') return;
    this.#gauge.set(this.jobs.size);
    if (this.#isDone()) this.#lastLook ??= setImmediate(this.#lookAgain);
  }

  #isDone(): boolean {
    const isIdle = this.jobs.size === 0 && this.atQuiet.underWay === 0;
    return this.quiet.aborted && this.#isWaitedFor && isIdle;
  }

  /** What the program does with the result of its last job comes first, and it may be another job. */
  readonly #lookAgain = (): void => {
    this.#lastLook = undefined;
    if (this.#stage === 'working' && this.#isDone()) void this.#finish();
  };

  /** A program that does not wait for `drained()` ends when nothing is left to do; then all the same is done. */
  readonly #atLoopEnd = (): void => {
    if (this.quiet.aborted) void this.wait();
  };

  async #finish(): Promise<void> {
    this.#stage = 'ending';
    this.deadline.end();
    this.#takeBackGrace(); // it was for jobs; hooks have limits of their own
    this.jobs.endCancel();
    this.#gauge.flush();
    const failures = await this.atEnd.run();
    for (const { name, error } of failures) this.#tell(`hook ${name}`, error);
    await this.children.endAll(); // what hooks have begun and not waited for
    if (this.#stage !== 'ending') return; // forced, or uninstalled
    this.children.close();
    this.reporter.drained();
    const reason = this.cancel.aborted ? 'cancelled' : failures.length > 0 ? 'hookFailed' : 'drained';
    this.#end({ reason, code: EXIT[reason], failures }, Number.POSITIVE_INFINITY);
  }

  #end(outcome: Outcome, flushMs: number): void {
    this.#stage = 'over';
    this.#ending.begin(outcome, flushMs);
  }

  #release(): void {
    this.#signals.close();
    this.#host.off('beforeExit', this.#atLoopEnd);
    this.#endAnswers();
    this.#endHeartbeat();
    this.#gauge.close();
    clearImmediate(this.#lastLook);
    this.deadline.end();
    this.#takeBackGrace();
    this.#takeBackLife();
    this.#disown();
  }
}

/** What nobody reads holds up an orderly end, but not one that was insisted on. */
const FORCED_FLUSH_MS = 500;
