/** Lets through so many a second, and counts the rest. */

const stopwatch = (): number => performance.now();

export class RateLimit {
  private windowStart = -Infinity;
  private taken = 0;
  /** What was not let through, for good. */
  dropped = 0;
  private readonly perSecond: number;
  private readonly nowMs: () => number;

  constructor(perSecond: number, nowMs = stopwatch) {
    this.perSecond = perSecond;
    this.nowMs = nowMs;
  }

  admits(): boolean {
    const now = this.nowMs();
    if (now - this.windowStart >= 1000) {
      this.windowStart = now;
      this.taken = 0;
    }
    if (this.taken < this.perSecond) {
      this.taken++;
      return true;
    }
    this.dropped++;
    return false;
  }
}
