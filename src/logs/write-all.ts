/** Writes to the end what the system takes in parts. */
import { write, writeSync } from 'node:fs';

/** @throws what the system says */
export function writeAll(descriptor: number, bytes: Buffer, at: number): void {
  for (let done = 0; done < bytes.length; )
    done += writeSync(descriptor, bytes, done, bytes.length - done, at + done);
}

/** The same by another thread; `bytes` are not to be changed until it is done. */
export function writeAllAside(
  descriptor: number,
  bytes: Buffer,
  at: number,
  done: (error: unknown) => void,
): void {
  write(descriptor, bytes, 0, bytes.length, at, (error, written) => {
    if (error !== null || written === bytes.length) done(error);
    else writeAllAside(descriptor, bytes.subarray(written), at + written, done);
  });
}
