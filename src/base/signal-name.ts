/** Signals by the short names that kill(1) and the config use. */
export const SIGNAL_NAMES = [
  'TERM',
  'INT',
  'QUIT',
  'HUP',
  'USR1',
  'USR2',
  'KILL',
  'CONT',
  'STOP',
  'TSTP',
  'TTIN',
  'TTOU',
  'WINCH',
  'ABRT',
  'ALRM',
  'PIPE',
  'URG',
  'IO',
] as const;

export type SignalName = (typeof SIGNAL_NAMES)[number];

/** `SIGTERM`, `term` and `TERM` all name the same signal; undefined when there is none of that name. */
export function signalName(text: string): SignalName | undefined {
  const short = text.toUpperCase().replace(/^SIG/, '');
  return SIGNAL_NAMES.find((name) => name === short);
}
