/** The options that every command takes. */
export interface GlobalOptions {
  readonly config?: string;
  readonly socket?: string;
  readonly json?: boolean;
  /** False after `--no-color`. */
  readonly color: boolean;
}
