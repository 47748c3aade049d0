/**
 * A daemon that was killed just as it asked us to drain leaves the next one in doubt: a second signal would mean that
 * somebody insists. So that one sends SIGCONT, which does nothing by itself, and hears from us whether we were asked.
 */
import type { Host } from './host.ts';
import type { Reporter } from './report.ts';

const QUESTION = 'SIGCONT';

/** The daemon asks the question only where it asks for the end by one of these. */
const MEANT: readonly NodeJS.Signals[] = ['SIGTERM', 'SIGINT'];

/** `owned`: the signals that are ours to hear, for of no other we know. Returns what ends it. */
export function answerWhetherAsked(
  host: Pick<Host, 'on' | 'off'>,
  owned: readonly NodeJS.Signals[],
  reporter: Pick<Reporter, 'asked' | 'isHeard'>,
  isAsked: () => boolean,
): () => void {
  if (!reporter.isHeard || !MEANT.every((signal) => owned.includes(signal))) return () => {};
  let look: NodeJS.Immediate | undefined;
  const hear = (): void => {
    // Not before the loop has heard all signals that had come by then.
    look ??= setImmediate(() => {
      look = undefined;
      reporter.asked(isAsked());
    });
  };
  host.on(QUESTION, hear);
  return () => {
    host.off(QUESTION, hear);
    clearImmediate(look);
  };
}
