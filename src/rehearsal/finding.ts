/** What the doctor says: one line each, with the cure where something is not well. */

export type Level = 'ok' | 'note' | 'warning' | 'fault';

export interface Finding {
  /** What it is about; the same word in every version. */
  readonly id: FindingId;
  readonly level: Level;
  readonly message: string;
  /** What to do about it. */
  readonly cure?: string;
}

export type FindingId =
  /** What of the config had no part in it. */
  | 'alone'
  | 'ready'
  | 'trouble'
  | 'work'
  | 'quiet'
  | 'reports'
  | 'drain'
  | 'exit'
  | 'cut'
  | 'left'
  | 'group'
  | 'force'
  | 'again';

export const good = (id: FindingId, message: string): Finding => ({ id, level: 'ok', message });
export const note = (id: FindingId, message: string): Finding => ({ id, level: 'note', message });
export const warning = (id: FindingId, message: string, cure: string): Finding => ({
  id,
  level: 'warning',
  message,
  cure,
});
export const fault = (id: FindingId, message: string, cure: string): Finding => ({
  id,
  level: 'fault',
  message,
  cure,
});
