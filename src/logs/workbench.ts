/**
 * Where lines lie while they are dressed, one stream's at a time: what is read, and what becomes of it, in one piece of
 * memory. Within one, bytes are copied without an object being made for each copy; between two, Node makes one each time,
 * and a million lines a second are a hundred megabytes of those.
 */

/** More than the longest piece of a line. */
const INPUT_BYTES = 2 * 1024 * 1024;
const OUTPUT_BYTES = 512 * 1024;

// Nothing of it is kept. What is never touched takes no room.
const bench = Buffer.allocUnsafeSlow(INPUT_BYTES + OUTPUT_BYTES);
export const input = bench.subarray(0, INPUT_BYTES);
export const output = bench.subarray(INPUT_BYTES);

/** Copies these bytes into others; to be asked for once for many copies, for it takes its time to find where they lie. */
export type Copy = (from: number, to: number, at: number) => void;

export function copyBetween(bytes: Buffer, into: Buffer): Copy {
  if (bytes.buffer !== bench.buffer || into.buffer !== bench.buffer)
    return (from, to, at) => void bytes.copy(into, at, from, to);
  const [source, target] = [bytes.byteOffset, into.byteOffset];
  return (from, to, at) => void bench.copyWithin(target + at, source + from, source + to);
}
