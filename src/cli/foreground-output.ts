/** What the instances write while the daemon is in this terminal: each line with its time and its name. */
import { statSync } from 'node:fs';
import { beginAt } from '../logs/read/begin.ts';
import { type LineFormat, wordsOf } from '../logs/read/format.ts';
import { Folders } from '../logs/read/generations.ts';
import { type Line, Reader } from '../logs/read/reader.ts';
import type { LogsReply } from '../protocol/replies.ts';
import type { Context } from './context.ts';
import { headsOf, tamed } from './render/log-line.ts';
import type { Paint } from './render/paint.ts';
import { stamp } from './render/words.ts';

const LOOK_EVERY_MS = 200;
/** Read of each in one look: the daemon has other things to do. Of one that has ended, all is shown before its end. */
const BYTES_A_LOOK = { more: 1024 * 1024, all: 64 * 1024 * 1024 } as const;

type How = keyof typeof BYTES_A_LOOK;

interface Source {
  readonly instance: string;
  readonly format: LineFormat;
  readonly reader: Reader;
}

export class ForegroundOutput {
  /** Those that are known, also where they write nothing. */
  readonly instances = new Set<string>();
  readonly #context: Context;
  readonly #paint: Paint;
  readonly #timer: NodeJS.Timeout;
  /** By path: two streams may share one. */
  readonly #sources = new Map<string, Source>();
  /** Of these it has been said. */
  readonly #unreadable = new Set<string>();
  #heads = new Map<string, string>();

  constructor(context: Context, paint: Paint) {
    this.#context = context;
    this.#paint = paint;
    // What nobody takes stays in the files until there is room for it.
    this.#timer = setInterval(() => {
      if (!context.io.stdout.isBehind) this.#look(() => true, 'more');
    }, LOOK_EVERY_MS);
  }

  /** Those that are new are shown from now on: what was written before is in the files. */
  know(files: LogsReply['files']): void {
    for (const { instance, path, format = 'raw' } of files) {
      this.instances.add(instance);
      if (path === null || this.#sources.has(path)) continue;
      const reader = this.#readerAt(path, format);
      if (reader !== null) this.#sources.set(path, { instance, format, reader });
    }
    const names = [...new Set([...this.#sources.values()].map(({ instance }) => instance))];
    const heads = headsOf(names, this.#paint);
    this.#heads = new Map(names.map((name, at) => [name, heads[at] ?? '']));
  }

  /** All that this instance has written: its end is about to be told. Whoever is behind has it later. */
  lastWordsOf(instance: string): void {
    if (this.#context.io.stdout.isBehind) return;
    this.#look((source) => source.instance === instance, 'all');
  }

  close(): void {
    clearInterval(this.#timer);
    this.#look(() => true, 'all');
    for (const { reader } of this.#sources.values()) reader.close();
  }

  #readerAt(path: string, format: LineFormat): Reader | null {
    try {
      const now = statSync(path, { throwIfNoEntry: false });
      const mark = now === undefined ? undefined : { dev: now.dev, ino: now.ino, offset: now.size };
      const begin = beginAt(path, mark, new Folders());
      return new Reader({ path, begin, follow: true, isTimed: true, isRewritten: format !== 'raw' });
    } catch (error) {
      this.#sayOnce(path, error);
      return null;
    }
  }

  #look(isMeant: (source: Source) => boolean, how: How): void {
    const meant = [...this.#sources.values()].filter(isMeant);
    const found = meant.flatMap((source) => this.#read(source, how).map((line) => ({ source, line })));
    if (found.length === 0) return;
    const now = new Date().toISOString();
    found.sort((a, b) => a.line.time - b.line.time);
    this.#context.print(...found.map(({ source, line }) => this.#shown(source, line, now)));
  }

  #shown({ instance, format }: Source, { bytes }: Line, now: string): string {
    const { text, time } = wordsOf(bytes, format);
    const words = text.toString('utf8');
    const shown = this.#context.io.stdout.isTTY ? tamed(words) : words;
    return `${this.#paint.faint(stamp(time ?? now))} ${this.#heads.get(instance) ?? ''} ${shown}`;
  }

  /** The daemon lives in this process: a log that cannot be read must not end it. */
  #read({ reader }: Source, how: How): Line[] {
    const lines: Line[] = [];
    try {
      for (let bytes = 0; bytes < BYTES_A_LOOK[how]; ) {
        const next = reader.next();
        if (next === 'nothing' || next === 'later') break;
        lines.push(next);
        bytes += next.bytes.length + 1;
      }
      const rest = how === 'all' ? reader.rest() : null;
      if (rest !== null) lines.push(rest);
    } catch (error) {
      this.#sayOnce(reader.path, error);
    }
    return lines;
  }

  #sayOnce(path: string, error: unknown): void {
    if (this.#unreadable.has(path)) return;
    this.#unreadable.add(path);
    this.#context.say(`cannot show ${path}: ${error instanceof Error ? error.message : String(error)}`);
  }
}
