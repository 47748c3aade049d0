/**
 * Where a stream leads, as its settings have it: into a file as it is, or line by line. What it is now, it stays until it
 * can change without a byte being written in the wrong way.
 */
import { closeSync, existsSync, openSync, readSync, statSync } from 'node:fs';
import type { LogSettings } from '../core/plan.ts';
import type { Plumbing } from '../ports/plumbing.ts';
import { INHERITED } from '../ports/processes.ts';
import { FileSink } from './file-sink.ts';
import type { LineStyle, Mood } from './format.ts';
import type { Label } from './label.ts';
import { LineSink } from './line-sink.ts';
import type { LogFiles } from './log-files.ts';
import type { Loss } from './sink.ts';
import type { Basin } from './sluice.ts';
import { Spool, spoolOf } from './spool.ts';
import { leadOf, StdoutSink } from './stdout-sink.ts';

/** Whose output it is. */
export type Origin = Pick<LineStyle, 'instance' | 'run' | 'stream'>;

/** Where it goes, and what becomes of it there. */
export interface Aim {
  readonly path: string;
  readonly logging: LogSettings;
  readonly origin: Origin;
}

/** Whoever's it is. */
export type FileAim = Pick<Aim, 'path' | 'logging'>;

const NEWLINE = 10;

type Dressed = LineSink | StdoutSink;
type Way = FileSink | Dressed;

export class Outlet implements Basin {
  readonly #spoolPath: string;
  readonly #plumbing: Plumbing;
  readonly #files: LogFiles;
  #aim: Aim;
  #sink: Way;
  #isFlying = false;
  /** It is not yet as its settings have it. */
  #isToChange = false;
  /** By those that were there before the one that is. */
  #droppedBytes = 0;

  /** `fifo`: its path. What an earlier daemon has left beside it is taken up. @throws what the system says */
  constructor(fifo: string, aim: Aim, plumbing: Plumbing, files: LogFiles) {
    this.#spoolPath = spoolOf(fifo);
    this.#plumbing = plumbing;
    this.#files = files;
    this.#aim = aim;
    this.#sink = this.#found() ?? this.#made();
  }

  get path(): string {
    return this.#aim.path;
  }

  get loss(): Loss {
    const { droppedBytes, why } = this.#sink.loss;
    return { droppedBytes: this.#droppedBytes + droppedBytes, why };
  }

  get isSlow(): boolean {
    return this.#sink.isSlow;
  }

  get isRaw(): boolean {
    return this.#sink instanceof FileSink;
  }

  /** Not all is as it was then. */
  isChangedBy(aim: Aim): boolean {
    return aim.path !== this.path || wantsLines(aim) || !(this.#sink instanceof FileSink);
  }

  /** Its instance is known, and what its run was begun with. */
  adopt(logging: LogSettings): void {
    this.aimAt({ ...this.#aim, logging });
  }

  get heldMs(): number {
    return this.#sink.heldMs;
  }

  /** What comes from now on goes there, and is of this run. @throws what the system says */
  aimAt(aim: Aim): void {
    const isElsewhere = aim.path !== this.path;
    if (isElsewhere) this.finish();
    this.#aim = aim;
    if (isElsewhere) this.#replace(() => this.#made());
    else if (wantsLines(aim) && this.#sink instanceof FileSink && !this.#isFlying)
      this.#replace(() => this.#made());
    else this.#obey();
  }

  /** What is to become of it from now on; what its lines look like is settled with the run. */
  follow(logging: LogSettings): void {
    this.#aim = { ...this.#aim, logging: { ...logging, format: this.#aim.logging.format } };
    this.#obey();
  }

  prepare(): void {
    this.#sink.prepare();
  }

  take(pipe: number, most: number): number {
    const got = this.#sink.take(pipe, most);
    if (this.#isToChange) this.#change();
    return got;
  }

  takeAside(pipe: number, most: number, done: (got: number) => void): void {
    this.#isFlying = true;
    this.#sink.takeAside(pipe, most, (got) => {
      this.#isFlying = false;
      if (this.#isToChange) this.#change();
      done(got);
    });
  }

  /** Its program is at its end: what that has left without an end is a line. */
  finish(): void {
    if (!(this.#sink instanceof FileSink)) this.#sink.finish();
  }

  /** The FIFO's name is another's from now on. */
  setAside(): void {
    if (!(this.#sink instanceof FileSink)) this.#sink.setAside();
  }

  /** The next daemon goes on with it. */
  close(): void {
    this.#sink.close();
  }

  /** There is nothing to go on with. */
  remove(): void {
    if (this.#sink instanceof FileSink) this.#sink.close();
    else this.#sink.remove();
  }

  #obey(): void {
    this.#sink.follow(this.#aim.logging);
    this.#isToChange = true;
    if (!this.#isFlying) this.#change();
  }

  #change(): void {
    try {
      this.#isToChange = !this.#isChanged();
    } catch {
      // For want of a place for the spool: it goes on as it does, and tries again.
    }
  }

  #isChanged(): boolean {
    const isLines = wantsLines(this.#aim);
    if (this.#sink instanceof StdoutSink) {
      this.#sink.restyle(styleOf(this.#aim));
      return true;
    }
    if (this.#sink instanceof LineSink) {
      this.#sink.restyle(styleOf(this.#aim));
      if (isLines) return true;
      if (!this.#sink.isAtBeginning) return false;
      this.#replace(() => this.#bytes());
      return true;
    }
    if (isLines) this.#replace(() => this.#lines(moodAt(this.path)));
    return true;
  }

  #replace(make: () => Way): void {
    const [before, lost] = [this.#sink, this.#sink.loss.droppedBytes];
    // A spool has one name: whoever comes after it needs that.
    if (!(before instanceof FileSink)) before.remove();
    this.#sink = make();
    if (before instanceof FileSink) before.close();
    this.#droppedBytes += lost;
  }

  /** Null: there is nothing. */
  #found(): Dressed | null {
    if (!existsSync(this.#spoolPath)) return null;
    const spool = new Spool(this.#spoolPath);
    const { label } = spool;
    if (label === null) {
      spool.remove();
      return null;
    }
    const { format, timestamps } = label.style;
    this.#aim = {
      path: label.path,
      logging: { ...this.#aim.logging, format, timestamps },
      origin: label.style,
    };
    return this.#over(spool, label);
  }

  /** For a run that begins. */
  #made(): Way {
    if (!wantsLines(this.#aim)) return this.#bytes();
    const lines = this.#lines(moodAt(this.path));
    // A run does not go on with a line that another has begun.
    lines.finish();
    return lines;
  }

  #bytes(): FileSink {
    return new FileSink(this.path, this.#aim.logging, this.#plumbing, this.#files);
  }

  #lines(mood: Mood): Dressed {
    const spool = new Spool(this.#spoolPath);
    const label = { path: this.path, style: styleOf(this.#aim) };
    spool.mark(label, mood);
    return this.#over(spool, label);
  }

  #over(spool: Spool, label: Label): Dressed {
    if (label.path === INHERITED) return new StdoutSink(spool, label.style, this.#plumbing);
    return new LineSink(spool, label, this.#aim.logging, this.#plumbing, this.#files);
  }
}

/** What a stream has left that is there no more goes where it was to go. @throws what the system says */
export function clear(path: string, logging: LogSettings, plumbing: Plumbing, files: LogFiles): void {
  const spool = new Spool(path);
  if (spool.label === null || spool.label.path === INHERITED) {
    spool.remove();
    return;
  }
  const sink = new LineSink(spool, spool.label, logging, plumbing, files);
  sink.finish();
  if (sink.isAtBeginning) sink.remove();
  else sink.close();
}

const wantsLines = ({ path, logging }: Aim): boolean =>
  path === INHERITED || logging.format === 'json' || logging.timestamps;

const styleOf = ({ path, logging: { format, timestamps }, origin }: Aim): LineStyle => ({
  ...origin,
  format,
  timestamps,
  lead: path === INHERITED ? leadOf(origin.instance) : '',
});

/** Where a line has begun that is written as it is, it is written to its end so. */
function moodAt(path: string): Mood {
  if (path === INHERITED) return 'fresh';
  const size = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  if (size === 0) return 'fresh';
  const last = Buffer.alloc(1);
  const descriptor = openSync(path, 'r');
  try {
    readSync(descriptor, last, 0, 1, size - 1);
  } finally {
    closeSync(descriptor);
  }
  return last[0] === NEWLINE ? 'fresh' : 'bare';
}
