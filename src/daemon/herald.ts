/** Tells whoever has started the daemon how it is, in the words of sd_notify(3). Without such a one it does nothing. */
import type { Fleet } from '../core/fleet/fleet.ts';
import type { Instance } from '../core/instance/instance.ts';
import type { OwnSupervisor } from '../ports/own-supervisor.ts';

/** No more than one STATUS in this time; the last one always comes. */
const STATUS_EVERY_MS = 1000;
/** How long the outer limit of an end is moved by each time, and how often: while we live, it does not pass. */
const EXTEND_BY_MS = 30_000;
const EXTEND_EVERY_MS = 10_000;

export class Herald {
  readonly #supervisor: OwnSupervisor | null;
  readonly #fleet: Pick<Fleet, 'instances' | 'mode'>;
  readonly #timers: NodeJS.Timeout[] = [];
  #isReady = false;
  #isStopping = false;
  #told = '';
  #next: NodeJS.Timeout | undefined;

  constructor(supervisor: OwnSupervisor | null, fleet: Pick<Fleet, 'instances' | 'mode'>) {
    this.#supervisor = supervisor;
    this.#fleet = fleet;
    const { watchdogMs = null } = supervisor ?? {};
    if (watchdogMs !== null) this.#each(watchdogMs / 2, 'WATCHDOG=1');
  }

  /** The daemon is in charge: it answers, has taken up what it has found, and has begun what is to begin. */
  ready(): void {
    if (this.#supervisor === null) return;
    this.#isReady = true;
    this.#told = statusOf(this.#fleet);
    this.#supervisor.tell('READY=1', `STATUS=${this.#told}`);
    this.look();
  }

  /** Something may have changed. */
  look(): void {
    if (this.#supervisor === null || !this.#isReady) return;
    if (this.#fleet.mode.kind !== 'running' && !this.#isStopping) this.#stopping();
    this.#next ??= setTimeout(() => this.#tellStatus(), STATUS_EVERY_MS).unref();
  }

  /** The config has been taken on anew. */
  reloaded(): void {
    if (this.#supervisor === null || !this.#isReady || this.#isStopping) return;
    const now = process.hrtime.bigint() / 1000n; // CLOCK_MONOTONIC, as systemd compares it with its own
    this.#supervisor.tell('RELOADING=1', `MONOTONIC_USEC=${now}`);
    this.#supervisor.tell('READY=1');
  }

  close(): void {
    clearTimeout(this.#next);
    for (const timer of this.#timers) clearInterval(timer);
    this.#supervisor?.close();
  }

  /** From here on the outer limit of an end counts, which knows nothing of the drains. */
  #stopping(): void {
    this.#isStopping = true;
    this.#told = statusOf(this.#fleet);
    const extend = `EXTEND_TIMEOUT_USEC=${EXTEND_BY_MS * 1000}`;
    this.#supervisor?.tell('STOPPING=1', extend, `STATUS=${this.#told}`);
    this.#each(EXTEND_EVERY_MS, extend);
  }

  #tellStatus(): void {
    this.#next = undefined;
    const status = statusOf(this.#fleet);
    if (status === this.#told) return;
    this.#told = status;
    this.#supervisor?.tell(`STATUS=${status}`);
  }

  /** By a timer of this very loop: where that hangs, nothing is told. */
  #each(ms: number, word: string): void {
    this.#supervisor?.tell(word);
    this.#timers.push(setInterval(() => this.#supervisor?.tell(word), ms).unref());
  }
}

/** `11 of 12 running, 1 draining`. What has completed, or waits for its time, is not missing. */
export function statusOf({ instances, mode }: Pick<Fleet, 'instances' | 'mode'>): string {
  const all = [...instances.values()];
  const draining = all.filter(({ phase }) => phase.kind === 'draining').length;
  const also = draining === 0 ? '' : `, ${draining} draining`;
  if (mode.kind !== 'running') return `ending: ${all.filter(isAlive).length} left${also}`;
  const wanted = all.filter(isMissedWhenDown);
  const running = wanted.filter(({ phase }) => phase.kind === 'running').length;
  return `${running} of ${wanted.length} running${also}`;
}

const isAlive = ({ phase }: Instance): boolean => 'body' in phase;

const isMissedWhenDown = ({ wish, phase }: Instance): boolean =>
  wish.want === 'up' &&
  phase.kind !== 'exited' &&
  !(phase.kind === 'waiting' && phase.what.kind !== 'dependency');
