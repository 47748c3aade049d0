/** A lock that one process holds and that the kernel frees when the process dies, however it dies. */
import {
  closeSync,
  constants,
  fstatSync,
  ftruncateSync,
  linkSync,
  openSync,
  readFileSync,
  statSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { fail, ok, type Result } from '../base/result.ts';
import { bequeath, inherit, keepBack } from './heirlooms.ts';
import { loadLibc } from './libc.ts';
import { isZombie, readStat } from './proc.ts';
import { errorCode } from './system-error.ts';

export interface Lock {
  /** False: somebody has removed its file, and another may be taking "the" lock by now. */
  readonly isInPlace: boolean;
  release(): void;
}

export interface Held {
  /** Null when the holder has not written its pid yet. */
  readonly heldBy: number | null;
}

/**
 * Takes the lock, or says who has it. The file stays for good: unlinking it would let two hold "the" lock.
 * @throws what the system says when the file cannot be created.
 */
export function acquireLock(path: string, libc = loadLibc()): Result<Lock, Held> {
  return libc === null ? acquireByFile(path) : acquireByFlock(path, libc);
}

function acquireByFlock(path: string, libc: NonNullable<ReturnType<typeof loadLibc>>): Result<Lock, Held> {
  const descriptor = inherit(path) ?? openLock(path);
  if (!libc.lockExclusive(descriptor)) {
    closeSync(descriptor);
    return fail({ heldBy: ownerIn(path)?.pid ?? null });
  }
  const other = holderByFile(path);
  if (other !== null) {
    closeSync(descriptor);
    return fail({ heldBy: other });
  }
  signLock(descriptor);
  const { ino } = fstatSync(descriptor);
  let isHeld = true;
  // Whatever this process becomes has it without letting go of it in between.
  bequeath(path, descriptor);
  return ok({
    get isInPlace() {
      return isHeld && statSync(path, { throwIfNoEntry: false })?.ino === ino;
    },
    release() {
      // Once closed, the number of the descriptor may be that of another file.
      if (!isHeld) return;
      isHeld = false;
      keepBack(path);
      closeSync(descriptor);
    },
  });
}

/** On a disk that can only be read, what is there is locked just as well. Node opens with O_CLOEXEC: no child inherits it. */
function openLock(path: string): number {
  try {
    return openSync(path, constants.O_RDWR | constants.O_CREAT, 0o600);
  } catch (error) {
    if (errorCode(error) !== 'EROFS') throw error;
    return openSync(path, constants.O_RDONLY);
  }
}

/** For people: the lock holds whether or not it can be said who has it. */
function signLock(descriptor: number): void {
  try {
    ftruncateSync(descriptor);
    writeSync(descriptor, `${process.pid}\n`, 0);
  } catch {
    // The disk is full, or can only be read.
  }
}

interface Owner {
  readonly pid: number;
  /** Empty where the system does not tell it. */
  readonly start: string;
}

function ownerIn(path: string): Owner | null {
  try {
    const [pid = '', start = ''] = readFileSync(path, 'utf8').trim().split(' ');
    return /^\d+$/.test(pid) ? { pid: Number(pid), start } : null;
  } catch {
    return null;
  }
}

const TRIES = 5;

/**
 * Without flock: a file that names its holder, put in place whole by link(2), which never replaces. A holder that is
 * dead is removed by whoever holds the lock PATH.break, so that nobody removes the lock of the next holder.
 */
function acquireByFile(path: string): Result<Lock, Held> {
  const file = `${path}.pid`;
  for (let left = TRIES; left > 0; left--) {
    if (claim(file)) {
      const other = holderByFlock(path);
      if (other === null) return ok(byFile(file));
      removeOwn(file);
      return fail({ heldBy: other });
    }
    const owner = ownerIn(file);
    if (owner !== null && isAlive(owner)) return fail({ heldBy: owner.pid });
    breakStale(file);
  }
  return fail({ heldBy: ownerIn(file)?.pid ?? null });
}

/**
 * A machine may have one Node that koffi can be loaded by, and one that it cannot. Who takes a lock in one way looks
 * afterwards whether somebody has it in the other: of two at once, at least one sees the other.
 */
function holderByFile(path: string): number | null {
  const owner = ownerIn(`${path}.pid`);
  return owner !== null && isAlive(owner) ? owner.pid : null;
}

/** The system says who has flocked a file of this number; the file itself, whether that is this one. */
function holderByFlock(path: string): number | null {
  try {
    const { ino } = statSync(path);
    const pid = ownerIn(path)?.pid;
    const held = [...readFileSync('/proc/locks', 'latin1').matchAll(FLOCK)];
    return held.some(([, by, number]) => Number(by) === pid && Number(number) === ino) ? (pid ?? null) : null;
  } catch {
    return null; // nobody has ever had it in that way, or the system does not tell
  }
}

const FLOCK = /^\d+: FLOCK +ADVISORY +WRITE (\d+) [^:]+:[^:]+:(\d+) /gm;

const byFile = (file: string): Lock => ({
  get isInPlace() {
    return ownerIn(file)?.pid === process.pid;
  },
  release: () => removeOwn(file),
});

function claim(file: string): boolean {
  const own = `${file}.${process.pid}`;
  const descriptor = openSync(own, 'w', 0o600);
  writeSync(descriptor, `${process.pid} ${startOf(process.pid)}\n`);
  closeSync(descriptor);
  try {
    linkSync(own, file);
    return true;
  } catch (error) {
    if (errorCode(error) !== 'EEXIST') throw error;
    return false;
  } finally {
    unlinkSync(own);
  }
}

function breakStale(file: string): void {
  const breaking = `${file}.break`;
  if (!claim(breaking)) {
    // Whoever was breaking it has died over it: that takes two deaths in a row, so a race is not to be feared.
    const owner = ownerIn(breaking);
    if (owner !== null && !isAlive(owner)) unlinkSync(breaking);
    return;
  }
  try {
    const owner = ownerIn(file);
    if (owner === null || !isAlive(owner)) unlinkSync(file);
  } catch (error) {
    if (errorCode(error) !== 'ENOENT') throw error;
  } finally {
    unlinkSync(breaking);
  }
}

function removeOwn(file: string): void {
  if (ownerIn(file)?.pid === process.pid) unlinkSync(file);
}

function isAlive(owner: Owner): boolean {
  if (process.platform === 'linux') {
    const stat = readStat(owner.pid);
    return stat !== null && !isZombie(stat) && (owner.start === '' || stat.start === owner.start);
  }
  try {
    return process.kill(owner.pid, 0);
  } catch (error) {
    return errorCode(error) === 'EPERM';
  }
}

function startOf(pid: number): string {
  return process.platform === 'linux' ? (readStat(pid)?.start ?? '') : '';
}
