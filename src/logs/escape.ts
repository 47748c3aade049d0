/** Writes bytes as the inside of a JSON string. What is not UTF-8 becomes U+FFFD. */
import { lengthAt } from './utf8.ts';

const PLAIN = 0;
const ESCAPED = 1;
const HIGH = 2;

const kinds = Uint8Array.from({ length: 256 }, (_, byte) => {
  if (byte >= 0x80) return HIGH;
  return byte < 0x20 || byte === 0x22 || byte === 0x5c ? ESCAPED : PLAIN;
});
const escapes = Array.from({ length: 128 }, (_, byte) =>
  Buffer.from(JSON.stringify(String.fromCharCode(byte)).slice(1, -1)),
);

/** So far it is the inside of a JSON string as it is. */
export function plainEnd(bytes: Buffer, from: number, to: number): number {
  let end = from;
  while (end < to && kinds[bytes[end] ?? 0] === PLAIN) end++;
  return end;
}

/** `into` has room for six bytes of each. Returns the place behind what was written. */
export function escapeInto(into: Buffer, at: number, bytes: Buffer, from: number, to: number): number {
  let end = at;
  for (let i = from; i < to; i++) {
    const byte = bytes[i] ?? 0;
    const kind = kinds[byte];
    if (kind === PLAIN) into[end++] = byte;
    else if (kind === ESCAPED) end = put(into, end, escapes[byte] ?? bytes, 0, escapes[byte]?.length ?? 0);
    else {
      const length = lengthAt(bytes, i, to);
      // Which of the bytes belong together where something is wrong, the decoder knows.
      if (length === 0) return at + into.write(decoded(bytes, from, to), at, 'utf8');
      end = put(into, end, bytes, i, i + length);
      i += length - 1;
    }
  }
  return end;
}

function put(into: Buffer, at: number, bytes: Buffer, from: number, to: number): number {
  let end = at;
  for (let i = from; i < to; i++) into[end++] = bytes[i] ?? 0;
  return end;
}

const decoded = (bytes: Buffer, from: number, to: number): string =>
  JSON.stringify(bytes.toString('utf8', from, to)).slice(1, -1);
