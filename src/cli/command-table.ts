/** The commands with their options. What one does is a file of its own in commands/, loaded when it is called. */
import { type Command, InvalidArgumentError } from 'commander';
import { parseDuration } from '../base/duration.ts';
import type { ExitCode } from '../protocol/errors.ts';
import type { Context } from './context.ts';

/** Runs a command's work with its context, and keeps the exit code. */
export type Act = (work: (context: Context) => Promise<ExitCode>) => Promise<void>;

export interface CommandDefinition {
  readonly name: string;
  readonly does: string;
  readonly define: (command: Command, act: Act) => void;
}

function duration(text: string): number | null {
  if (text === 'none') return null;
  const parsed = parseDuration(text);
  if (!parsed.ok) throw new InvalidArgumentError(`${parsed.error}.`);
  return parsed.value;
}

function count(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError(`"${text}" is not a number of lines.`);
  return Number(text);
}

function atLeastOne(text: string): number {
  if (!/^[1-9]\d{0,5}$/.test(text)) throw new InvalidArgumentError(`"${text}" is not a number of jobs.`);
  return Number(text);
}

function parallel(text: string): string {
  if (/^([1-9]\d*|[1-9]\d?%|100%)$/.test(text)) return text;
  throw new InvalidArgumentError(`"${text}" is not a number of instances, such as 2 or 25%.`);
}

const TIMEOUT = ['--timeout <DURATION>', 'stop waiting after this long; the work goes on', duration] as const;

export const COMMANDS: readonly CommandDefinition[] = [
  {
    name: 'start',
    does: 'start the daemon if none runs, then the named programs; wait until they are ready',
    define: (command, act) =>
      command
        .argument('[SELECTOR...]')
        .option('--foreground', 'keep the daemon in this terminal')
        .option('--no-wait', 'do not wait until they are ready')
        .option(...TIMEOUT)
        .action((selectors, options) =>
          act(async (context) => (await import('./commands/start.ts')).start(context, selectors, options)),
        ),
  },
  {
    name: 'stop',
    does: 'drain the named instances, then stop them',
    define: (command, act) =>
      command
        .argument('[SELECTOR...]')
        .option('--all', 'everything')
        .option('--now', 'skip the drain, also one that is under way')
        .option('--no-wait', 'do not wait until they have stopped')
        .option(...TIMEOUT)
        .action((selectors, options) =>
          act(async (context) => (await import('./commands/stop.ts')).stop(context, selectors, options)),
        ),
  },
  {
    name: 'restart',
    does: 'drain the named instances all at once, then start them with the config as it stands now',
    define: (command, act) =>
      command
        .argument('<SELECTOR...>')
        .option('--keep-config', 'keep the config that they run with')
        .option(...TIMEOUT)
        .action((selectors, options) =>
          act(async (context) =>
            (await import('./commands/restart.ts')).restart(context, selectors, options),
          ),
        ),
  },
  {
    name: 'rolling-restart',
    does: 'restart one instance after another, each when the one before is whole again',
    define: (command, act) =>
      command
        .argument('<SELECTOR...>')
        .option('--detach', 'do not watch')
        .option('--dry-run', 'say what it would do, in which order')
        .option('--max-parallel <N>', 'how many may be away at once: a number or a percentage', parallel)
        .option('--keep-config', 'keep the config that they run with')
        .option(...TIMEOUT)
        .action((selectors, options) =>
          act(async (context) =>
            (await import('./commands/rolling-restart.ts')).rollingRestart(context, selectors, options),
          ),
        ),
  },
  { name: 'rollout', does: 'look at rolling restarts and steer them', define: rollout },
  {
    name: 'reload',
    does: 'take the config as it stands now: say what that changes, then apply it, by rolling restarts where need be',
    define: (command, act) =>
      command
        .option('--dry-run', 'say what it would change')
        .option('--detach', 'do not watch')
        .option(...TIMEOUT)
        .action((options) =>
          act(async (context) => (await import('./commands/reload.ts')).reload(context, options)),
        ),
  },
  {
    name: 'scale',
    does: 'give programs more or fewer instances; fewer drains the highest first',
    define: (command, act) =>
      command
        .argument('<PROGRAM=N...>')
        .option('--no-wait', 'do not wait until they are ready, or gone')
        .option(...TIMEOUT)
        .action((wishes, options) =>
          act(async (context) => (await import('./commands/scale.ts')).scale(context, wishes, options)),
        ),
  },
  {
    name: 'signal',
    does: 'send a signal to the main process of each named instance',
    define: (command, act) =>
      command
        .argument('<SIGNAL>', 'HUP, SIGHUP or 1')
        .argument('<SELECTOR...>')
        .option('--tree', 'to all of its processes')
        .action((name, selectors, options) =>
          act(async (context) =>
            (await import('./commands/signal.ts')).signal(context, name, selectors, options),
          ),
        ),
  },
  {
    name: 'status',
    does: 'what each instance does',
    define: (command, act) =>
      command
        .argument('[SELECTOR...]')
        .option('-w, --watch', 'again each second, until Ctrl-C')
        .action((selectors, options) =>
          act(async (context) => (await import('./commands/status.ts')).status(context, selectors, options)),
        ),
  },
  {
    name: 'logs',
    does: 'what they wrote',
    define: (command, act) =>
      command
        .argument('[SELECTOR...]')
        .option('-f, --follow', 'and what they write from now on')
        .option('-n, --lines <N>', 'so many lines of each instance', count, 10)
        .option('--stderr', 'their stderr instead of their stdout')
        .action((selectors, options) =>
          act(async (context) => (await import('./commands/logs.ts')).logs(context, selectors, options)),
        ),
  },
  {
    name: 'events',
    does: 'what has happened',
    define: (command, act) =>
      command
        .option('-f, --follow', 'and what happens from now on')
        .action((options) =>
          act(async (context) => (await import('./commands/events.ts')).events(context, options)),
        ),
  },
  {
    name: 'rehearse',
    does: 'try a drain on an extra instance, without a daemon, and say what a planned end would do to its jobs',
    define: (command, act) =>
      command
        .argument('<PROGRAM>')
        .option(
          '--after <DURATION>',
          'give it so long to have work; the signal comes when it has (10s)',
          duration,
        )
        .option('--jobs <N>', 'wait until so many jobs are in flight', atLeastOne)
        .option('--once', 'no second round, in which the signal comes twice')
        .option('--timeout <DURATION>', 'wait no longer for the drain than this', duration)
        .action((program, options) =>
          act(async (context) =>
            (await import('./commands/rehearse.ts')).rehearse(context, program, options),
          ),
        ),
  },
  {
    name: 'shutdown',
    does: 'drain everything, what depends on others first, and end the daemon',
    define: (command, act) =>
      command
        .option('--now', 'skip the drain')
        .option(
          '--timeout <DURATION>',
          'not a limit for the waiting: stop, then kill what still drains after this long',
          duration,
        )
        .action((options) =>
          act(async (context) => (await import('./commands/shutdown.ts')).shutdown(context, options)),
        ),
  },
  { name: 'config', does: 'look at the config', define: config },
  {
    name: 'version',
    does: 'print the version',
    define: (command, act) =>
      command.action(() => act(async (context) => (await import('./commands/version.ts')).version(context))),
  },
];

/** Commands that have commands of their own. */
export const PARTS: ReadonlyMap<string, readonly string[]> = new Map([
  ['rollout', ['status', 'pause', 'resume', 'abort', 'help']],
  ['config', ['check', 'show', 'help']],
]);

function rollout(command: Command, act: Act): void {
  command
    .command('status [PROGRAM|ID]')
    .description('how they stand')
    .action((which) =>
      act(async (context) => (await import('./commands/rollout.ts')).rolloutStatus(context, which)),
    );
  for (const [verb, does] of STEERING) {
    command
      .command(`${verb} [PROGRAM|ID]`)
      .description(does)
      .action((which) =>
        act(async (context) => (await import('./commands/rollout.ts')).steer(context, verb, which)),
      );
  }
}

const STEERING = [
  ['pause', 'take no further instance until it is resumed'],
  ['resume', 'go on; what has failed is tried again, with the config that the rollout began with'],
  ['abort', 'end it; what has been restarted stays so, what has failed gets back what it ran before'],
] as const;

function config(command: Command, act: Act): void {
  command
    .command('check')
    .description('find its mistakes')
    .action(() => act(async (context) => (await import('./commands/config.ts')).configCheck(context)));
  command
    .command('show')
    .description('print it with all defaults filled in')
    .action(() => act(async (context) => (await import('./commands/config.ts')).configShow(context)));
}
