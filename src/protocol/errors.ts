/** The fixed set of things that can go wrong on the wire, with the exit code that each one means to a shell. */
export interface WireError {
  readonly kind: ErrorKind;
  /** One sentence that names the thing and says what is wrong. */
  readonly message: string;
  /** The next step, where there is one. */
  readonly hint?: string;
}

export const EXIT = {
  done: 0,
  failed: 1,
  usage: 2,
  degraded: 3,
  noDaemon: 4,
  configInvalid: 5,
  conflict: 6,
  timeout: 7,
  interrupted: 130,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

export const ERROR_KINDS = {
  bad_request: { http: 400, exit: EXIT.usage },
  not_found: { http: 404, exit: EXIT.usage },
  /** A selector that matches nothing. */
  no_match: { http: 404, exit: EXIT.usage },
  method_not_allowed: { http: 405, exit: EXIT.usage },
  conflict: { http: 409, exit: EXIT.conflict },
  too_large: { http: 413, exit: EXIT.usage },
  config_invalid: { http: 422, exit: EXIT.configInvalid },
  /** Only the user of the daemon may ask for this, and root. */
  forbidden: { http: 403, exit: EXIT.failed },
  /** What is to take over has not proved that it can. */
  unfit: { http: 422, exit: EXIT.failed },
  /** The next daemon is about to answer: to be asked again. What waited for instances waits no more. */
  handing_over: { http: 503, exit: EXIT.failed },
  shutting_down: { http: 409, exit: EXIT.conflict },
  internal: { http: 500, exit: EXIT.failed },
} as const satisfies Record<string, { http: number; exit: ExitCode }>;

export type ErrorKind = keyof typeof ERROR_KINDS;

/** Why the last daemon did not end well, in a file beside its socket: for those whom nobody answers any more. */
export interface LastFault {
  /** ISO 8601 in UTC. */
  readonly at: string;
  readonly fault: string;
  /** The path of the daemon's own log. */
  readonly log: string;
}

/** The path of that file, by that of the socket. */
export const lastFaultFile = (socket: string): string => `${socket}.fault`;
