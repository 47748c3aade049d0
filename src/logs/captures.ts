/**
 * The output of all instances: a FIFO and a capture for each stream of each. A daemon that dies leaves the FIFOs where
 * they are; the next one finds them by their names and reads on.
 */
import { closeSync, mkdirSync, readdirSync, readlinkSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { InstanceId, Run } from '../base/ids.ts';
import { ok, type Result } from '../base/result.ts';
import type { OpenOutput } from '../ports/output.ts';
import type { Plumbing } from '../ports/plumbing.ts';
import { Capture } from './capture.ts';
import { Fifo, isLink, type Owner } from './fifo.ts';
import { FileSink } from './file-sink.ts';
import { wordsFor } from './system-words.ts';

const PIPE_BYTES = 1024 * 1024;
/** The pipes of a user who is not root share a quota, 64 MiB as it comes; beyond it all his pipes become small ones. */
const SMALLER_PIPE_BYTES = 256 * 1024;
const QUOTA_BYTES = 32 * 1024 * 1024;

export interface CapturesOptions {
  readonly plumbing: Plumbing;
  /** Of the FIFOs alone. */
  readonly folder: string;
  /** A file for a program to write to by itself. */
  openFile(path: string): Result<number, string>;
  /** A sentence for the daemon's own log. */
  say(text: string): void;
  /** One that is to be seen for a while. */
  warn(text: string): void;
}

/** A run that an earlier daemon has begun. */
export interface Adopted {
  readonly id: InstanceId;
  readonly run: Run;
  /** Null: its leader is gone. */
  readonly pid: number | null;
  readonly stdout: string | null;
  readonly stderr: string | null;
}

interface Line {
  readonly fifo: Fifo;
  readonly capture: Capture<FileSink>;
  /** Of an instance that nobody has spoken of yet. */
  isLeft: boolean;
}

/** No instance can have this name: its is of two parts. */
const KEEPER = 'keeper';
const STREAMS = ['out', 'err'] as const;
type Stream = (typeof STREAMS)[number];
type Stdio = 'stdout' | 'stderr';
/** As a process has them. */
const NUMBERS = { out: 1, err: 2 } as const;

export class Captures {
  readonly #options: CapturesOptions;
  /** By the name of the FIFO. */
  readonly #lines = new Map<string, Line>();
  readonly #idOf = new Map<Run, InstanceId>();
  #refusal: string | null = null;
  #keeping: NodeJS.Immediate | null = null;

  constructor(options: CapturesOptions) {
    this.#options = options;
    for (const name of namesIn(options.folder)) this.#take(name);
    this.#keepSoon();
  }

  readonly openOutput: OpenOutput = (request) => {
    const given = new Map<string, number>();
    const close = (): void => {
      for (const descriptor of given.values()) closeSync(descriptor);
      given.clear();
    };
    for (const stream of STREAMS) {
      const path = pathOf(request, stream);
      if (path === null || given.has(path)) continue;
      const descriptor = this.#give(path, nameOf(request.id, stream), request.credentials);
      if (!descriptor.ok) {
        close();
        return descriptor;
      }
      given.set(path, descriptor.value);
    }
    this.#idOf.set(request.run, request.id);
    const of = (path: string | null) => (path === null ? undefined : given.get(path)) ?? 'ignore';
    return ok({ stdout: of(request.stdout), stderr: of(request.stderr), close });
  };

  /** Whoever holds a FIFO that somebody has removed meanwhile lends it. */
  adopt(adopted: Adopted): void {
    const { id, run, pid, stdout, stderr } = adopted;
    this.#idOf.set(run, id);
    for (const line of this.#of(id)) line.isLeft = false;
    if (pid === null) return;
    for (const stream of STREAMS) {
      const path = pathOf(adopted, stream);
      const isMerged = stream === 'err' && stderr === stdout;
      if (path !== null && !isMerged)
        this.#borrow(nameOf(id, stream), `/proc/${pid}/fd/${NUMBERS[stream]}`, path);
    }
  }

  /** Its leader is gone: what that wrote is in the file when this returns. */
  ended(run: Run): void {
    const id = this.#idOf.get(run);
    this.#idOf.delete(run);
    if (id !== undefined) this.drain(id);
  }

  /** Moves what has been written so far: by all of them, or by this one. */
  drain(id: InstanceId | null = null): void {
    for (const { capture } of id === null ? this.#lines.values() : this.#of(id)) capture.drain();
  }

  /** Where this file ends when all that has been written so far is in it. */
  drainInto(path: string): void {
    for (const { capture } of this.#lines.values()) if (capture.sink.path === path) capture.drain();
  }

  /** The instance is there no more. */
  dismiss(id: InstanceId): void {
    for (const stream of STREAMS) {
      const line = this.#lines.get(nameOf(id, stream));
      if (line === undefined) continue;
      // Whoever still writes is heard to its end.
      line.isLeft = true;
      if (line.capture.drain()) this.#remove(nameOf(id, stream));
    }
  }

  /** Of what this instance wrote, since this daemon began. */
  droppedBytes(id: InstanceId): number {
    return this.#of(id).reduce((sum, { capture }) => sum + capture.sink.loss.droppedBytes, 0);
  }

  /** What cannot be done now. */
  get warnings(): readonly string[] {
    const sinks = [...this.#lines.values()].map(({ capture }) => capture.sink);
    const failing = sinks.flatMap(({ path, loss: { why, droppedBytes } }) =>
      why === null ? [] : [`${cannotWrite(path, why)}, ${droppedBytes} bytes so far`],
    );
    return [...(this.#refusal === null ? [] : [this.#refusal]), ...failing];
  }

  /** Whoever still writes goes on doing so, and the next daemon reads it. */
  close(): void {
    if (this.#keeping !== null) this.#keep();
    for (const [name, { fifo, capture }] of [...this.#lines]) {
      if (capture.drain() || capture.drain()) this.#remove(name);
      else {
        capture.close();
        fifo.close();
      }
    }
    // What is still written to is in the keeping of its keeper.
    if (this.#lines.size === 0) this.#keep();
    if (this.#keeping !== null) clearImmediate(this.#keeping);
    this.#lines.clear();
  }

  #of(id: InstanceId): Line[] {
    return STREAMS.flatMap((stream) => this.#lines.get(nameOf(id, stream)) ?? []);
  }

  #give(path: string, name: string, owner: Owner | null): Result<number, string> {
    // A device, a terminal: nothing of that can be carried anywhere.
    if (!isPlain(path)) return this.#options.openFile(path);
    try {
      const given = this.#openWriter(path, name, owner);
      this.#refusal = null;
      return ok(given);
    } catch (error) {
      this.#refuse(wordsFor(error));
      return this.#options.openFile(path);
    }
  }

  #openWriter(path: string, name: string, owner: Owner | null): number {
    const line = this.#lines.get(name);
    const given = line?.fifo.openWriter(owner) ?? null;
    if (line === undefined || given === null) {
      this.#remove(name);
      return this.#make(path, name, owner);
    }
    line.isLeft = false;
    if (line.capture.sink.path !== path) {
      line.capture.drain();
      line.fifo.aimAt(path);
      line.capture.sink.aimAt(path);
    }
    return this.#watched(line, given);
  }

  #make(path: string, name: string, owner: Owner | null): number {
    const { folder, plumbing } = this.#options;
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const fifo = Fifo.make(join(folder, name), path, plumbing);
    const line = this.#add(name, fifo, path);
    const given = fifo.openWriter(owner);
    if (given === null) throw new Error('it is removed at once');
    return this.#watched(line, given);
  }

  /** Not before somebody can write: else it would be told that nobody can. */
  #watched(line: Line, given: number): number {
    if (line.capture.watch()) return given;
    closeSync(given);
    throw new Error('it cannot be watched');
  }

  #add(name: string, fifo: Fifo, path: string): Line {
    const { plumbing, say, warn } = this.#options;
    plumbing.enlarge(fifo.reader, this.#sizeOfNext());
    const sink = new FileSink(path, plumbing, {
      failing: (at, why) => say(cannotWrite(at, why)),
      well: (at, bytes) => warn(`${at} can be written to again; ${bytes} bytes of output were dropped`),
    });
    const over = (): void => {
      if (line.isLeft) this.#remove(name);
    };
    const line: Line = { fifo, capture: new Capture(fifo.reader, sink, plumbing, over), isLeft: false };
    this.#lines.set(name, line);
    this.#keepSoon();
    return line;
  }

  #sizeOfNext(): number {
    if (process.geteuid?.() === 0) return PIPE_BYTES;
    return this.#lines.size < QUOTA_BYTES / SMALLER_PIPE_BYTES ? SMALLER_PIPE_BYTES : 0;
  }

  /** What an earlier daemon has left. */
  #take(name: string): void {
    const path = join(this.#options.folder, name);
    const target = Fifo.targetOf(path);
    if (target !== null) this.#open(name, target, () => Fifo.find(path));
  }

  #borrow(name: string, at: string, target: string): void {
    const path = join(this.#options.folder, name);
    if (isRemoved(path, at)) this.#open(name, target, () => Fifo.find(path, at));
  }

  #open(name: string, target: string, find: () => Fifo): void {
    try {
      const line = this.#add(name, find(), target);
      line.isLeft = true;
      if (!line.capture.watch()) throw new Error('it cannot be watched');
    } catch (error) {
      this.#options.warn(`cannot read what ${name} has written on: ${wordsFor(error)}`);
    }
  }

  #remove(name: string): void {
    const line = this.#lines.get(name);
    if (line === undefined) return;
    this.#lines.delete(name);
    line.capture.close();
    line.fifo.remove();
    this.#keepSoon();
  }

  /** Once for all that come and go in one turn of the loop. */
  #keepSoon(): void {
    this.#keeping ??= setImmediate(() => this.#keep());
  }

  #keep(): void {
    if (this.#keeping !== null) clearImmediate(this.#keeping);
    this.#keeping = null;
    const { plumbing, folder, warn } = this.#options;
    const readers = [...this.#lines.values()].map(({ fifo }) => fifo.reader);
    const kept = plumbing.keep(readers, join(folder, KEEPER));
    if (!kept.ok) warn(kept.error);
  }

  #refuse(why: string): void {
    const refusal = `cannot make FIFOs in ${this.#options.folder}: ${why}; programs write to their log files by themselves`;
    if (this.#refusal !== refusal) this.#options.say(refusal);
    this.#refusal = refusal;
  }
}

const nameOf = (id: InstanceId, stream: Stream): string => `${id}.${stream}`;

const pathOf = ({ stdout, stderr }: Pick<Adopted, Stdio>, stream: Stream): string | null =>
  stream === 'out' ? stdout : stderr;

const cannotWrite = (path: string, why: string): string =>
  `cannot write to ${path}: ${why}; what comes is dropped and counted`;

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder).filter((name) => name !== KEEPER && !isLink(name));
  } catch {
    return []; // it is made with the first FIFO
  }
}

/** What there is, or what would be made. */
function isPlain(path: string): boolean {
  try {
    return statSync(path, { throwIfNoEntry: false })?.isFile() ?? true;
  } catch {
    return false; // whoever opens it says why
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
