/** What the instances write while the daemon is in this terminal: each line with its time and its name. */
import { statSync } from 'node:fs';
import type { LogsReply } from '../protocol/replies.ts';
import type { Context } from './context.ts';
import { linePrinter } from './render/log-line.ts';
import type { Paint } from './render/paint.ts';
import { stamp } from './render/words.ts';
import { FOLLOW_EVERY_MS, Follower } from './tail.ts';

interface Source {
  readonly instance: string;
  readonly file: Follower;
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
  #line: ReturnType<typeof linePrinter>;

  constructor(context: Context, paint: Paint) {
    this.#context = context;
    this.#paint = paint;
    this.#line = linePrinter([], paint);
    this.#timer = setInterval(() => this.#look(() => true, 'more'), FOLLOW_EVERY_MS);
  }

  /** Those that are new are shown from now on: what was written before is in the files. */
  know(files: LogsReply['files']): void {
    const before = this.#sources.size;
    for (const { instance, path } of files) {
      this.instances.add(instance);
      if (path === null || this.#sources.has(path)) continue;
      const size = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
      this.#sources.set(path, { instance, file: new Follower(path, size) });
    }
    if (this.#sources.size === before) return;
    const names = [...this.#sources.values()].map(({ instance }) => instance);
    this.#line = linePrinter(names, this.#paint);
  }

  /** All that this instance has written: its end is about to be told. */
  lastWordsOf(instance: string): void {
    this.#look((source) => source.instance === instance, 'all');
  }

  close(): void {
    clearInterval(this.#timer);
    this.#look(() => true, 'all');
  }

  #look(isMeant: (source: Source) => boolean, how: 'more' | 'all'): void {
    for (const [at, [path, source]] of [...this.#sources].entries()) {
      if (!isMeant(source)) continue;
      const time = this.#paint.faint(stamp(new Date().toISOString()));
      const lines = this.#read(path, source, how);
      if (lines.length > 0) this.#context.print(...lines.map((text) => `${time} ${this.#line(at, text)}`));
    }
  }

  /** The daemon lives in this process: a log that cannot be read must not end it. */
  #read(path: string, { file }: Source, how: 'more' | 'all'): string[] {
    try {
      return file[how]();
    } catch (error) {
      this.#sayOnce(path, error instanceof Error ? error.message : String(error));
      return [];
    }
  }

  #sayOnce(path: string, why: string): void {
    if (this.#unreadable.has(path)) return;
    this.#unreadable.add(path);
    this.#context.say(`cannot show ${path}: ${why}`);
  }
}
