/** The hooks that are under way. Each is answered exactly once, also when it could not be begun. */
import type { Run } from '../base/ids.ts';
import { ok, type Result } from '../base/result.ts';
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
    const own = this.#cancels.get(run) ?? new Set();
    const entry = { cancel: (): void => {}, isOver: false };
    const cancel = (): void => entry.cancel();
    const done = (result: CommandResult): void => {
      if (entry.isOver) return;
      entry.isOver = true;
      own.delete(cancel);
      if (own.size === 0) this.#cancels.delete(run);
      if (!this.#closed) this.#hooked(run, hook, result);
    };
    this.#cancels.set(run, own.add(cancel));
    const begun = attempt(() => {
      const made = request();
      return made.ok ? ok(this.#execute(made.value, done)) : made;
    });
    if (begun.ok) entry.cancel = begun.value;
    else done({ ok: false, detail: `cannot start: ${begun.error.message}` });
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
