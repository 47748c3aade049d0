/** All FIFOs of a daemon, by name: found where an earlier one has left them, made, kept from being lost, and removed. */
import { mkdirSync, readdirSync, readlinkSync } from 'node:fs';
import { basename, join } from 'node:path';
import { run } from '../base/ids.ts';
import type { LogSettings } from '../core/plan.ts';
import type { Plumbing } from '../ports/plumbing.ts';
import { INHERITED } from '../ports/processes.ts';
import type { CaptureTools } from './capture.ts';
import { Conduit } from './conduit.ts';
import { Fifo, isLink, type Owner } from './fifo.ts';
import type { LogFileEvents } from './file-settings.ts';
import { Flights, FOR_DISKS, FOR_STDOUT } from './flights.ts';
import { LogFiles } from './log-files.ts';
import { firstOf, isMid, standAlone } from './mid.ts';
import { type Aim, clear } from './outlet.ts';
import { isSpool, spoolOf } from './spool.ts';
import { originOf } from './stream.ts';
import { wordsFor } from './system-words.ts';
import { Turns } from './turns.ts';

const PIPE_BYTES = 1024 * 1024;
/** The pipes of a user who is not root share a quota, 64 MiB as it comes; beyond it all his pipes become small ones. */
const SMALLER_PIPE_BYTES = 256 * 1024;
const QUOTA_BYTES = 32 * 1024 * 1024;
/** The last words of whoever ends while there is no daemon are waited for so long. */
const PATIENCE_S = 600;
/** What is in a second FIFO nobody else holds, and it belongs before what its program has in the first one. */
const LONG_PATIENCE_S = 24 * 3600;
/** No stream can have this name: there is a dot in each. */
const KEEPER = 'keeper';

/** Of one that is found before its instance is known: what comes is carried on as it is, and nothing else is done. */
const NO_RUN = run(0);
const UNKNOWN: LogSettings = {
  maxBytes: null,
  keep: 0,
  maxAgeMs: null,
  compress: false,
  timestamps: false,
  format: 'raw',
  whenFull: 'block',
};

export interface ConduitsOptions {
  readonly plumbing: Plumbing;
  /** Of the FIFOs alone. */
  readonly folder: string;
  readonly events: LogFileEvents;
  warn(text: string): void;
}

export class Conduits {
  readonly #options: ConduitsOptions;
  readonly #named = new Map<string, Conduit>();
  /** Whose FIFOs somebody has removed, while they were held. */
  readonly #nameless = new Set<Conduit>();
  readonly #toDisks: CaptureTools;
  /** Whoever does not read it holds up nothing else. */
  readonly #toStdout: CaptureTools;
  /** What is written to. */
  readonly files: LogFiles;
  #isClosed = false;
  #keeping: NodeJS.Immediate | null = null;

  constructor(options: ConduitsOptions) {
    this.#options = options;
    const common = { plumbing: options.plumbing, turns: new Turns() };
    this.#toDisks = { ...common, flights: new Flights(FOR_DISKS) };
    this.#toStdout = { ...common, flights: new Flights(FOR_STDOUT) };
    this.files = new LogFiles(options.events, options.plumbing);
    const names = namesIn(options.folder);
    for (const name of names)
      if (isMid(name) && !names.includes(firstOf(name))) this.#findAlone(firstOf(name));
    for (const name of names) if (!isSpool(name) && !isMid(name)) this.#find(name);
    for (const name of names) if (isSpool(name)) this.#clear(name);
    this.#keepSoon();
  }

  get all(): readonly Conduit[] {
    return [...this.#named.values(), ...this.#nameless];
  }

  get named(): Iterable<readonly [string, Conduit]> {
    return this.#named;
  }

  get(name: string): Conduit | undefined {
    return this.#named.get(name);
  }

  /** What a program is given to write to, on its way there. @throws what the system says */
  give(name: string, aim: Aim, owner: Owner | null): number {
    const known = this.#named.get(name);
    const given = known?.give(aim, owner) ?? null;
    if (given !== null) return given;
    if (known !== undefined) this.#setAside(name, known);
    const { folder, plumbing } = this.#options;
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const fifo = Fifo.make(join(folder, name), aim.path, plumbing);
    const made = this.#add(name, fifo, aim, false).give(aim, owner);
    if (made === null) throw new Error('it is removed at once');
    return made;
  }

  /** A FIFO that somebody has removed is had from a process that holds it. */
  borrow(name: string, at: string, aim: Aim): void {
    const own = join(this.#options.folder, name);
    if (this.#named.has(name) || !isRemoved(own, at)) return;
    this.#guarded(name, () => {
      const conduit = this.#add(name, Fifo.find(own, at), aim, false);
      if (!conduit.watch()) throw new Error('it cannot be watched');
    });
  }

  /** Its instance is there no more: it goes when nobody can write into it any more. */
  dismiss(name: string): void {
    const conduit = this.#named.get(name);
    if (conduit === undefined) return;
    conduit.isLeft = true;
    if (conduit.drain()) this.#remove(conduit);
  }

  /**
   * Whoever still writes goes on doing so: the next daemon reads it, and until then it is kept. `done`: no thread of
   * this daemon writes any more.
   */
  close(done: () => void): void {
    if (this.#keeping !== null) this.#keep();
    this.#isClosed = true;
    this.files.close();
    for (const conduit of this.all)
      conduit.halt(() => {
        if (conduit.drain()) this.#remove(conduit);
        else conduit.close();
      });
    this.#toDisks.flights.whenOver(() =>
      this.#toStdout.flights.whenOver(() => {
        if (this.all.length === 0) this.#keep();
        done();
      }),
    );
  }

  /** What an earlier daemon has left. */
  #find(name: string): void {
    const own = join(this.#options.folder, name);
    const path = Fifo.targetOf(own);
    if (path === null) return;
    this.#guarded(name, () => {
      const aim = { path, logging: UNKNOWN, origin: originOf(name, NO_RUN) };
      if (!this.#add(name, Fifo.find(own), aim, true).watch()) throw new Error('it cannot be watched');
    });
  }

  /** What is in the second FIFO of a stream whose first one somebody has removed: before all that comes. */
  #findAlone(first: string): void {
    this.#guarded(first, () => {
      const own = join(this.#options.folder, first);
      const target = Fifo.targetOf(own);
      // Where nobody knows where it led, whoever borrows its FIFO takes it up.
      if (target === null) return;
      const name = basename(standAlone(own, target));
      this.#find(name);
      this.#named.get(name)?.drain();
    });
  }

  /** What is left of a stream that is there no more. */
  #clear(name: string): void {
    if ([...this.#named.keys()].some((known) => spoolOf(known) === name)) return;
    this.#guarded(name, () =>
      clear(join(this.#options.folder, name), UNKNOWN, this.#options.plumbing, this.files),
    );
  }

  #guarded(name: string, act: () => void): void {
    try {
      act();
    } catch (error) {
      this.#options.warn(`cannot read on what ${name} has written: ${wordsFor(error)}`);
    }
  }

  #add(name: string, fifo: Fifo, aim: Aim, isLeft: boolean): Conduit {
    const pipeBytes = this.#sizeOfNext();
    const over = (conduit: Conduit): void => this.#remove(conduit);
    const tools = aim.path === INHERITED ? this.#toStdout : this.#toDisks;
    const files = this.files;
    const grown = (): void => this.#keepSoon();
    const conduit = new Conduit(fifo, aim, isLeft, { tools, files, pipeBytes, over, grown });
    this.#named.set(name, conduit);
    this.#keepSoon();
    return conduit;
  }

  #sizeOfNext(): number {
    if (process.geteuid?.() === 0) return PIPE_BYTES;
    return this.#named.size < QUOTA_BYTES / SMALLER_PIPE_BYTES ? SMALLER_PIPE_BYTES : 0;
  }

  #setAside(name: string, conduit: Conduit): void {
    this.#named.delete(name);
    this.#nameless.add(conduit);
    conduit.setAside();
  }

  #remove(conduit: Conduit): void {
    for (const [name, one] of this.#named) if (one === conduit) this.#named.delete(name);
    this.#nameless.delete(conduit);
    conduit.remove();
    this.#keepSoon();
  }

  /** Once for all that come and go in one turn of the loop. */
  #keepSoon(): void {
    if (!this.#isClosed) this.#keeping ??= setImmediate(() => this.#keep());
  }

  #keep(): void {
    if (this.#keeping !== null) clearImmediate(this.#keeping);
    this.#keeping = null;
    const { plumbing, folder, warn } = this.#options;
    const { all } = this;
    const pipes = all.flatMap((conduit) => conduit.pipes);
    // Somebody may have removed it; what is held has no name in it then, and is kept all the same.
    if (pipes.length > 0) makeIfGone(folder);
    const patienceS = pipes.length > all.length ? LONG_PATIENCE_S : PATIENCE_S;
    const kept = plumbing.keep(pipes, join(folder, KEEPER), patienceS, () => this.#keepSoon());
    if (kept.ok) for (const conduit of all) conduit.kept();
    else warn(kept.error);
  }
}

function makeIfGone(folder: string): void {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
  } catch {
    // Whoever needs it says what is wrong.
  }
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder).filter((name) => name !== KEEPER && !isLink(name));
  } catch {
    return []; // it is made with the first FIFO
  }
}

/** As the system names what is open, and is there no more. */
function isRemoved(path: string, at: string): boolean {
  try {
    return readlinkSync(at) === `${path} (deleted)`;
  } catch {
    return false;
  }
}
