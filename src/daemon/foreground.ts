/** The daemon in a terminal or a container: it says what happens, and drains at the first Ctrl-C. */
import type { How } from '../core/instance/phase.ts';
import { ERROR_KINDS, EXIT, type ExitCode } from '../protocol/errors.ts';
import { createDaemon, type Daemon } from './daemon.ts';
import { Refused } from './refuse.ts';

export interface ForegroundOptions {
  readonly configFile: string;
  readonly socket: string | undefined;
  /** None: everything with `autostart` that the operator has not stopped. */
  readonly selectors: readonly string[];
  /** About this command. */
  say(text: string): void;
  /** A line of the daemon's own log. */
  log(text: string): void;
  /** Called when the daemon is up. */
  started(daemon: Daemon): void | Promise<void>;
}

/** Runs until everything is down. */
export async function runForeground(options: ForegroundOptions): Promise<ExitCode> {
  const signals = obeySignals(options.say);
  try {
    return await run(options, signals);
  } finally {
    signals.release();
  }
}

async function run(options: ForegroundOptions, signals: Signals): Promise<ExitCode> {
  const made = await createDaemon({
    ...options,
    echo: options.log,
    reports: true,
    nextCommand: ({ node, command }) => [node, ...process.execArgv, command, ...process.argv.slice(2)],
  });
  if (!made.ok) {
    options.say(`tsup-visor: ${made.error.message}`);
    return EXITS[made.error.kind];
  }
  const daemon = made.value;
  signals.lead(daemon);
  try {
    await options.started(daemon);
    // Whoever has taken over goes on with what the last one was told.
    if (!daemon.tookTheSeat && !signals.isToEnd) await daemon.start(options.selectors);
    daemon.ready();
    const fault = await daemon.ended;
    if (fault === null) return EXIT.done;
    options.say(`tsup-visor: ${fault}`);
    return EXIT.failed;
  } catch (error) {
    // A daemon that was not to be had like this does not stay behind, unheard and without its signals. What it has
    // taken up from an earlier one goes on as it did.
    daemon.leave();
    await daemon.ended;
    return refusal(error, options.say);
  }
}

const EXITS = {
  config_invalid: EXIT.configInvalid,
  locked: EXIT.conflict,
  state_locked: EXIT.conflict,
  config_taken: EXIT.conflict,
  failed: EXIT.failed,
} as const;

/** @throws what is no refusal. */
function refusal(error: unknown, say: (text: string) => void): ExitCode {
  if (!(error instanceof Refused)) throw error;
  const { kind, message, hint } = error.wire;
  say(`tsup-visor: ${message}${hint === undefined ? '' : `; ${hint}`}`);
  return ERROR_KINDS[kind].exit;
}

const INSISTENCE = [
  { how: 'drain', say: 'draining; press Ctrl-C again to stop now' },
  { how: 'now', say: 'stopping now; press Ctrl-C again to kill' },
  { how: 'kill', say: 'killing' },
] as const;

/**
 * One Ctrl-C may come twice, from the terminal and from whoever started us (npm does that): so soon after another
 * one it is not a user who insists.
 */
const ECHO_MS = 200;

type Led = Pick<Daemon, 'shutDown' | 'reopenLogs'>;

interface Signals {
  /** One has come. */
  readonly isToEnd: boolean;
  /** To this daemon, also what has come before it was there. */
  lead(daemon: Led): void;
  release(): void;
}

/**
 * The first Ctrl-C drains, the second stops now, the third kills; SIGTERM drains; SIGUSR2 opens logs anew. Heeded before
 * there is a daemon: one that takes the place of another has all that runs to end from its first moment.
 */
function obeySignals(say: (text: string) => void): Signals {
  let times = 0;
  let last = Number.NEGATIVE_INFINITY;
  let daemon: Led | null = null;
  let asked: How | null = null;
  const end = (how: How): void => {
    asked = how;
    daemon?.shutDown(how);
  };
  const insist = (): void => {
    const now = performance.now();
    const isEcho = now - last < ECHO_MS;
    last = now;
    if (isEcho) return;
    const step = INSISTENCE[Math.min(times++, INSISTENCE.length - 1)];
    if (step === undefined) return;
    say(step.say);
    end(step.how);
  };
  const drain = (): void => end('drain');
  const reopen = (): void => daemon?.reopenLogs();
  process.on('SIGINT', insist);
  process.on('SIGTERM', drain);
  process.on('SIGHUP', drain);
  process.on('SIGUSR2', reopen);
  return {
    get isToEnd() {
      return asked !== null;
    },
    lead(led) {
      daemon = led;
      if (asked !== null) led.shutDown(asked);
    },
    release() {
      process.off('SIGINT', insist);
      process.off('SIGTERM', drain);
      process.off('SIGHUP', drain);
      process.off('SIGUSR2', reopen);
    },
  };
}
