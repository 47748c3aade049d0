/** UTF-8 as bytes: where a character ends, and whether it is one at all. */

/** How many bytes the character at `at` has, or 0 where there is none: bytes that no text has. */
export function lengthAt(bytes: Buffer, at: number, to: number): number {
  const first = bytes[at] ?? 0;
  const length = lengthOf(first);
  if (length < 2 || at + length > to) return length === 1 ? 1 : 0;
  const second = bytes[at + 1] ?? 0;
  if (second < lowest(first) || second > highest(first)) return 0;
  for (let i = 2; i < length; i++) if (!isContinued(bytes[at + i])) return 0;
  return length;
}

/** Where a character begins that would go on beyond `to`, or else `to`. */
export function beginOfTorn(bytes: Buffer, from: number, to: number): number {
  for (let at = to - 1; at >= Math.max(from, to - 3); at--) {
    if (isContinued(bytes[at])) continue;
    return at > from && at + lengthOf(bytes[at] ?? 0) > to ? at : to;
  }
  return to;
}

/** As its first byte says; 0: none begins with this. */
function lengthOf(first: number): number {
  if (first < 0x80) return 1;
  if (first < 0xc2 || first > 0xf4) return 0;
  return first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
}

const isContinued = (byte: number | undefined): boolean => byte !== undefined && (byte & 0xc0) === 0x80;

/** Of the second byte: no character is longer than it needs to be, none is half of a pair, none is beyond the last. */
const lowest = (first: number): number => (first === 0xe0 ? 0xa0 : first === 0xf0 ? 0x90 : 0x80);
const highest = (first: number): number => (first === 0xed ? 0x9f : first === 0xf4 ? 0x8f : 0xbf);
