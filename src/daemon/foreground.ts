/** The daemon in a terminal or a container: it says what happens, and drains at the first Ctrl-C. */
import { EXIT, type ExitCode } from '../protocol/errors.ts';
import { createDaemon, type Daemon } from './daemon.ts';

export interface ForegroundOptions {
  readonly configFile: string;
  readonly socket: string | undefined;
  /** None: everything with `autostart` that the operator has not stopped. */
  readonly selectors: readonly string[];
  say(text: string): void;
  /** Called when the daemon is up. */
  started(daemon: Daemon): void | Promise<void>;
}

/** Runs until everything is down. */
export async function runForeground(options: ForegroundOptions): Promise<ExitCode> {
  const made = await createDaemon({ ...options, echo: options.say });
  if (!made.ok) {
    options.say(made.error.message);
    return made.error.kind === 'config_invalid' ? EXIT.configInvalid : EXIT.failed;
  }
  const daemon = made.value;
  const release = obeySignals(daemon, options.say);
  try {
    await options.started(daemon);
    await daemon.start(options.selectors);
    await daemon.ended;
    return EXIT.done;
  } finally {
    release();
  }
}

const INSISTENCE = [
  { how: 'drain', say: 'draining; press Ctrl-C again to stop now' },
  { how: 'now', say: 'stopping now; press Ctrl-C again to kill' },
  { how: 'kill', say: 'killing' },
] as const;

/** The first Ctrl-C drains, the second stops now, the third kills; SIGTERM drains. */
function obeySignals(daemon: Daemon, say: (text: string) => void): () => void {
  let times = 0;
  const insist = (): void => {
    const step = INSISTENCE[Math.min(times++, INSISTENCE.length - 1)];
    if (step === undefined) return;
    say(step.say);
    daemon.shutDown(step.how);
  };
  const drain = (): void => daemon.shutDown('drain');
  process.on('SIGINT', insist);
  process.on('SIGTERM', drain);
  process.on('SIGHUP', drain);
  return () => {
    process.off('SIGINT', insist);
    process.off('SIGTERM', drain);
    process.off('SIGHUP', drain);
  };
}
