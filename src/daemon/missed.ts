/** Events as lines, and the word that stands for those which are missing among them. */
import type { WireEvent } from '../protocol/events.ts';
import { PROTOCOL_VERSION } from '../protocol/version.ts';

export const lineOf = (event: WireEvent): string => `${JSON.stringify(event)}\n`;

/** `seq`: the number of the last one that is missing. */
export const missed = (count: number, seq: number, why: string): WireEvent => ({
  version: PROTOCOL_VERSION,
  seq,
  at: new Date().toISOString(),
  mono_ms: performance.now(),
  message: `${count} events were left out: ${why}`,
  type: 'dropped',
  count,
});
