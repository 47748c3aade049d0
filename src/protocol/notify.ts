/**
 * What an instance may report, as `KEY=value` lines: sd_notify(3) datagrams or lines on descriptor 3.
 * Both ends take their words from here.
 */

/** Longer messages are dropped and counted. */
export const MAX_MESSAGE_BYTES = 4096;
/** More than this from one instance within a second is dropped and counted. */
export const MAX_MESSAGES_PER_SECOND = 1000;

export interface NotifyMessage {
  readonly ready?: true;
  readonly stopping?: true;
  readonly drained?: true;
  /** The answer to SIGCONT: whether it has been asked to drain. */
  readonly asked?: boolean;
  readonly status?: string;
  /** Jobs under way now. */
  readonly inFlight?: number;
  /** The deadline is to be no sooner than this many milliseconds from now. */
  readonly extendTimeoutMs?: number;
  /** `trigger`: it wants to be taken for hung. */
  readonly watchdog?: 'alive' | 'trigger';
  /** From now on WATCHDOG=1 comes at least so often. */
  readonly watchdogMs?: number;
  readonly reloading?: true;
  readonly errno?: number;
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** Reads one message; keys it does not know, and values that make no sense, are passed over. */
export function parseNotify(text: string): NotifyMessage {
  const message: Mutable<NotifyMessage> = {};
  for (const line of text.split('\n')) {
    const at = line.indexOf('=');
    if (at > 0) read(line.slice(0, at), line.slice(at + 1), message);
  }
  return message;
}

/** A line on descriptor 3: as a message, but an empty line means ready, as s6 and dinit have it. */
export function parseNotifyLine(line: string): NotifyMessage {
  return line.trim() === '' ? { ready: true } : parseNotify(line);
}

export const isEmpty = (message: NotifyMessage): boolean => Object.keys(message).length === 0;

function read(key: string, value: string, into: Mutable<NotifyMessage>): void {
  if (key === 'READY' && value === '1') into.ready = true;
  else if (key === 'STOPPING' && value === '1') into.stopping = true;
  else if (key === 'X_DRAINED' && value === '1') into.drained = true;
  else if (key === 'X_ASKED' && (value === '0' || value === '1')) into.asked = value === '1';
  else if (key === 'RELOADING' && value === '1') into.reloading = true;
  else if (key === 'WATCHDOG' && value === '1') into.watchdog = 'alive';
  else if (key === 'WATCHDOG' && value === 'trigger') into.watchdog = 'trigger';
  else if (key === 'WATCHDOG_USEC')
    withCount(value, (n) => {
      if (n > 0) into.watchdogMs = Math.ceil(n / 1000);
    });
  else if (key === 'ERRNO')
    withCount(value, (n) => {
      into.errno = n;
    });
  else if (key === 'STATUS') into.status = printable(value);
  else if (key === 'X_INFLIGHT')
    withCount(value, (n) => {
      into.inFlight = n;
    });
  else if (key === 'EXTEND_TIMEOUT_USEC')
    withCount(value, (n) => {
      into.extendTimeoutMs = Math.ceil(n / 1000);
    });
}

function withCount(value: string, use: (n: number) => void): void {
  if (/^\d{1,15}$/.test(value)) use(Number(value));
}

/** A terminal will show this text: no control characters, so that no program can move its cursor. */
function printable(text: string): string {
  return text.replace(CONTROL, ' ').slice(0, 500);
}

const CONTROL = /\p{Cc}/gu;
