/** Talking to a daemon: `import { connect } from 'tsup-visor/client'`. */
export type { ErrorKind } from '../protocol/errors.ts';
export type { WireEvent } from '../protocol/events.ts';
export type * from '../protocol/replies.ts';
export type * from '../protocol/status.ts';
export { type Asking, type Client, connect, type EventsQuery, type StatusQuery } from './client.ts';
export { type Absence, DaemonError, NoDaemonError, ProtocolError } from './errors.ts';
