/** What is to be done as soon as no more work is taken: all of it at once, and waited for. */
import type { Tell } from './complaints.ts';
import type { Hook } from './hooks.ts';

interface Registered {
  readonly name: string;
  readonly hook: Hook;
}

export class QuietHooks {
  readonly #cancel: AbortSignal;
  readonly #changed: () => void;
  readonly #tell: Tell;
  readonly #waiting = new Set<Registered>();
  #isQuiet = false;
  #underWay = 0;

  /** `cancel` is what hooks are given; `changed` is called when one has ended. */
  constructor(cancel: AbortSignal, tell: Tell, changed: () => void) {
    this.#cancel = cancel;
    this.#tell = tell;
    this.#changed = changed;
  }

  /** Those that have begun and not ended. */
  get underWay(): number {
    return this.#underWay;
  }

  /** Returns what takes it back. */
  add(name: string, hook: Hook): () => void {
    const registered = { name, hook };
    if (this.#isQuiet) this.#call(registered);
    else this.#waiting.add(registered);
    return () => void this.#waiting.delete(registered);
  }

  /** It is quiet: calls them, in order, and from now on each as it is added. */
  begin(): void {
    this.#isQuiet = true;
    for (const registered of this.#waiting) this.#call(registered);
  }

  #call({ name, hook }: Registered): void {
    this.#underWay++;
    new Promise((resolve) => resolve(hook(this.#cancel)))
      .catch((error: unknown) => this.#tell(`hook ${name}`, error))
      .finally(() => {
        this.#underWay--;
        this.#changed();
      });
  }
}
