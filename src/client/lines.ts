/** Whole lines out of a stream of bytes, with no more than one line held back. */

/** A line that is longer ends the reading: no event comes near it. */
export const MAX_LINE_BYTES = 1024 * 1024;

/** @throws RangeError when a line is longer than `MAX_LINE_BYTES`. The last line needs no newline. */
export async function* lines(chunks: AsyncIterable<Buffer>): AsyncGenerator<string, void, undefined> {
  let rest: Buffer = Buffer.alloc(0);
  for await (const chunk of chunks) {
    let from = 0;
    for (let end = chunk.indexOf(10); end !== -1; end = chunk.indexOf(10, from)) {
      yield Buffer.concat([rest, chunk.subarray(from, end)]).toString('utf8');
      rest = Buffer.alloc(0);
      from = end + 1;
    }
    rest = Buffer.concat([rest, chunk.subarray(from)]);
    if (rest.length > MAX_LINE_BYTES) throw new RangeError('a line of the stream is too long');
  }
  if (rest.length > 0) yield rest.toString('utf8');
}
