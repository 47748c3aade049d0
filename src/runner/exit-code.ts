/** How a runner ends, told apart by its exit code. 70 and 75 are those of sysexits(3). */
export const EXIT = {
  /** Every job was done and every hook ran. */
  drained: 0,
  /** Every job was done, but a shutdown hook failed or took too long. */
  hookFailed: 70,
  /** Jobs were told to give up, because of a deadline or of someone who insisted, and did. */
  cancelled: 75,
  /** It ended with work under way. */
  forced: 79,
} as const;

export type ExitReason = keyof typeof EXIT;
