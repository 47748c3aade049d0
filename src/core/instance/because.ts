/** Why an instance is on its way. The first reason wins and travels with the phase. */
export type Because =
  | 'start'
  | 'operator'
  | 'crash'
  | 'not ready'
  | 'spawn error'
  | 'shutdown'
  /** The config does not have it any more. */
  | 'reload'
  | `rollout ${number}`;
