/** Why an instance is on its way. The first reason wins and travels with the phase. */
export type Because =
  | 'start'
  | 'operator'
  | 'crash'
  | 'not ready'
  | 'spawn error'
  | 'shutdown'
  | `rollout ${number}`;
