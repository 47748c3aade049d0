/**
 * The two forms of one file, plain and compressed. Both are there as a whole for a moment, and for as long as it takes
 * if somebody is killed in that moment.
 */
import { closeSync, openSync, readSync, type Stats, statSync } from 'node:fs';

/** What is put aside and then compressed. */
export const COMPRESSED = '.gz';
/** As a file has it that was given the date of another. */
const SAME_MS = 2;
/** A gzip file ends with the length of what is in it. */
const LENGTH_BYTES = 4;

/** The compressed one has been made from the plain one: of the same date, and of the same length within. */
export function areTwins(plain: string): boolean {
  try {
    const packed = plain + COMPRESSED;
    const [one, other] = [statSync(plain), statSync(packed)];
    return Math.abs(one.mtimeMs - other.mtimeMs) < SAME_MS && lengthIn(packed, other) === one.size % 2 ** 32;
  } catch {
    return false; // one of them is not there
  }
}

function lengthIn(packed: string, { size }: Stats): number {
  const end = Buffer.alloc(LENGTH_BYTES);
  const file = openSync(packed, 'r');
  try {
    readSync(file, end, 0, LENGTH_BYTES, Math.max(0, size - LENGTH_BYTES));
  } finally {
    closeSync(file);
  }
  return end.readUInt32LE();
}
