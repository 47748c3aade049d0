/** The hooks that are under way. Each is answered exactly once, also when it could not be begun. */
import type { Run } from '../base/ids.ts';
import type { Result } from '../base/result.ts';
import type { HookName } from '../core/plan.ts';
import type { CommandRequest, CommandResult, Processes, SpawnFault } from '../ports/processes.ts';

export type Hooked = (run: Run, hook: HookName, result: CommandResult) => void;

export class Hooks {
  readonly #execute: Processes['execute'];
  readonly #hooked: Hooked;
  /** Of each run, what cancels its hooks: one that was cancelled may not be over yet when the next begins. */
  readonly #cancels = new Map<Run, Set<() => void>>();
  #closed = false;

  constructor(execute: Processes['execute'], hooked: Hooked) {
    this.#execute = execute;
    this.#hooked = hooked;
  }

  /** Hooks that are not over. */
  get size(): number {
    let size = 0;
    for (const cancels of this.#cancels.values()) size += cancels.size;
    return size;
  }

  begin(run: Run, hook: HookName, request: () => Result<CommandRequest, SpawnFault>): void {
    const made = attempt(request);
    if (!made.ok) {
      this.#hooked(run, hook, { ok: false, detail: `cannot start: ${made.error.message}` });
      return;
    }
    let isOver = false;
    const own = this.#cancels.get(run) ?? new Set();
    this.#cancels.set(run, own);
    const cancel = this.#execute(made.value, (result) => {
      if (isOver) return;
      isOver = true;
      own.delete(cancel);
      if (own.size === 0 && this.#cancels.get(run) === own) this.#cancels.delete(run);
      if (!this.#closed) this.#hooked(run, hook, result);
    });
    own.add(cancel);
  }

  /** Their ends are still answered. */
  cancel(run: Run): void {
    for (const cancel of this.#cancels.get(run) ?? []) cancel();
  }

  /** For good: what was under way is ended, and nobody is told. */
  close(): void {
    this.#closed = true;
    for (const run of [...this.#cancels.keys()]) this.cancel(run);
  }
}

/** Whatever goes wrong in preparing it is a failed hook: an instance must not wait for an answer that does not come. */
export function attempt<T>(make: () => Result<T, SpawnFault>): Result<T, SpawnFault> {
  try {
    return make();
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return { ok: false, error: { stage: 'spawn', message } };
  }
}
