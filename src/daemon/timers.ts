/** One timer for each name; arming it again moves it. A timer that rings too early is asked again by the clock. */
import type { Mono } from '../base/clock.ts';
import type { TimerName } from '../core/fleet/event.ts';
import type { Clock } from '../ports/clock.ts';

/** setTimeout rings at once beyond this many milliseconds. */
export const LONGEST_MS = 2 ** 31 - 1;

export class Timers {
  readonly #clock: Clock;
  readonly #ring: (name: TimerName) => void;
  readonly #armed = new Map<string, NodeJS.Timeout>();
  #closed = false;

  constructor(clock: Clock, ring: (name: TimerName) => void) {
    this.#clock = clock;
    this.#ring = ring;
  }

  arm(name: TimerName, at: Mono): void {
    this.disarm(name);
    if (this.#closed) return;
    const key = keyOf(name);
    // Rounded up, since a timer that rings a fraction too soon would be told to wait and never ring again.
    const waitMs = Math.min(Math.max(0, Math.ceil(at - this.#clock.now().mono)), LONGEST_MS);
    this.#armed.set(
      key,
      setTimeout(() => {
        this.#armed.delete(key);
        if (this.#clock.now().mono < at) this.arm(name, at);
        else this.#ring(name);
      }, waitMs),
    );
  }

  disarm(name: TimerName): void {
    const key = keyOf(name);
    clearTimeout(this.#armed.get(key));
    this.#armed.delete(key);
  }

  /** For good: nothing is armed after this. */
  close(): void {
    this.#closed = true;
    for (const timer of this.#armed.values()) clearTimeout(timer);
    this.#armed.clear();
  }
}

const keyOf = (name: TimerName): string => ('id' in name ? `${name.of}/${name.id}` : name.of);
