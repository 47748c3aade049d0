/** What becomes of output where a test says nothing else: nothing. */
import type { LogSettings } from '../../src/core/plan.ts';

export const PLAIN: LogSettings = {
  maxBytes: null,
  keep: 10,
  maxAgeMs: null,
  compress: false,
  timestamps: false,
  format: 'raw',
  whenFull: 'drop',
};
