/** Tells the supervisor how a runner is doing: sd_notify's words, as lines on the descriptor that it was given. */
import { constants, fstatSync, openSync, readFileSync, writeSync } from 'node:fs';
import { MAX_MESSAGE_BYTES } from '../protocol/notify.ts';

/**
 * What a runner says of itself. Nothing here throws and nothing blocks the work: without a supervisor, or once
 * it is gone, the words go nowhere.
 */
export interface Reporter {
  /** It takes jobs from now on (`READY=1`). */
  ready(): void;
  /** What it is doing, in one line (`STATUS=`). Control characters become spaces; a long text is cut. */
  status(text: string): void;
  /** It takes no more jobs (`STOPPING=1`). */
  stopping(): void;
  /** Jobs under way now (`X_INFLIGHT=`): a whole number from 0. */
  inFlight(count: number): void;
  /** Nothing is under way any more and nothing will be (`X_DRAINED=1`). */
  drained(): void;
  /** Its deadline is to be no sooner than so many milliseconds from now (`EXTEND_TIMEOUT_USEC=`). */
  extend(ms: number): void;
  /** It is not hung (`WATCHDOG=1`). */
  alive(): void;
  /** Whether it has been asked to drain (`X_ASKED=`). */
  asked(isSo: boolean): void;
  /** There is somebody who can be spoken to. */
  readonly isHeard: boolean;
}

/** A reporter to the descriptor that `TSUP_VISOR_NOTIFY_FD` names in `env`, or to nobody. */
export function createReporter(env: NodeJS.ProcessEnv = process.env): Reporter {
  const descriptor = notifyDescriptor(env);
  const say = speaker(descriptor);
  return {
    ready: () => say('READY', '1'),
    status: (text) => say('STATUS', oneLine(text)),
    stopping: () => {
      say.takeBack('X_ASKED'); // what was so before is not to be heard after this
      say('STOPPING', '1');
    },
    inFlight: (count) => say('X_INFLIGHT', String(count)),
    drained: () => say('X_DRAINED', '1'),
    extend: (ms) => say('EXTEND_TIMEOUT_USEC', String(Math.ceil(ms * 1000))),
    alive: () => say('WATCHDOG', '1'),
    asked: (isSo) => say('X_ASKED', isSo ? '1' : '0'),
    isHeard: descriptor !== undefined,
  };
}

/**
 * Only a pipe or a socket will do: where the variable was inherited but the descriptor was not, the number
 * belongs to something of our own, such as Node's epoll.
 */
function notifyDescriptor(env: NodeJS.ProcessEnv): number | undefined {
  const text = env.TSUP_VISOR_NOTIFY_FD ?? '';
  if (!/^\d{1,4}$/.test(text)) return undefined;
  try {
    const stat = fstatSync(Number(text));
    if (stat.isFIFO()) return withoutWaiting(text);
    return stat.isSocket() ? Number(text) : undefined;
  } catch {
    return undefined; // EBADF: it is not open
  }
}

/**
 * A pipe makes whoever writes to it wait while it is full, and nobody reads it while no daemon lives: the whole runner
 * would stand still. Opened anew it says EAGAIN instead. (Node cannot change the descriptor that is there.)
 */
function withoutWaiting(descriptor: string): number {
  try {
    const flags = /^flags:\s*([0-7]+)$/m.exec(readFileSync(`/proc/self/fdinfo/${descriptor}`, 'latin1'))?.[1];
    if ((Number.parseInt(flags ?? '0', 8) & constants.O_NONBLOCK) !== 0) return Number(descriptor);
    // For both ways, so that it has a reader whatever becomes of the one that we were given.
    return openSync(`/proc/self/fd/${descriptor}`, constants.O_RDWR | constants.O_NONBLOCK);
  } catch {
    return Number(descriptor); // there is no /proc here
  }
}

/**
 * Writes at once. A full channel (EAGAIN) keeps the newest value of each key for the next try, so the backlog
 * is as short as the vocabulary; any other error means that nobody listens any more.
 */
function speaker(descriptor: number | undefined): Say {
  const unsaid = new Map<string, string>();
  let fd = descriptor;
  let retry: NodeJS.Timeout | undefined;

  const flush = (): void => {
    retry = undefined;
    for (const [key, value] of unsaid) {
      const outcome = fd === undefined ? 'deaf' : write(fd, `${key}=${value}\n`);
      if (outcome === 'deaf') fd = undefined;
      if (outcome === 'full') {
        retry = setTimeout(flush, RETRY_MS).unref(); // nobody may ever read: no reason to stay
        return;
      }
      unsaid.delete(key);
    }
  };
  const say = (key: string, value: string): void => {
    if (fd === undefined) return;
    unsaid.delete(key); // to the end of the queue: the newest is said last
    unsaid.set(key, value);
    if (retry === undefined) flush();
  };
  return Object.assign(say, { takeBack: (key: string) => void unsaid.delete(key) });
}

interface Say {
  (key: string, value: string): void;
  /** It is not said, unless it has been already. */
  takeBack(key: string): void;
}

const RETRY_MS = 50;

/** A line is far below PIPE_BUF, so it goes out whole or not at all. */
function write(fd: number, line: string): 'said' | 'full' | 'deaf' {
  try {
    writeSync(fd, line);
    return 'said';
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EAGAIN' ? 'full' : 'deaf';
  }
}

/** Three bytes a character at most (a UTF-16 unit), and room for the key. */
function oneLine(text: string): string {
  return text.replace(/\p{Cc}+/gu, ' ').slice(0, MAX_MESSAGE_BYTES / 4);
}
