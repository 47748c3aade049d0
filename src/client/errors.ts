/** What can go wrong when a daemon is asked; each class is a case that a caller may want to treat apart. */
import type { ErrorKind, WireError } from '../protocol/errors.ts';

/** The daemon has answered, and the answer is no. */
export class DaemonError extends Error {
  override readonly name = 'DaemonError';
  readonly kind: ErrorKind;
  /** The next step, where there is one. */
  readonly hint: string | undefined;

  /** The version of the daemon's package, where it says so. */
  readonly daemon: string | undefined;

  constructor(error: WireError, daemon?: string) {
    super(error.message);
    this.kind = error.kind;
    this.hint = error.hint;
    this.daemon = daemon;
  }
}

/** Why nobody could be asked. */
export type Absence =
  /** Nothing listens there. */
  | 'absent'
  /** The socket may not be opened by this user. */
  | 'forbidden'
  /** The connection ended before the answer did. */
  | 'lost'
  /** The socket cannot be used at all, for a reason that the message gives. */
  | 'unusable';

/** No daemon answers at the socket, or it has gone while it was asked. */
export class NoDaemonError extends Error {
  override readonly name = 'NoDaemonError';
  readonly socket: string;
  readonly absence: Absence;

  constructor(socket: string, absence: Absence, detail?: string) {
    super(sentence(socket, absence, detail));
    this.socket = socket;
    this.absence = absence;
  }
}

/** Something answers, but not in the protocol that this client speaks. */
export class ProtocolError extends Error {
  override readonly name = 'ProtocolError';
  /** The version that was answered, where one was. */
  readonly version: number | undefined;
  /** That of the daemon's package, where it says so. */
  readonly daemon: string | undefined;

  constructor(message: string, version?: number, daemon?: string) {
    super(message);
    this.version = version;
    this.daemon = daemon;
  }
}

function sentence(socket: string, absence: Absence, detail: string | undefined): string {
  if (absence === 'absent') return `no daemon answers at ${socket}`;
  if (absence === 'forbidden') return `cannot open ${socket}: permission denied`;
  if (absence === 'lost') return `the daemon at ${socket} went away before it had answered`;
  return `cannot use the socket ${socket}: ${detail ?? 'for an unknown reason'}`;
}
