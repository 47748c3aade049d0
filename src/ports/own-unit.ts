/** The unit of systemd that runs the daemon, as far as it decides over an end. */
export interface OwnUnit {
  readonly name: string;
  /** How long systemd waits for the daemon to end before it kills it; null: without a limit. */
  readonly stopMs: number | null;
  /** `process`: systemd signals the daemon alone. */
  readonly killMode: string;
}
