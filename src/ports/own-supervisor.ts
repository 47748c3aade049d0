/** Whoever has started the daemon and wants to hear how it is: systemd, or what speaks as that does. */
export interface OwnSupervisor {
  /** It restarts a daemon that it has not heard of for so long; null: it does not. */
  readonly watchdogMs: number | null;
  /** Assignments as sd_notify(3) has them, in one message. Never throws, never waits. */
  tell(...words: readonly string[]): void;
  close(): void;
}
