/** Why a runner is to stop taking work, or to give up what it has: the `reason` of its two signals. */

export type AbortCause =
  /** A signal asked for an end. */
  | 'signal'
  /** A second one, later: whoever sent it does not want to wait. */
  | 'insisted'
  /** The time for draining was over. */
  | 'deadline'
  /** The program itself asked. */
  | 'code';

/** Its name is `AbortError`, as everything that takes an AbortSignal expects it. */
export class RunnerAbort extends Error {
  override readonly name = 'AbortError';
  readonly kind: 'quiet' | 'cancel';
  readonly because: AbortCause;
  /** The signal that was sent last; null where none was. */
  readonly signal: NodeJS.Signals | null;

  constructor(kind: 'quiet' | 'cancel', because: AbortCause, signal: NodeJS.Signals | null) {
    super(
      `${kind === 'quiet' ? 'takes no more work' : 'gives up its work'}: ${WHY[because](signal ?? 'a signal')}`,
    );
    this.kind = kind;
    this.because = because;
    this.signal = signal;
  }
}

const WHY: Readonly<Record<AbortCause, (signal: string) => string>> = {
  signal: (signal) => `${signal} was sent`,
  insisted: (signal) => `${signal} was sent again`,
  deadline: () => 'the time for draining is over',
  code: () => 'the program asked for it',
};
