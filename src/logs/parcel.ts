/**
 * Lines on their way to another thread, in memory of their own until that is done with them; and then the next ones'. V8
 * collects what lies outside its heap late: a few hundred kilobytes made anew each time become tens of megabytes.
 */
import { output } from './workbench.ts';

const SLAB_BYTES = output.length;
/** So many are under way at a time as a rule. */
const MOST_KEPT = 2;

export interface Parcel {
  readonly bytes: Buffer;
  /** Nobody looks at it any more. */
  release(): void;
}

const kept: Buffer[] = [];

/** Of these bytes, which may change from now on. */
export function parcel(bytes: Buffer): Parcel {
  if (bytes.length > SLAB_BYTES) return { bytes: Buffer.from(bytes), release() {} };
  const slab = kept.pop() ?? Buffer.allocUnsafeSlow(SLAB_BYTES);
  bytes.copy(slab);
  return {
    bytes: slab.subarray(0, bytes.length),
    release() {
      if (kept.length < MOST_KEPT) kept.push(slab);
    },
  };
}
