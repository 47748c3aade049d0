/** What lies in a spool, as it is written down for a daemon that finds it before it knows whose it is. */
import type { LineStyle } from './format.ts';

export interface Label {
  readonly path: string;
  readonly style: LineStyle;
}

/** Null: it cannot be read; another version may have written it. */
export function parseLabel(text: string): Label | null {
  try {
    return labelOf(JSON.parse(text));
  } catch {
    return null;
  }
}

function labelOf(read: unknown): Label | null {
  const { path, style } = fieldsOf(read);
  const { format, timestamps, lead, instance, run, stream } = fieldsOf(style);
  if (typeof path !== 'string' || typeof lead !== 'string' || typeof instance !== 'string') return null;
  if (format !== 'raw' && format !== 'json') return null;
  if (stream !== 'stdout' && stream !== 'stderr') return null;
  if (typeof timestamps !== 'boolean' || typeof run !== 'number') return null;
  return { path, style: { format, timestamps, lead, instance, run, stream } };
}

const fieldsOf = (value: unknown): Record<string, unknown> =>
  typeof value === 'object' && value !== null ? { ...value } : {};
