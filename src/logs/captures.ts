/**
 * The output of all instances: a FIFO for each stream of each, and what carries that to its file. A daemon that dies
 * leaves the FIFOs where they are; the next one finds them by their names and reads on.
 */
import { closeSync, existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { InstanceId, Run } from '../base/ids.ts';
import { fail, ok, type Result } from '../base/result.ts';
import type { LogSettings, ProgramPlan } from '../core/plan.ts';
import type { OpenOutput } from '../ports/output.ts';
import type { Plumbing } from '../ports/plumbing.ts';
import { INHERITED } from '../ports/processes.ts';
import type { Conduit } from './conduit.ts';
import { Conduits } from './conduits.ts';
import type { Owner } from './fifo.ts';
import type { FileSettings } from './file-settings.ts';
import type { Handling, LogFile } from './log-file.ts';
import type { Aim, FileAim } from './outlet.ts';
import {
  NUMBERS,
  nameOf,
  originOf,
  programOf,
  STREAMS,
  type Stream,
  streamsOf,
  type Ways,
} from './stream.ts';
import { wordsFor } from './system-words.ts';

/** What has become of one file that was to be rotated or reopened; `why` it failed. */
export interface Handled {
  readonly path: string;
  readonly outcome: Handling;
  readonly why: string | null;
}

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
  /** What has become of a file that is written to: these are told by `say` and `warn` as well. */
  changed?(change: LogChange): void;
}

export interface LogChange {
  readonly path: string;
  /** `failing`: it cannot be written to. `well`: it can again. `stuck`: it cannot be put aside. */
  readonly state: 'failing' | 'well' | 'stuck';
  /** Null: it is well. */
  readonly why: string | null;
  /** While it was failing. */
  readonly droppedBytes: number;
  readonly sentence: string;
}

type WhenFull = FileSettings['whenFull'];

/** A run that an earlier daemon has begun. */
export interface Adopted extends Ways {
  readonly id: InstanceId;
  readonly run: Run;
  /** Null: its leader is gone. */
  readonly pid: number | null;
  readonly logging: LogSettings;
}

/** For a disk that does not answer: an end must be told at some time. */
const PATIENCE_MS = 2000;
export class Captures {
  readonly #options: CapturesOptions;
  readonly #conduits: Conduits;
  readonly #idOf = new Map<Run, InstanceId>();
  #refusal: string | null = null;

  constructor(options: CapturesOptions) {
    const { plumbing, folder, say, warn } = options;
    this.#options = options;
    const tell = (change: LogChange, how: (text: string) => void): void => {
      how(change.sentence);
      options.changed?.(change);
    };
    const events = {
      failing(path: string, why: string, whenFull: WhenFull) {
        const sentence = cannotWrite(path, why, whenFull);
        tell({ path, state: 'failing', why, droppedBytes: 0, sentence }, say);
      },
      well(path: string, droppedBytes: number) {
        const sentence = `${path} can be written to again; ${lossOf(droppedBytes)}`;
        tell({ path, state: 'well', why: null, droppedBytes, sentence }, warn);
      },
      stuck: (path: string, why: string) =>
        tell({ path, state: 'stuck', why, droppedBytes: 0, sentence: cannotRotate(path, why) }, say),
      uncompressed: (path: string, why: string) =>
        say(`cannot compress what ${path} was before: ${why}; it stays as it is`),
    };
    this.#conduits = new Conduits({ plumbing, folder, events, warn });
  }

  readonly openOutput: OpenOutput = (request, isAhead = false) => {
    const given = new Map<Stream, number>();
    const close = (): void => {
      for (const descriptor of given.values()) closeSync(descriptor);
      given.clear();
    };
    for (const [stream, path] of streamsOf(request)) {
      const name = nameOf(request.id, stream);
      const descriptor = isAhead
        ? this.#giveAgain(path, name, request.credentials)
        : this.#give(
            { path, logging: request.logging, origin: originOf(name, request.run) },
            name,
            request.credentials,
          );
      if (!descriptor.ok) {
        close();
        return descriptor;
      }
      given.set(stream, descriptor.value);
    }
    if (!isAhead) this.#begun(request, given);
    const stdout = given.get('out');
    const stderr = given.get('err') ?? (request.stderr === null ? undefined : stdout);
    return ok({ stdout: stdout ?? 'ignore', stderr: stderr ?? 'ignore', close });
  };

  /** Whoever holds a FIFO that somebody has removed meanwhile lends it. */
  adopt(adopted: Adopted): void {
    const { id, run, pid, logging } = adopted;
    this.#idOf.set(run, id);
    for (const conduit of this.#of(id)) conduit.adopt(logging);
    if (pid === null) return;
    for (const [stream, path] of streamsOf(adopted)) {
      const name = nameOf(id, stream);
      const aim = { path, logging, origin: originOf(name, run) };
      this.#conduits.borrow(name, `/proc/${pid}/fd/${NUMBERS[stream]}`, aim);
    }
  }

  /** What is to become of what these write, from now on. */
  follow(programs: readonly Pick<ProgramPlan, 'name' | 'logs'>[]): void {
    const logging = new Map<string, LogSettings>(programs.map(({ name, logs }) => [name, logs]));
    for (const [name, conduit] of this.#conduits.named) {
      const settings = logging.get(programOf(name));
      if (settings !== undefined) conduit.follow(settings);
    }
  }

  /**
   * Its leader is gone: `done` is called when what that wrote is in the file, which is within the call unless the disk
   * takes its time; and then it is not waited for without end.
   */
  ended(run: Run, done: () => void = () => {}): void {
    const id = this.#idOf.get(run);
    this.#idOf.delete(run);
    settle(id === undefined ? [] : this.#of(id), done);
  }

  /** Moves what has been written so far: that into this file, or all; what a slow disk is yet to take is on its way. */
  drain(path: string | null = null): void {
    for (const conduit of this.#conduits.all)
      if ((path === null || conduit.path === path) && !conduit.isSlow) conduit.drain();
  }

  /** Puts aside what was written to these so far, in the order of their paths. */
  rotate(aims: readonly FileAim[]): readonly Handled[] {
    return this.#handle(aims, (file, isWritten) => file.rotateByWish(isWritten));
  }

  /** Somebody else has put these aside: what comes from now on goes to what is at their paths now. */
  reopen(aims: readonly FileAim[]): readonly Handled[] {
    return this.#handle(aims, (file) => file.reopen());
  }

  /** The instance is there no more. */
  dismiss(id: InstanceId): void {
    for (const stream of STREAMS) this.#conduits.dismiss(nameOf(id, stream));
  }

  /** Of what this instance wrote, since this daemon began. */
  droppedBytes(id: InstanceId): number {
    return this.#of(id).reduce((sum, { loss }) => sum + loss.droppedBytes, 0);
  }

  /** What cannot be done now. */
  get warnings(): readonly string[] {
    const failing = [...this.#conduits.files.all].flatMap((file) => warningsOf(file));
    return [...(this.#refusal === null ? [] : [this.#refusal]), ...failing];
  }

  /** Whoever still writes goes on doing so. `done`: and the next daemon may read it. */
  close(done: () => void = () => {}): void {
    this.#conduits.close(done);
  }

  #handle(aims: readonly FileAim[], act: (file: LogFile, isWritten: boolean) => Handling): Handled[] {
    const { files } = this.#conduits;
    const logging = new Map(aims.map((aim) => [aim.path, aim.logging]));
    return [...logging].map(([path, settings]) => {
      this.drain(path);
      const isWritten = files.has(path);
      // Where nobody has written yet, nothing is made for that; a device is nobody's to put aside.
      if (!isPlain(path) || !(isWritten || existsSync(path))) return { path, outcome: 'nothing', why: null };
      const file = files.hold(path, settings);
      const outcome = act(file, isWritten);
      const why = outcome === 'failed' ? (file.why ?? file.stuckFor) : null;
      files.letGo(file);
      return { path, outcome, why };
    });
  }

  #of(id: InstanceId): Conduit[] {
    return STREAMS.flatMap((stream) => this.#conduits.get(nameOf(id, stream)) ?? []);
  }

  #begun({ run, id }: Pick<Adopted, 'run' | 'id'>, given: ReadonlyMap<Stream, number>): void {
    this.#idOf.set(run, id);
    // A stream that an earlier run had, and this one has not.
    for (const stream of STREAMS) if (!given.has(stream)) this.#conduits.dismiss(nameOf(id, stream));
  }

  #give(aim: Aim, name: string, owner: Owner | null): Result<number, string> {
    // A device, a terminal: nothing of that can be carried anywhere.
    if (!isPlain(aim.path)) return this.#openFile(aim.path);
    try {
      const given = this.#conduits.give(name, aim, owner);
      this.#refusal = null;
      return ok(given);
    } catch (error) {
      this.#refuse(wordsFor(error));
      return this.#openFile(aim.path);
    }
  }

  #openFile(path: string): Result<number, string> {
    return this.#options.openFile(path === INHERITED ? '/dev/stdout' : path);
  }

  /** What the run before it has, and nothing else. */
  #giveAgain(path: string, name: string, owner: Owner | null): Result<number, string> {
    if (!isPlain(path)) return this.#openFile(path);
    try {
      const given = this.#conduits.get(name)?.giveAgain(path, owner) ?? null;
      return given === null ? fail(`${name} is on its way elsewhere`) : ok(given);
    } catch (error) {
      return fail(wordsFor(error));
    }
  }

  #refuse(why: string): void {
    const refusal = `cannot make FIFOs in ${this.#options.folder}: ${why}; programs write to their log files by themselves`;
    if (this.#refusal !== refusal) this.#options.say(refusal);
    this.#refusal = refusal;
  }
}

function settle(conduits: readonly Conduit[], done: () => void): void {
  let left = conduits.length;
  let timer: NodeJS.Timeout | null = null;
  const end = (): void => {
    if (timer !== null) clearTimeout(timer);
    left = -1;
    done();
  };
  if (left === 0) {
    end();
    return;
  }
  for (const conduit of conduits)
    conduit.settle(() => {
      if (--left === 0) end();
    });
  if (left > 0) timer = setTimeout(end, PATIENCE_MS);
}

/** Whether an instance writes into a FIFO in this folder, as far as can be told by those who cannot read it. */
export const isPiped = (id: InstanceId, folder: string): boolean =>
  STREAMS.some((stream) => existsSync(join(folder, nameOf(id, stream))));

function warningsOf({ path, why, stuckFor, droppedBytes, settings: { whenFull } }: LogFile): string[] {
  const failing =
    why === null
      ? []
      : [`${cannotWrite(path, why, whenFull)}${droppedBytes === 0 ? '' : `, ${droppedBytes} bytes so far`}`];
  return stuckFor === null ? failing : [...failing, cannotRotate(path, stuckFor)];
}

const cannotWrite = (path: string, why: string, whenFull: WhenFull): string =>
  `cannot write to ${path}: ${why}; ${whenFull === 'drop' ? 'what comes is dropped and counted' : 'what comes waits, and so do the programs that write it'}`;

const cannotRotate = (path: string, why: string): string =>
  `cannot put ${path} aside: ${why}; it grows on until that is possible`;

const lossOf = (bytes: number): string =>
  bytes === 0 ? 'nothing of the output was lost' : `${bytes} bytes of output were dropped`;

/** What there is, or what would be made. */
function isPlain(path: string): boolean {
  if (path === INHERITED) return true;
  try {
    return statSync(path, { throwIfNoEntry: false })?.isFile() ?? true;
  } catch {
    return false; // whoever opens it says why
  }
}
