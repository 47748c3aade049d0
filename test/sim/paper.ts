/** A journal without a file, for daemons that die: what was put and not flushed dies with them. */
import type { Journal, Journalled } from '../../src/daemon/journal.ts';

/** What is on the disk. */
export type Disk = Map<string, string>;

/** What the daemon's rooms make use of. */
type Pages = Pick<Journal, 'get' | 'has' | 'text' | 'under' | 'put' | 'flush'>;

export class Paper implements Pages {
  readonly #disk: Disk;
  readonly #values: Map<string, string>;
  readonly #pending = new Map<string, string | null>();

  constructor(disk: Disk) {
    this.#disk = disk;
    this.#values = new Map(disk);
  }

  get<T>(key: string, read: (value: unknown) => T | null): T | null {
    const text = this.#values.get(key);
    return text === undefined ? null : read(JSON.parse(text));
  }

  has(key: string): boolean {
    return this.#values.has(key);
  }

  text(key: string): string | undefined {
    return this.#values.get(key);
  }

  *under(prefix: string): Iterable<readonly [key: string, value: unknown]> {
    for (const [key, text] of this.#values) {
      if (key.startsWith(prefix)) yield [key.slice(prefix.length), JSON.parse(text)];
    }
  }

  put(key: string, value: Journalled): void {
    const text = value === null ? null : JSON.stringify(value);
    if (text === null ? !this.#values.has(key) : this.#values.get(key) === text) return;
    if (text === null) this.#values.delete(key);
    else this.#values.set(key, text);
    this.#pending.set(key, text);
  }

  flush(): void {
    for (const [key, text] of this.#pending) {
      if (text === null) this.#disk.delete(key);
      else this.#disk.set(key, text);
    }
    this.#pending.clear();
  }
}

/** The journal is a class with private fields: of it nothing is made use of but these methods. */
export const asJournal = (pages: Pages): Journal => pages as Journal;
