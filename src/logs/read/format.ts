/** What is in a line of a log: as the program wrote it, and what we have written down with it. */
import { objectIn, timeOf } from './time.ts';

/** How the lines of a log are written: as they come, each with our time before it, or each in an object. */
export type LineFormat = 'raw' | 'timestamps' | 'json';

export interface Words {
  /** What the program wrote. */
  readonly text: Buffer;
  /** When we have read it, as it is written there; null where that is not written down. */
  readonly time: string | null;
  readonly run?: number;
  readonly stream?: string;
  /** Only a part of the line: more of it comes next. */
  readonly isPartial: boolean;
}

/** `2026-11-23T20:30:00.123Z` */
const TIME_BYTES = 24;
const OURS = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;
const SPACE = 32;
const ELLIPSIS = Buffer.from('…');

/** What was written in another format before is as it is. */
export function wordsOf(line: Buffer, format: LineFormat): Words {
  const words = format === 'json' ? inObject(line) : format === 'timestamps' ? afterTime(line) : null;
  return words ?? { text: line, time: null, isPartial: false };
}

function afterTime(line: Buffer): Words | null {
  if (line.length < TIME_BYTES || (line.length > TIME_BYTES && line[TIME_BYTES] !== SPACE)) return null;
  const time = line.toString('latin1', 0, TIME_BYTES);
  if (!OURS.test(time)) return null;
  const text = line.subarray(TIME_BYTES + 1);
  return { text, time, isPartial: text.subarray(-ELLIPSIS.length).equals(ELLIPSIS) };
}

function inObject(line: Buffer): Words | null {
  const value = objectIn(line.toString('utf8'));
  const { message, time, run, stream, partial } = value ?? {};
  if (typeof message !== 'string') return null;
  return {
    text: Buffer.from(message),
    time: typeof time === 'string' ? time : null,
    ...(typeof run === 'number' ? { run } : {}),
    ...(typeof stream === 'string' ? { stream } : {}),
    isPartial: partial === true,
  };
}

/** As ISO 8601 has it; null where the line does not say. */
export function timeTextOf(line: Buffer): string | null {
  const time = timeOf(line);
  return time === null ? null : new Date(time).toISOString();
}
