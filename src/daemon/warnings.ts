/** What does not work as it should: all of it in the log, the last of it in `status`. */
const SHOWN = 5;

export class Warnings {
  readonly #recent: string[] = [];
  readonly #log: (text: string) => void;

  constructor(log: (text: string) => void) {
    this.#log = log;
  }

  /** The last few, oldest first. */
  get recent(): readonly string[] {
    return this.#recent;
  }

  add(text: string): void {
    this.#log(text);
    this.#recent.push(text);
    if (this.#recent.length > SHOWN) this.#recent.shift();
  }
}
