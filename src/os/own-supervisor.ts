/** Speaks to whoever has started the daemon as sd_notify(3) does. What goes wrong with that is said once, and hurts nobody. */
import { execFile } from 'node:child_process';
import { constants } from 'node:os';
import type { OwnSupervisor } from '../ports/own-supervisor.ts';
import { type Libc, loadLibc } from './libc.ts';
import { explain, explainErrno } from './system-error.ts';

/** The daemon's own environment, of which this is a part. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** Messages that wait for a receiver whose queue is full. */
const MAX_WAITING = 64;
const RETRY_MS = 50;

/** Null where nobody wants to hear anything. */
export function openOwnSupervisor(
  environment: Environment,
  warn: (text: string) => void,
  libc: Libc | null = loadLibc(),
): OwnSupervisor | null {
  const { NOTIFY_SOCKET: socket } = environment;
  if (socket === undefined || socket === '') return null;
  if (!/^[/@]./.test(socket)) {
    warn(`cannot tell the supervisor of this daemon how it is: NOTIFY_SOCKET is ${JSON.stringify(socket)}`);
    return null;
  }
  const complain = once((why: string) =>
    warn(`cannot tell the supervisor of this daemon how it is: ${socket}: ${why}`),
  );
  const watchdogMs = watchdogOf(environment);
  return libc === null
    ? throughCommand(environment, watchdogMs, complain)
    : new Datagrams(libc, socket, watchdogMs, complain);
}

/** Null also where it is meant for another process, of which we are a child. */
function watchdogOf({ WATCHDOG_USEC, WATCHDOG_PID }: Environment): number | null {
  const isOurs = (WATCHDOG_PID ?? '') === '' || WATCHDOG_PID === String(process.pid);
  const microseconds = Number(WATCHDOG_USEC ?? '');
  return isOurs && Number.isFinite(microseconds) && microseconds >= 1000 ? microseconds / 1000 : null;
}

class Datagrams implements OwnSupervisor {
  readonly watchdogMs: number | null;
  readonly #libc: Libc;
  readonly #socket: string;
  readonly #complain: (why: string) => void;
  #waiting: Buffer[] = [];
  #timer: NodeJS.Timeout | undefined;

  constructor(libc: Libc, socket: string, watchdogMs: number | null, complain: (why: string) => void) {
    this.#libc = libc;
    this.#socket = socket;
    this.watchdogMs = watchdogMs;
    this.#complain = complain;
  }

  tell(...words: readonly string[]): void {
    this.#waiting.push(Buffer.from(words.join('\n')));
    // The oldest say what is not so any more.
    this.#waiting = this.#waiting.slice(-MAX_WAITING);
    if (this.#timer === undefined) this.#send();
  }

  /** In their order. */
  #send(): void {
    this.#timer = undefined;
    for (let next = this.#waiting[0]; next !== undefined; next = this.#waiting[0]) {
      const errno = this.#libc.sendDatagram(this.#socket, next);
      if (errno === constants.errno.EAGAIN) {
        this.#timer = setTimeout(() => this.#send(), RETRY_MS).unref();
        return;
      }
      if (errno !== 0) this.#complain(explainErrno(errno));
      this.#waiting.shift();
    }
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#send();
    clearTimeout(this.#timer);
  }
}

/** Pure Node has no datagrams on unix sockets. One after another, so that they come in their order. */
function throughCommand(
  environment: Environment,
  watchdogMs: number | null,
  complain: (why: string) => void,
): OwnSupervisor {
  let last: Promise<unknown> = Promise.resolve();
  const send = (words: readonly string[]): Promise<void> =>
    new Promise((done) => {
      execFile('systemd-notify', [...words], { env: environment, timeout: 5000 }, (error) => {
        if (error !== null) complain(`koffi cannot be loaded, and systemd-notify: ${explain(error)}`);
        done();
      });
    });
  return {
    watchdogMs,
    tell(...words) {
      last = last.then(() => send(words));
    },
    close() {},
  };
}

function once(say: (text: string) => void): (text: string) => void {
  let said = false;
  return (text) => {
    if (!said) say(text);
    said = true;
  };
}
