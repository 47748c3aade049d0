/** Plays one round: a private daemon with one instance, brought up, given work, asked to end, and watched all the while. */
import type { InstanceId } from '../base/ids.ts';
import { fail, ok, type Result } from '../base/result.ts';
import type { SignalName } from '../base/signal-name.ts';
import type { Plan, ProgramPlan } from '../core/plan.ts';
import { createPrivateDaemon, type Daemon } from '../daemon/daemon.ts';
import { logPathIn } from '../logs/log-path.ts';
import { lastLines, makePrivateFolders, type PrivateFolders } from './folders.ts';
import type { Interrupts } from './interrupts.ts';
import { hasLearnt, isMoment, type Scene } from './moment.ts';
import { Notes } from './notes.ts';
import { overdueAt } from './overdue.ts';
import { lesser, REHEARSAL_VARIABLE, reduce, rehearsedInstance } from './reduce.ts';
import type { Round } from './round.ts';
import { Watcher } from './watcher.ts';
import { lasted, worded } from './words.ts';
import { aliveAt, inFlightAt } from './work.ts';

export interface PlayOptions {
  readonly plan: Plan;
  readonly program: ProgramPlan;
  /** For how long it may work before the signal comes. */
  readonly afterMs: number;
  /** So many in flight are waited for; null: any. */
  readonly jobs: number | null;
  readonly drainLimitMs: number | null;
  /** To whom the signal comes once more; null: it comes once. */
  readonly again: 'leader' | 'group' | null;
  /** Kinds of processes whose natural life is to be seen before the signal. */
  readonly learn: readonly string[];
  readonly interrupts: Interrupts;
  /** What happens, one line each. */
  say(text: string): void;
}

/** The second signal comes so long after the first: as from a group and a parent that hands it on. */
const GAP_MS = 50;
/** Later it might be heard as somebody who insists, which is another question. */
const SAME_WISH_MS = 150;
/** So long a process is watched to see how long its kind lives. */
const LEARN_FROM_MS = 10_000;
const LEARN_TO_MS = 60_000;
const MATURE_MS = 1000;
const OUTPUT_LINES = 12;

/** Leaves no process and no folder behind. An error is a sentence: there could be no daemon. */
export async function play(options: PlayOptions): Promise<Result<Round, string>> {
  const folders = makePrivateFolders();
  try {
    const plan = reduce(options.plan, options.program, folders, options.drainLimitMs);
    const notes = new Notes();
    const made = await createPrivateDaemon(plan, {
      heard: (_, { inFlight, stopping, drained }) =>
        notes.hear({
          at: performance.now(),
          ...(inFlight === undefined ? {} : { inFlight }),
          ...(stopping === undefined ? {} : { stopping }),
          ...(drained === undefined ? {} : { drained }),
        }),
    });
    if (!made.ok) return fail(made.error.message);
    const round = new Player(options, folders, notes, made.value);
    return ok(await round.play());
  } finally {
    folders.remove();
  }
}

class Player {
  readonly #options: PlayOptions;
  readonly #folders: PrivateFolders;
  readonly #notes: Notes;
  readonly #daemon: Daemon;
  readonly #beganAt = performance.now();
  readonly #watcher: Watcher;
  #isAsked = false;
  #isOver = false;
  #againAt: number | null = null;
  #saidAt = 0;

  constructor(options: PlayOptions, folders: PrivateFolders, notes: Notes, daemon: Daemon) {
    this.#options = options;
    this.#folders = folders;
    this.#notes = notes;
    this.#daemon = daemon;
    this.#watcher = new Watcher(folders.runDir, notes);
  }

  async play(): Promise<Round> {
    const { interrupts } = this.#options;
    this.#daemon.follow((event) => this.#notes.take(event, performance.now(), this.#isAsked));
    const ended = this.#daemon.ended.then(() => {
      this.#isOver = true;
      this.#notes.wake();
    });
    const deafen = interrupts.listen(() => this.#obey());
    try {
      this.#options.say(`starting ${this.#id}, with ${REHEARSAL_VARIABLE}=1 in its environment`);
      await this.#daemon.start([this.#id]);
      await this.#untilReady();
      await this.#untilWork();
      this.#ask();
      await this.#untilOver();
    } finally {
      // Whatever went wrong above: nothing of it stays.
      if (!this.#isOver) this.#daemon.shutDown('kill');
      await ended;
      deafen();
    }
    return this.#round();
  }

  /** The first interrupt drains, each further one kills. */
  #obey(): void {
    if (this.#isOver) return;
    this.#daemon.shutDown(this.#options.interrupts.count > 1 ? 'kill' : 'drain');
    this.#notes.wake();
  }

  async #untilReady(): Promise<void> {
    const notes = this.#notes;
    await this.#watch(() => notes.readyAt !== null, SLOWLY_MS);
    if (notes.readyAt !== null) this.#options.say(`${this.#id} is ready; waiting for it to have work`);
  }

  async #untilWork(): Promise<void> {
    const { afterMs, jobs, learn, again } = this.#options;
    const { reports, leader, readyAt } = this.#notes;
    if (readyAt === null || leader === null) return;
    // What its children do about a signal to the group is their own affair, once they have set it up.
    const matureMs = again === 'group' ? MATURE_MS : 0;
    const seen = (): Scene => {
      const [now, processes] = [performance.now(), this.#watcher.processes];
      return { now, reports, leader, jobs, processes, matureMs };
    };
    if (learn.length > 0) {
      const until = performance.now() + Math.min(Math.max(afterMs, LEARN_FROM_MS), LEARN_TO_MS);
      await this.#watch(() => performance.now() > until || hasLearnt(seen(), learn), SLOWLY_MS);
    }
    const until = performance.now() + afterMs;
    await this.#watch(() => performance.now() > until || isMoment(seen(), learn), SLOWLY_MS);
  }

  /** What a planned end would send, with its pre_drain hook. */
  #ask(): void {
    this.#isAsked = !this.#isDone() && this.#notes.readyAt !== null;
    this.#daemon.shutDown('drain');
  }

  async #untilOver(): Promise<void> {
    const notes = this.#notes;
    const { again, program, say } = this.#options;
    if (this.#isAsked) {
      await this.#watch(() => notes.signalAt !== null, QUICKLY_MS);
      if (notes.signalAt !== null) {
        say(`${program.drain.signal} was sent to ${this.#id}; waiting until it has drained`);
        if (again !== null) await this.#sendAgain(notes.signalAt, again);
        await this.#watcher.glance();
      }
    }
    while (!this.#isOver) {
      await this.#watcher.look();
      this.#saySeldom();
      if (!this.#isOver) await notes.next(this.#pace());
    }
  }

  /** Whoever looks on is to know that it goes on, and with what. */
  #saySeldom(): void {
    const { signalAt, reports } = this.#notes;
    const now = performance.now();
    if (signalAt === null || now - Math.max(signalAt, this.#saidAt) < SAY_EVERY_MS) return;
    this.#saidAt = now;
    const found = { jobs: inFlightAt(reports, now), processes: aliveAt(this.#watcher.processes, now) };
    this.#options.say(`${this.#id} has been draining for ${lasted(now - signalAt)}: ${worded(found)}`);
  }

  async #sendAgain(signalAt: number, to: 'leader' | 'group'): Promise<void> {
    const { leader } = this.#notes;
    await this.#watcher.glanceUntil(signalAt + GAP_MS);
    if (performance.now() > signalAt + SAME_WISH_MS) return;
    // A leader whose end nobody has heard of is not reaped, so its number is still its own.
    if (leader === null || this.#isDone()) return;
    if (send(to === 'group' ? -leader : leader, this.#options.program.drain.signal))
      this.#againAt = performance.now();
  }

  /** Often in the first half second, then ever more seldom. */
  #pace(): number {
    const since = performance.now() - (this.#againAt ?? this.#notes.signalAt ?? performance.now());
    return since < 500 ? QUICKLY_MS : since < 3000 ? SLOWLY_MS : SELDOM_MS;
  }

  /** Looks again and again, until that is so or the instance has ended. */
  async #watch(isSo: () => boolean, everyMs: number): Promise<void> {
    while (!isSo() && !this.#isDone()) {
      await this.#watcher.look();
      if (isSo() || this.#isDone()) return;
      await this.#notes.next(everyMs);
    }
  }

  #isDone(): boolean {
    return this.#isOver || this.#notes.atRest || this.#options.interrupts.count > 0 || this.#endsByItself();
  }

  #endsByItself(): boolean {
    return this.#notes.exit !== null && !this.#isAsked;
  }

  get #id(): InstanceId {
    return rehearsedInstance(this.#options.program);
  }

  #round(): Round {
    const { leader, readyAt, stopAt, killedAt, exit, goneAt, reports, troubles } = this.#notes;
    const { program, jobs, drainLimitMs, learn, again } = this.#options;
    const drainTimeoutMs = lesser(program.drain.timeoutMs, drainLimitMs);
    return {
      instance: this.#id,
      program,
      drainTimeoutMs,
      wantedJobs: jobs,
      isForLearning: learn.length > 0 && again === null,
      beganAt: this.#beganAt,
      overAt: performance.now(),
      leader,
      readyAt,
      signalAt: this.#notes.signalAt,
      againAt: this.#againAt,
      overdueAt: overdueAt(this.#notes, program.drain, drainTimeoutMs),
      stopAt,
      killedAt,
      exit,
      goneAt,
      reports,
      processes: this.#watcher.processes,
      troubles,
      output: lastLines(logPathIn(this.#folders.logDir)(this.#id, { kind: 'default' }, 'out'), OUTPUT_LINES),
    };
  }
}

function send(pid: number, signal: SignalName): boolean {
  try {
    return process.kill(pid, `SIG${signal}`);
  } catch {
    return false; // it has ended in this moment
  }
}

const SAY_EVERY_MS = 10_000;
const QUICKLY_MS = 10;
const SLOWLY_MS = 40;
const SELDOM_MS = 150;
