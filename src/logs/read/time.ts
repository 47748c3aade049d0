/** When a line was written, if it begins by saying so: as we write it, or as programs do themselves. */

/** A line that begins otherwise is not looked into any further. */
const HEAD_BYTES = 64;
/** An object longer than this is not read for the sake of its time. */
const OBJECT_BYTES = 64 * 1024;
const BRACE = 123;

const DATE =
  /^(?:[[("<]|(?:time|ts|timestamp)="?)?(\d{4})[-/](\d\d)[-/](\d\d)[T ](\d\d:\d\d(?::\d\d)?)(?:[.,](\d{1,9}))? ?(Z\b|UTC\b|[+-]\d\d:?\d\d\b)?/;
const EPOCH = /^(?:[[("<]|(?:time|ts|timestamp)="?)?(\d{10}(?:\.\d{1,9})?|\d{13})(?![\w.-])/;
const FIELD = /"(?:@?timestamp|time|ts)"\s*:/;

/** Milliseconds since 1970; null where it does not say. A time without a zone is that of this machine. */
export function timeOf(line: Buffer): number | null {
  const first = line[0];
  if (first === undefined || !mayBegin(first)) return null;
  if (first === BRACE) return timeIn(line);
  const head = line.toString('latin1', 0, HEAD_BYTES);
  const date = DATE.exec(head);
  if (date !== null) return timeOfDate(date);
  const [, epoch] = EPOCH.exec(head) ?? [];
  return epoch === undefined ? null : timeOfEpoch(Number(epoch));
}

/** A digit, an opening bracket or quotation mark, or the t of `time`. */
const mayBegin = (byte: number): boolean =>
  (byte >= 48 && byte <= 57) ||
  byte === BRACE ||
  byte === 91 ||
  byte === 40 ||
  byte === 34 ||
  byte === 60 ||
  byte === 116;

function timeOfDate([, year, month, day, clock, fraction = '0', zone = '']: readonly string[]):
  | number
  | null {
  const text = `${year}-${month}-${day}T${clock}${clock?.length === 5 ? ':00' : ''}.${fraction.slice(0, 3)}`;
  const time = Date.parse(text + (zone === 'UTC' ? 'Z' : zone.replace(/^(...)(\d\d)$/, '$1:$2')));
  return Number.isNaN(time) ? null : time;
}

/** In seconds or in thousandths of them, of this century: any other number is something else. */
function timeOfEpoch(number: number): number | null {
  const ms = number < 1e11 ? number * 1000 : number;
  return ms > 946_684_800_000 && ms < 4_102_444_800_000 ? Math.floor(ms) : null;
}

function timeIn(line: Buffer): number | null {
  if (line.length > OBJECT_BYTES) return null;
  const text = line.toString('utf8');
  if (!FIELD.test(text)) return null;
  const value = objectIn(text);
  const time = value?.time ?? value?.timestamp ?? value?.ts ?? value?.['@timestamp'];
  if (typeof time === 'number') return timeOfEpoch(time);
  const date = typeof time === 'string' ? DATE.exec(time) : null;
  return date === null ? null : timeOfDate(date);
}

/** Undefined where it is none. */
export function objectIn(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
