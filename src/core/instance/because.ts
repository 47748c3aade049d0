/** Why an instance is on its way. The first reason wins and travels with the phase. */
export type Because =
  | 'start'
  | 'operator'
  /** It ended by itself, as it should. */
  | 'exit'
  | 'crash'
  | 'not ready'
  | 'spawn error'
  | 'shutdown'
  /** Its health check has failed too often in a row. */
  | 'unhealthy'
  /** WATCHDOG=1 did not come in time. */
  | 'watchdog'
  /** Above `max_memory` for too long. */
  | 'memory'
  /** Older than `max_age`. */
  | 'age'
  /** A hook of it has failed. */
  | 'hook'
  /** Its time has come. */
  | 'schedule'
  /** The operator has changed how many there are. */
  | 'scale'
  /** Another program wants it. */
  | 'dependency'
  /** The config does not have it any more. */
  | 'reload'
  | `rollout ${number}`;
