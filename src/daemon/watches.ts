/** What is looked at while an instance is in a phase. A watch posts its answers until it is ended. */
import type { Moment } from '../base/clock.ts';
import type { InstanceId, Run } from '../base/ids.ts';
import type { Instance } from '../core/instance/instance.ts';
import type { Life } from '../core/instance/phase.ts';
import type { Purpose, Watch } from '../core/instance/watch.ts';
import type { Check } from '../core/plan.ts';
import type { Checks, LineWatch } from '../ports/checks.ts';
import type { CommandResult, Processes } from '../ports/processes.ts';
import { type Ask, asker } from './asking.ts';
import { MemoryLooks } from './memory-looks.ts';
import { logPaths, type Surroundings } from './spawn-request.ts';
import { LONGEST_MS } from './timers.ts';

type Checking = Extract<Watch, { check: Check }>;
type CheckPurpose = Checking['purpose'] | 'log';
export interface WatchParts {
  readonly checks: Checks;
  readonly lines: LineWatch;
  readonly surroundings: Surroundings;
  readonly usage: Processes['usage'];
  readonly clock: { now(): Moment };
  checked(run: Run, purpose: CheckPurpose, result: CommandResult): void;
  measured(run: Run, bytes: number): void;
}

/** A log file, and how much of it was there before the run began. */
export interface LogPlace {
  readonly path: string;
  readonly from: number;
}

export class Watches {
  readonly #parts: WatchParts;
  readonly #memory: MemoryLooks;
  /** What ends each, by run and purpose. */
  readonly #ends = new Map<string, () => void>();
  readonly #places = new Map<Run, readonly LogPlace[]>();

  /** `places`: those of the runs that an earlier daemon began. */
  constructor(parts: WatchParts, places: ReadonlyMap<Run, readonly LogPlace[]>) {
    this.#parts = parts;
    this.#memory = new MemoryLooks(parts.usage, parts.clock, (run, bytes) => parts.measured(run, bytes));
    this.#places = new Map(places);
  }

  /** Watches that are not ended. */
  get size(): number {
    return this.#ends.size;
  }

  /** Notes where the log files end, before the run can write to them. */
  beforeSpawn({ id }: { readonly id: InstanceId }, { run, program }: Life): void {
    if (program.ready.when !== 'log') return;
    const { stdout, stderr } = logPaths({ id }, program, this.#parts.surroundings.logPath);
    const paths = new Set([stdout, stderr].filter((path) => path !== null));
    this.#places.set(
      run,
      [...paths].map((path) => ({ path, from: this.#parts.lines.endOf(path) })),
    );
  }

  placesOf = (run: Run): readonly LogPlace[] => this.#places.get(run) ?? [];

  begin(instance: Instance, life: Life, watch: Watch): void {
    const key = keyOf(life.run, watch.purpose);
    this.#ends.get(key)?.();
    this.#ends.set(key, this.#started(instance, life, watch));
  }

  end(run: Run, purpose: Purpose): void {
    const key = keyOf(run, purpose);
    this.#ends.get(key)?.();
    this.#ends.delete(key);
  }

  /** The run is over. */
  forget(run: Run): void {
    this.#places.delete(run);
  }

  /** For good. */
  close(): void {
    for (const end of this.#ends.values()) end();
    this.#ends.clear();
    this.#memory.close();
  }

  #started(instance: Instance, life: Life, watch: Watch): () => void {
    const { run } = life;
    if (watch.purpose === 'memory') return this.#memory.begin(run, watch.everyMs);
    if (watch.purpose === 'log') {
      const found = (line: string): void => this.#parts.checked(run, 'log', { ok: true, detail: line });
      const { format, timestamps } = life.program.logs;
      const written = format === 'raw' && timestamps ? 'timestamps' : format;
      return this.#parts.lines.watch(this.placesOf(run), watch.pattern, found, written);
    }
    const { purpose, everyMs } = watch;
    const { check, tryMs: timeoutMs } = watch;
    return again(everyMs, asker(instance, life, { check, timeoutMs, purpose }, this.#parts), (result) =>
      this.#parts.checked(run, purpose, result),
    );
  }
}

const keyOf = (run: Run, purpose: Purpose): string => `${run}/${purpose}`;

/** Asks at once, and again so long after each answer; returns what ends it. */
function again(everyMs: number, ask: Ask, answered: (result: CommandResult) => void): () => void {
  let isOver = false;
  let cancel = (): void => {};
  const look = (): void => {
    cancel = ask((result) => {
      if (isOver) return;
      const timer = setTimeout(look, Math.min(everyMs, LONGEST_MS));
      cancel = () => clearTimeout(timer);
      answered(result); // which may end all of this
    });
  };
  look();
  return () => {
    isOver = true;
    cancel();
  };
}
