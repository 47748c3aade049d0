/** What is to be done at the end, in an order, each within its limit; all of it, whatever one of them does. */
import { after, checkMs } from './timer.ts';

export interface HookOptions {
  /** In milliseconds; Infinity for no limit. Default: 10000. */
  readonly timeoutMs?: number;
}

/** May be async. `signal` fires when it takes too long: at its own limit, or, in `onQuiet`, at `cancel`. */
export type Hook = (signal: AbortSignal) => unknown;

export interface HookFailure {
  readonly name: string;
  readonly error: Error;
}

interface Registered {
  readonly name: string;
  readonly hook: Hook;
  readonly timeoutMs: number;
}

const TIMEOUT_MS = 10_000;

export class Hooks {
  readonly #hooks: Registered[] = [];

  /** Returns what takes it back. @throws {RangeError} for a limit that is no number. */
  add(name: string, hook: Hook, { timeoutMs = TIMEOUT_MS }: HookOptions = {}): () => void {
    const registered = { name, hook, timeoutMs: checkMs('timeoutMs', timeoutMs) };
    this.#hooks.push(registered);
    return () => {
      const at = this.#hooks.indexOf(registered);
      if (at >= 0) this.#hooks.splice(at, 1);
    };
  }

  /** The last that was added is the first that runs: what was built upon something is taken down before it. */
  async run(): Promise<HookFailure[]> {
    const failures: HookFailure[] = [];
    for (let next = this.#hooks.pop(); next !== undefined; next = this.#hooks.pop()) {
      const error = await attempt(next);
      if (error !== null) failures.push({ name: next.name, error });
    }
    return failures;
  }
}

async function attempt({ name, hook, timeoutMs }: Registered): Promise<Error | null> {
  const controller = new AbortController();
  let takeBack = (): void => {};
  const late = new Promise<never>((_, reject) => {
    takeBack = after(timeoutMs, () => {
      const error = new Error(`${name} took longer than ${timeoutMs} ms`);
      controller.abort(error);
      reject(error);
    });
  });
  try {
    await Promise.race([new Promise((resolve) => resolve(hook(controller.signal))), late]);
    return null;
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  } finally {
    takeBack();
  }
}
