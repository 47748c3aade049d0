/**
 * What the daemon stands on: its folders, its socket, its locks. Whoever takes one of them away does not end it, and no
 * second daemon is to take their place: as soon as something is missing, it is put back.
 */
import { existsSync, type FSWatcher, watch } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { Plan } from '../core/plan.ts';
import type { Door } from './door.ts';
import { makeFolders } from './folders.ts';
import type { Hold } from './hold.ts';
import type { Journal } from './journal.ts';
import type { OwnLog } from './own-log.ts';
import { Retry } from './retry.ts';

interface Stones {
  readonly hold: Pick<Hold, 'isWhole' | 'renew'>;
  readonly door: Pick<Door, 'path' | 'isThere' | 'openAgain'>;
  readonly journal: Pick<Journal, 'ensure'>;
  readonly processes: { restoreChannels(): void };
  readonly log: Pick<OwnLog, 'say' | 'flush'>;
}

/** Whoever removes a whole folder is to be done with it. */
const SETTLE_MS = 150;

export class Footing {
  readonly #plan: Plan;
  readonly #stones: Stones;
  /** Of which each is to be there. */
  readonly #paths: readonly string[];
  readonly #watchers: FSWatcher[] = [];
  #timer: NodeJS.Timeout | undefined;
  #failure: string | null = null;
  #isBusy = false;
  #closed = false;
  readonly #retry = new Retry(() => {
    void this.#look();
    return this.#failure === null;
  });

  constructor(plan: Plan, stones: Stones) {
    const { runDir, stateDir, logDir } = plan;
    this.#plan = plan;
    this.#stones = stones;
    this.#paths = [stones.door.path, join(runDir, 'lock'), runDir, stateDir, logDir];
  }

  begin(): void {
    this.#watch();
  }

  /** What could not be put back. */
  get trouble(): string | null {
    return this.#failure;
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#retry.stop();
    this.#unwatch();
  }

  /** The folder in which each of them is: that is told of it when it comes or goes, and of little else. */
  #watch(): void {
    const names = new Map<string, Set<string>>();
    for (const path of this.#paths) {
      const folder = dirname(path);
      names.set(folder, (names.get(folder) ?? new Set([basename(folder)])).add(basename(path)));
    }
    for (const [folder, own] of names) this.#watchFolder(folder, own);
  }

  #watchFolder(folder: string, names: ReadonlySet<string>): void {
    try {
      const watcher = watch(folder, { persistent: false }, (event, name) => {
        if (event === 'rename' && (name === null || names.has(name))) this.#stir();
      });
      watcher.on('error', () => this.#stir());
      this.#watchers.push(watcher);
    } catch {
      // It is gone already, or no more can be watched here: then it is looked after at the next occasion.
    }
  }

  #unwatch(): void {
    for (const watcher of this.#watchers.splice(0)) watcher.close();
  }

  #stir(): void {
    if (this.#closed) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#look(), SETTLE_MS);
    this.#timer.unref();
  }

  async #look(): Promise<void> {
    if (this.#closed || this.#isBusy) return;
    const missing = this.#paths.filter((path) => !existsSync(path));
    const { hold, door, log } = this.#stones;
    if (missing.length === 0 && hold.isWhole && door.isThere) return this.#settled();
    const what = missing[0] ?? door.path;
    this.#isBusy = true;
    try {
      await this.#putBack();
      log.say(`${what} was taken away, and is put back`);
      this.#settled();
    } catch (error) {
      this.#fail(`${what} was taken away and cannot be put back: ${reasonOf(error)}`);
    } finally {
      this.#isBusy = false;
      log.flush();
    }
  }

  /** The locks before the socket: whoever finds that is to find the only daemon. */
  async #putBack(): Promise<void> {
    const { hold, door, journal, processes } = this.#stones;
    const folders = makeFolders(this.#plan);
    if (!folders.ok) throw new Error(folders.error);
    await hold.renew();
    if (!door.isThere) await door.openAgain();
    journal.ensure();
    processes.restoreChannels();
  }

  #fail(failure: string): void {
    if (this.#closed) return;
    if (this.#failure === null) this.#retry.start();
    if (this.#failure !== failure) this.#stones.log.say(failure);
    this.#failure = failure;
  }

  /** What was put back is another folder than the one that was watched. */
  #settled(): void {
    this.#failure = null;
    this.#retry.stop();
    this.#unwatch();
    if (!this.#closed) this.#watch();
  }
}

const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
