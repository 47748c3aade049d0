/** A request that cannot be granted, as the wire says it. Thrown by handlers, answered by the server. */
import type { ErrorKind, WireError } from '../protocol/errors.ts';

export class Refused extends Error {
  readonly wire: WireError;

  constructor(kind: ErrorKind, message: string, hint?: string) {
    super(message);
    this.wire = hint === undefined ? { kind, message } : { kind, message, hint };
  }
}
