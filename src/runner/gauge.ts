/** Tells how many jobs are in flight: at once while few change, at most ten times a second while many do. */
import type { Reporter } from './report.ts';

const PAUSE_MS = 100;

export class Gauge {
  readonly #reporter: Pick<Reporter, 'inFlight'>;
  #count = 0;
  #told: number | null = null;
  #timer: NodeJS.Timeout | undefined;

  constructor(reporter: Pick<Reporter, 'inFlight'>) {
    this.#reporter = reporter;
  }

  set(count: number): void {
    this.#count = count;
    if (this.#timer === undefined) this.#tell();
  }

  /** What has not been told yet is told now. */
  flush(): void {
    this.close();
    this.#tell();
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #tell(): void {
    if (this.#told === this.#count) return;
    this.#told = this.#count;
    this.#reporter.inFlight(this.#count);
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#tell();
    }, PAUSE_MS).unref();
  }
}
