/** The logs that are shown, side by side: each is read from where it is wanted, and printed when its time comes. */
import { type Begin, beginOf } from '../logs/read/begin.ts';
import { Folders } from '../logs/read/generations.ts';
import { merge } from '../logs/read/merge.ts';
import { type Line, Reader } from '../logs/read/reader.ts';
import { EXIT, type ExitCode } from '../protocol/errors.ts';
import type { Context } from './context.ts';
import type { Source } from './log-sources.ts';
import { patternOf, sieveFor } from './log-wish.ts';
import { Refusal } from './refusal.ts';
import { LogView } from './render/log-view.ts';
import type { Paint } from './render/paint.ts';

/** What of each is shown. */
export interface Shown {
  /** The last ones; where a time or a text says what is meant, all. */
  readonly lines?: number | 'all';
  readonly since?: Date;
  readonly until?: Date;
  /** A text, or an expression between slashes. */
  readonly grep?: string;
  readonly follow?: boolean;
  readonly stderr?: boolean;
}

const LINES = 10;
/** Written in one go. */
const BYTES_AT_ONCE = 64 * 1024;

interface Log {
  readonly source: Source;
  readonly reader: Reader;
}

export class LogShelf {
  exit: ExitCode = EXIT.done;
  readonly #context: Context;
  readonly #shown: Shown;
  readonly #pattern: ReturnType<typeof patternOf> | null;
  readonly #view: LogView;
  readonly #over: AbortSignal;
  readonly #hasEnded: Promise<void>;
  readonly #logs = new Map<string, Log>();
  readonly #sources = new Map<Reader, Source>();
  readonly #said = new Set<string>();
  #pieces: Buffer[] = [];
  #bytes = 0;

  /** Ends when `over` fires. Throws a refusal of what cannot be looked for. */
  constructor(context: Context, shown: Shown, paint: Paint, over: AbortSignal) {
    this.#over = over;
    this.#hasEnded = fired(over);
    this.#context = context;
    this.#shown = shown;
    this.#pattern = shown.grep === undefined ? null : patternOf(shown.grep);
    this.#view = new LogView({ paint, json: context.json, isTerminal: context.io.stdout.isTTY });
  }

  get paths(): string[] {
    return [...this.#logs.keys()];
  }

  /** `begin`: from where each is read; else as it was asked for. */
  async add(sources: readonly Source[], begin?: (path: string) => Begin): Promise<void> {
    const folders = new Folders();
    const isTimed = sources.length > 1 || this.#shown.follow === true;
    for (const source of sources) {
      if (this.#logs.has(source.path)) continue;
      try {
        await this.#open(source, folders, isTimed, begin);
      } catch (error) {
        this.#failed(source.path, error);
      }
    }
    this.#view.know(sources.map(({ instance }) => instance));
  }

  /** What these have for now, by time. */
  async show(paths: readonly string[]): Promise<void> {
    const readers = paths.flatMap((path) => this.#logs.get(path)?.reader ?? []);
    const take = async (reader: Reader, lines: readonly Line[]): Promise<void> => {
      this.#over.throwIfAborted();
      await this.#print(reader, lines);
    };
    try {
      await merge(readers, take, (reader, error) => this.#failed(reader.path, error));
    } catch (error) {
      if (!this.#over.aborted) throw error;
    }
    await this.#flush();
  }

  /** Lines that have no end yet: nobody waits for it any longer. */
  async showRest(): Promise<void> {
    for (const { reader } of this.#logs.values()) {
      const line = reader.rest();
      if (line !== null) await this.#print(reader, [line]);
    }
    await this.#flush();
  }

  close(): void {
    for (const { reader } of this.#logs.values()) reader.close();
  }

  async #open(
    source: Source,
    folders: Folders,
    isTimed: boolean,
    beginAt: ((path: string) => Begin) | undefined,
  ): Promise<void> {
    const { lines, since, until, grep, follow = false, stderr = false } = this.#shown;
    const { path, format, instance } = source;
    const sieve = await sieveFor(source, this.#pattern, stderr);
    const isBounded = since !== undefined || until !== undefined || grep !== undefined;
    const wish = {
      lines: lines === 'all' ? null : (lines ?? (isBounded ? null : LINES)),
      since: since?.getTime() ?? null,
      until: until?.getTime() ?? null,
      sieve,
    };
    const begin = beginAt?.(path) ?? (await beginOf(path, wish, folders));
    if (begin.isTimeless) this.#sayOnce('timeless', TIMELESS);
    const missed = (): void => this.#sayOnce(path, missing(instance));
    const isRewritten = format !== 'raw';
    const reader = new Reader({
      path,
      begin,
      follow,
      isTimed: isTimed || wish.until !== null,
      isRewritten,
      until: wish.until,
      sieve,
      missed,
    });
    this.#logs.set(path, { source, reader });
    this.#sources.set(reader, source);
  }

  async #print(reader: Reader, lines: readonly Line[]): Promise<void> {
    const source = this.#sources.get(reader);
    if (source === undefined) return;
    for (const piece of this.#view.pieces(source, lines)) {
      this.#pieces.push(piece);
      this.#bytes += piece.length;
    }
    if (this.#bytes >= BYTES_AT_ONCE) await this.#flush();
  }

  /** Whoever reads may have stopped to; Ctrl-C is heeded all the same. */
  async #flush(): Promise<void> {
    if (this.#pieces.length === 0) return;
    const text = Buffer.concat(this.#pieces);
    this.#pieces = [];
    this.#bytes = 0;
    const { stdout } = this.#context.io;
    stdout.write(text);
    await Promise.race([stdout.drained(), this.#hasEnded]);
  }

  /** What the system refuses is said, and the others are shown. */
  #failed(path: string, error: unknown): void {
    if (!(error instanceof Error)) throw error;
    if (error.name === 'TooSlow') throw new Refusal(EXIT.failed, error.message, SANE);
    this.exit = EXIT.failed;
    this.#sayOnce(`${path}: ${error.message}`, `cannot read ${path}: ${error.message}`);
  }

  #sayOnce(what: string, message: string): void {
    if (this.#said.has(what)) return;
    this.#said.add(what);
    const { json } = this.#context;
    this.#context.say(json ? JSON.stringify({ warning: { message } }) : `tsup-visor: ${message}`);
  }
}

const SANE = 'write it without a repetition within a repetition';
const TIMELESS =
  'some lines do not say when they were written: they are chosen by the dates of their files; "timestamps: true" under "logs:" in the config has the time written down';
const missing = (instance: string): string =>
  `some of what ${instance} wrote may be missing here: its log was rotated before it could be read`;

/** Resolves when it has. */
const fired = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
