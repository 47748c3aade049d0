/**
 * The whole wire on one page; the bodies that its POST routes take are in requests.ts, under the same names.
 * Both ends build their paths from here. Kept apart from the schemas so that a client loads none.
 */

interface Route {
  readonly method: 'GET' | 'POST';
  /** `:id` stands for one path segment. */
  readonly path: string;
  /** Query parameters that the route takes. */
  readonly query?: readonly string[];
}

export const ROUTES = {
  /** Query `usage=0` leaves out processor time and memory, and costs the daemon no look at /proc. */
  status: { method: 'GET', path: '/v1/status', query: ['usage', 'selector'] },
  start: { method: 'POST', path: '/v1/start' },
  stop: { method: 'POST', path: '/v1/stop' },
  restart: { method: 'POST', path: '/v1/restart' },
  scale: { method: 'POST', path: '/v1/scale' },
  reload: { method: 'POST', path: '/v1/reload' },
  signal: { method: 'POST', path: '/v1/signal' },
  shutdown: { method: 'POST', path: '/v1/shutdown' },
  upgrade: { method: 'POST', path: '/v1/upgrade' },
  createRollouts: { method: 'POST', path: '/v1/rollouts' },
  rollouts: { method: 'GET', path: '/v1/rollouts' },
  rollout: { method: 'GET', path: '/v1/rollouts/:id' },
  pauseRollout: { method: 'POST', path: '/v1/rollouts/:id/pause' },
  resumeRollout: { method: 'POST', path: '/v1/rollouts/:id/resume' },
  promoteRollout: { method: 'POST', path: '/v1/rollouts/:id/promote' },
  abortRollout: { method: 'POST', path: '/v1/rollouts/:id/abort' },
  revertRollout: { method: 'POST', path: '/v1/rollouts/:id/revert' },
  revisions: { method: 'GET', path: '/v1/revisions', query: ['program'] },
  logs: { method: 'GET', path: '/v1/logs', query: ['selector'] },
  rotateLogs: { method: 'POST', path: '/v1/logs/rotate' },
  reopenLogs: { method: 'POST', path: '/v1/logs/reopen' },
  /**
   * Query `follow`: NDJSON that does not end. `since=SEQ`: what came after that event, as far as this daemon still knows it.
   * `last=N` or `last=all`, and `from=DATE` (ISO 8601): what is written down as well, also of daemons before it.
   */
  events: { method: 'GET', path: '/v1/events', query: ['follow', 'since', 'last', 'from'] },
} as const satisfies Record<string, Route>;

export type RouteName = keyof typeof ROUTES;

/** A request body or its headers may be no larger than this. */
export const MAX_BODY_BYTES = 64 * 1024;
