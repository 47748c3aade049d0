/** Tells that there may be something new in files: at once where the system says so, else at the next look. */
import { type FSWatcher, statSync, watch } from 'node:fs';

/** Where the system tells of changes it is looked less often: it does not tell all of them on every kind of disk. */
const LOOK_EVERY_MS = 200;
const LOOK_SELDOM_MS = 1000;
/** Whoever writes without pause is read so often. */
const REST_MS = 10;

interface Ear {
  readonly ino: number;
  readonly watcher: FSWatcher;
}

export class Bell {
  readonly #ears = new Map<string, Ear | null>();
  readonly #rung = new Set<string>();
  #wake = (): void => {};
  #lastAt = Number.NEGATIVE_INFINITY;
  #lastOfAllAt = Number.NEGATIVE_INFINITY;

  /** Those of the files that it is time to look at; it may be none, and is when `over` has fired. */
  async next(paths: readonly string[], over: AbortSignal): Promise<readonly string[]> {
    const isDeaf = paths.some((path) => (this.#ears.get(path) ?? null) === null);
    const rest = this.#lastOfAllAt + (isDeaf ? LOOK_EVERY_MS : LOOK_SELDOM_MS) - performance.now();
    if (this.#rung.size === 0) await this.#wait(rest, over);
    await pause(this.#lastAt + REST_MS - performance.now(), over);
    this.#lastAt = performance.now();
    const isTime = this.#lastAt >= this.#lastOfAllAt + (isDeaf ? LOOK_EVERY_MS : LOOK_SELDOM_MS);
    if (isTime) this.#lastOfAllAt = this.#lastAt;
    const due = isTime ? paths : paths.filter((path) => this.#rung.has(path));
    this.#rung.clear();
    for (const path of due) this.#listenTo(path);
    return over.aborted ? [] : due;
  }

  /** There is something else to do than to wait. */
  wake(): void {
    this.#wake();
  }

  close(): void {
    for (const ear of this.#ears.values()) ear?.watcher.close();
    this.#ears.clear();
  }

  async #wait(ms: number, over: AbortSignal): Promise<void> {
    await pause(ms, over, (awake) => {
      this.#wake = awake;
    });
    this.#wake = () => {};
  }

  /** The file that is there now. What was written before anybody listened is seen by whoever looks after this. */
  #listenTo(path: string): void {
    const ino = inodeOf(path);
    const known = this.#ears.get(path);
    if (known != null && known.ino === ino) return;
    known?.watcher.close();
    this.#ears.set(path, ino === undefined ? null : this.#earAt(path, ino));
  }

  #earAt(path: string, ino: number): Ear | null {
    try {
      const watcher = watch(path, { persistent: false }, () => {
        this.#rung.add(path);
        this.#wake();
      });
      watcher.on('error', () => watcher.close());
      return { ino, watcher };
    } catch {
      return null; // the system has no more of them to give, or none for this kind of place
    }
  }
}

const inodeOf = (path: string): number | undefined => {
  try {
    const stats = statSync(path, { throwIfNoEntry: false });
    return stats?.isFile() ? stats.ino : undefined; // of /dev/null everybody's writing would be heard
  } catch {
    return undefined;
  }
};

function pause(ms: number, over: AbortSignal, rouse = (_: () => void): void => {}): Promise<void> {
  if (ms <= 0 || over.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      over.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    over.addEventListener('abort', done);
    rouse(done);
  });
}
