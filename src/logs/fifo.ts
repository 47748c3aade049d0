/**
 * A FIFO that a program writes into: it lies in a folder of the daemon's own, with a link beside it that says where
 * its bytes go, so that the next daemon finds both.
 */
import {
  closeSync,
  constants,
  fchownSync,
  fstatSync,
  openSync,
  readlinkSync,
  renameSync,
  symlinkSync,
  unlinkSync,
} from 'node:fs';
import type { Plumbing } from '../ports/plumbing.ts';
import type { Credentials } from '../ports/processes.ts';
import { codeOf } from './system-words.ts';

export type Owner = Pick<Credentials, 'uid' | 'gid'>;

const LINK = '.to';
export const isLink = (name: string): boolean => name.endsWith(LINK);

export class Fifo {
  readonly path: string;
  /** The daemon's end. It is for reading alone, so it is told when nobody can write any more. */
  readonly reader: number;
  /** It has no name any more. */
  isRemoved = false;
  #owner: Owner;

  private constructor(path: string, reader: number) {
    this.path = path;
    this.reader = reader;
    const { uid, gid } = fstatSync(reader);
    this.#owner = { uid, gid };
  }

  /** @throws what the system says */
  static make(path: string, target: string, plumbing: Plumbing): Fifo {
    link(path, target);
    makeFifo(path, plumbing);
    return new Fifo(path, openReader(path));
  }

  /** One that an earlier daemon has made. @throws what the system says */
  static find(path: string, at: string = path): Fifo {
    const fifo = new Fifo(path, openReader(at));
    seeWriter(at);
    return fifo;
  }

  /** Where its bytes go, as it is written down; null: it is not. */
  static targetOf(path: string): string | null {
    try {
      return readlinkSync(path + LINK);
    } catch {
      return null;
    }
  }

  aimAt(target: string): void {
    link(this.path, target);
  }

  /**
   * The program's end: for both ways, so it never breaks, whoever dies. Whose it is may open it by name, as
   * /dev/stdout. Null: somebody has removed it. @throws what the system says
   */
  openWriter(owner: Owner | null): number | null {
    const given = openIfThere(this.path, constants.O_RDWR);
    if (given === null) return null;
    try {
      this.#giveTo(owner ?? self());
      return given;
    } catch (error) {
      closeSync(given);
      throw error;
    }
  }

  isOf(owner: Owner | null): boolean {
    const { uid, gid } = owner ?? self();
    return process.geteuid?.() !== 0 || (uid === this.#owner.uid && gid === this.#owner.gid);
  }

  close(): void {
    closeSync(this.reader);
  }

  remove(): void {
    if (!this.isRemoved) removeFifo(this.path);
  }

  #giveTo(owner: Owner): void {
    if (this.isOf(owner)) return;
    fchownSync(this.reader, owner.uid, owner.gid);
    this.#owner = { uid: owner.uid, gid: owner.gid };
  }
}

const self = (): Owner => ({ uid: process.geteuid?.() ?? 0, gid: process.getegid?.() ?? 0 });

function openReader(path: string): number {
  const descriptor = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  if (fstatSync(descriptor).isFIFO()) return descriptor;
  closeSync(descriptor);
  throw new Error(`${path} is not a FIFO`);
}

/** The system does not tell a reader that nobody can write any more before it has seen one who could. */
function seeWriter(path: string): void {
  try {
    closeSync(openSync(path, constants.O_WRONLY | constants.O_NONBLOCK));
  } catch {
    // Then that is found out when its instance goes, or the daemon.
  }
}

function openIfThere(path: string, flags: number): number | null {
  try {
    return openSync(path, flags);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return null;
    throw error;
  }
}

/** What an earlier daemon may have left there, and could not be read, is in the way. */
function makeFifo(path: string, plumbing: Plumbing): void {
  try {
    plumbing.makeFifo(path);
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error;
    removeIfThere(path);
    plumbing.makeFifo(path);
  }
}

/** In one step: the next daemon finds the old place or the new one. */
export function link(path: string, target: string): void {
  try {
    symlinkSync(target, path + LINK);
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error;
    const fresh = `${path}.new${LINK}`;
    removeIfThere(fresh);
    symlinkSync(target, fresh);
    renameSync(fresh, path + LINK);
  }
}

/** The link last: there is never a FIFO without one. */
export function removeFifo(path: string): void {
  removeIfThere(path);
  removeIfThere(path + LINK);
}

export function removeIfThere(path: string): void {
  try {
    unlinkSync(path);
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error;
  }
}
