/** One stream of one instance on its way: the FIFO that is written into, and the file that it is carried to. */
import { closeSync } from 'node:fs';
import type { LogSettings } from '../core/plan.ts';
import { INHERITED } from '../ports/processes.ts';
import { Capture, type CaptureTools } from './capture.ts';
import type { Fifo, Owner } from './fifo.ts';
import type { LogFiles } from './log-files.ts';
import { type Aim, Outlet } from './outlet.ts';
import type { Loss } from './sink.ts';
import { Sluice } from './sluice.ts';

export interface ConduitOptions {
  readonly tools: CaptureTools;
  readonly files: LogFiles;
  readonly pipeBytes: number;
  /** Nobody can write into it any more, and no instance is there that would. */
  over(conduit: Conduit): void;
  /** It has more pipes than before. */
  grown(): void;
}

export class Conduit {
  /** No instance is known whose it is. */
  isLeft: boolean;
  readonly #fifo: Fifo;
  readonly #sink: Outlet;
  readonly #sluice: Sluice;
  readonly #capture: Capture;

  constructor(fifo: Fifo, aim: Aim, isLeft: boolean, options: ConduitOptions) {
    const { tools, files, grown, over } = options;
    this.isLeft = isLeft;
    this.#fifo = fifo;
    const { plumbing } = tools;
    const pipeBytes = plumbing.enlarge(fifo.reader, options.pipeBytes);
    this.#sink = new Outlet(fifo.path, aim, plumbing, files);
    this.#sluice = new Sluice(fifo, this.#sink, { plumbing, pipeBytes, grown });
    this.#capture = new Capture(fifo.reader, pipeBytes, this.#sluice, tools, () => {
      if (this.isLeft) over(this);
    });
  }

  /** That are to be kept while there is no daemon. */
  get pipes(): readonly number[] {
    return this.#sluice.pipes;
  }

  /** All of them are. */
  kept(): void {
    this.#sluice.kept();
  }

  /** Of the file. */
  get path(): string {
    return this.#sink.path;
  }

  get loss(): Loss {
    return this.#sink.loss;
  }

  /**
   * What a program is given to write to: from now on it goes there. Null: not by this one.
   * @throws what the system says
   */
  give(aim: Aim, owner: Owner | null): number | null {
    // What another thread carries goes where it went, so this one cannot be aimed at another place; and those that wait
    // for a disk are others than those that wait for whoever reads stdout.
    if (aim.path !== this.path && this.#capture.isFlying) return null;
    if ((aim.path === INHERITED) !== (this.path === INHERITED)) return null;
    const given = this.#fifo.openWriter(owner);
    if (given === null) return null;
    this.isLeft = false;
    this.#aimAt(aim);
    if (!this.#capture.isFlying) this.#sink.prepare();
    // Not before somebody can write: else it would be told at once that nobody can.
    if (this.#capture.watch()) return given;
    closeSync(given);
    throw new Error('it cannot be watched');
  }

  /** Its instance is known. */
  adopt(logging: LogSettings): void {
    this.isLeft = false;
    this.#sink.adopt(logging);
  }

  /** What is to become of it where it goes. */
  follow(logging: LogSettings): void {
    this.#sink.follow(logging);
  }

  /** The same for another that is to come to where it goes now. Null: nothing of that could be had without a change. */
  giveAgain(path: string, owner: Owner | null): number | null {
    return path === this.path && this.#fifo.isOf(owner) ? this.#fifo.openWriter(owner) : null;
  }

  /** Another thread waits for its disk. */
  get isSlow(): boolean {
    return this.#capture.isFlying || this.#sink.isSlow;
  }

  watch(): boolean {
    return this.#capture.watch();
  }

  /** Moves all that is there now. True: nobody can write any more. */
  drain(): boolean {
    return this.#capture.drain();
  }

  /** The same, where it may take its time; and a line that has no end yet is at its end then. */
  settle(done: () => void): void {
    this.#capture.settle(() => {
      this.#sink.finish();
      done();
    });
  }

  /** Its name is another's from now on; whoever still holds it is heard to its end. */
  setAside(): void {
    this.drain();
    this.#fifo.isRemoved = true;
    this.isLeft = true;
    this.#sluice.setAside(this.path);
    this.#sink.setAside();
    this.watch();
  }

  /** Nothing is moved by itself any more. `done`: nor does another thread. */
  halt(done: () => void): void {
    this.#capture.close(done);
  }

  /** The next daemon reads on. */
  close(): void {
    this.halt(() => {
      this.#sink.close();
      this.#sluice.close();
      this.#fifo.close();
    });
  }

  remove(): void {
    this.#sluice.remove();
    this.#fifo.remove();
    this.halt(() => {
      this.#sink.remove();
      this.#sluice.close();
      this.#fifo.close();
    });
  }

  /** What is in the pipe now goes where it was to go, and looks as it was to look. */
  #aimAt(aim: Aim): void {
    if (this.#sink.isChangedBy(aim)) this.drain();
    if (aim.path !== this.path) this.#fifo.aimAt(aim.path);
    this.#sink.aimAt(aim);
  }
}
