/**
 * What has happened, written down for those who ask after this daemon's life: a line an event, just as the wire tells it.
 * Nothing is read of it when a daemon begins. What cannot be written, because the disk is full say, waits where all
 * events are kept for a while, and is written as soon as it goes.
 */
import type { WireEvent } from '../protocol/events.ts';
import { type Annals, EventHistory, KEPT_FILES } from './event-history.ts';
import { type Kept, LineFile } from './line-file.ts';
import { lineOf, missed } from './missed.ts';
import type { NewsDesk } from './news.ts';
import { Retry } from './retry.ts';

/** Some tens of thousands of events, with what is kept of those before. */
const KEPT = { maxBytes: 4 * 1024 * 1024, keep: KEPT_FILES, maxAgeMs: null, compress: false } as const;

export class EventFile {
  readonly #file: LineFile;
  readonly #keep: number;
  readonly #news: Pick<NewsDesk, 'seq' | 'since'>;
  readonly #say: (text: string) => void;
  /** The number of the last one that is there. */
  #written = 0;
  #failure: string | null = null;
  #isClosed = false;
  readonly #retry = new Retry(() => this.#tryAgain());

  constructor(
    path: string,
    news: Pick<NewsDesk, 'seq' | 'since'>,
    say: (text: string) => void,
    kept: Kept = KEPT,
  ) {
    this.#file = new LineFile(path, kept, { folder: 'state_dir', mode: 0o600 });
    this.#keep = kept.keep;
    this.#news = news;
    this.#say = say;
  }

  get path(): string {
    return this.#file.path;
  }

  /** All that is written by now: what came after its last one is known, if at all, to whoever has the news. */
  annals(): Annals {
    this.flush();
    const history = new EventHistory(this.path, this.#keep);
    return { written: this.#written, blocks: (query) => history.blocks(query) };
  }

  get trouble(): string | null {
    return this.#failure === null
      ? null
      : `cannot write ${this.path}: ${this.#failure}; the last events are kept in memory, and written as soon as it goes again`;
  }

  /** All that has happened since. Never throws: what becomes of history must not hold up the present. */
  flush(): void {
    if (!this.#isClosed && this.#failure === null && this.#news.seq > this.#written) this.#write();
  }

  close(): void {
    this.#isClosed = true;
    if (this.#news.seq > this.#written) this.#write();
    this.#retry.stop();
    this.#file.end();
  }

  #write(): void {
    const events = this.#news.since(this.#written);
    try {
      this.#file.append(linesOf(events, this.#written));
    } catch (error) {
      this.#fail(error instanceof Error ? error.message : String(error));
      return;
    }
    this.#written = events.at(-1)?.seq ?? this.#written;
    if (this.#failure !== null) this.#say(`${this.path} is written again`);
    this.#failure = null;
  }

  #fail(failure: string): void {
    const isNew = this.#failure === null;
    this.#failure = failure;
    if (!isNew) return;
    this.#say(`cannot write ${this.path}: ${failure}; it is tried again until it goes`);
    this.#retry.start();
  }

  #tryAgain(): boolean {
    this.#write();
    if (this.#failure === null) this.#retry.stop();
    return this.#failure === null;
  }
}

/** Where so many have come meanwhile that not all are known any more, it is said how many. */
function linesOf(events: readonly WireEvent[], after: number): string {
  const [first] = events;
  const gap = first === undefined ? 0 : first.seq - after - 1;
  const said =
    first === undefined || gap === 0 ? [] : [{ ...missed(gap, first.seq - 1, FULL), at: first.at }];
  return [...said, ...events].map(lineOf).join('');
}

const FULL = 'they could not be written down in time';
