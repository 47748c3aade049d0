/** Ends something once, at the first of several signals. */
export class Cut {
  /** The signal that did it. */
  by: AbortSignal | null = null;
  readonly #signals: ReadonlySet<AbortSignal>;
  readonly #end: () => Promise<void>;
  #ended: Promise<void> | null = null;

  constructor(signals: readonly (AbortSignal | null | undefined)[], end: () => Promise<void>) {
    this.#signals = new Set(signals.filter((signal) => signal !== null && signal !== undefined));
    this.#end = end;
    for (const signal of this.#signals) signal.addEventListener('abort', this.#fire, { once: true });
  }

  /** Without a signal. Resolves when it is done. */
  now(): Promise<void> {
    this.#ended ??= this.#end();
    return this.#ended;
  }

  /** There is nothing to end any more; resolves when what was begun to be ended is. */
  async settled(): Promise<void> {
    for (const signal of this.#signals) signal.removeEventListener('abort', this.#fire);
    await this.#ended;
  }

  readonly #fire = (event: Event): void => {
    if (this.#ended === null) this.by = event.target as AbortSignal; // it is added to signals alone
    void this.now();
  };
}
