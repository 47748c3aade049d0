/** Resolves after so many milliseconds, or at once when the signal fires. */
export function pause(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) return resolve();
    const done = () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal?.addEventListener('abort', done);
  });
}

/** A pause that somebody else may end. */
export class Nap {
  #end = () => {};

  async take(ms: number, over: AbortSignal): Promise<void> {
    if (over.aborted) return;
    const awake = new AbortController();
    this.#end = () => awake.abort();
    over.addEventListener('abort', this.#end, { once: true });
    await pause(ms, awake.signal);
    over.removeEventListener('abort', this.#end);
  }

  end(): void {
    this.#end();
  }
}
