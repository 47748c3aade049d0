/** The commands with their options. What one does is a file of its own in commands/, loaded when it is called. */
import type { Command } from 'commander';
import type { Act, CommandDefinition } from './command-definition.ts';
import { moment } from './moment.ts';
import { atLeastOne, count, countOrAll, duration, TIMEOUT } from './option-values.ts';
import { ROLLING_COMMANDS, ROLLOUT_PARTS } from './rolling-commands.ts';

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
  ...ROLLING_COMMANDS,
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
        .option('-n, --lines <N>', 'the last lines of each instance, or "all" (10)', countOrAll)
        .option('--since <TIME>', 'from then on: 90s, 2h or 1d ago, 14:05, 2026-01-31T14:05', (text) =>
          moment(text),
        )
        .option('--until <TIME>', 'up to then', (text) => moment(text))
        .option('--grep <PATTERN>', 'lines with this text, or this /expression/')
        .option('--stderr', 'their stderr instead of their stdout')
        .option('--both', 'their stdout and their stderr')
        .option('--daemon', 'what the daemon itself has to say instead')
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
        .option('-n, --lines <N>', 'the last so many (all; with --follow 10)', count)
        .option('--since <TIME>', 'from then on: 90s, 2h or 1d ago, 14:05, 2026-01-31T14:05', (text) =>
          moment(text),
        )
        .action((options) =>
          act(async (context) => (await import('./commands/events.ts')).events(context, options)),
        ),
  },
  {
    name: 'rotate',
    does: 'put aside what they have written so far (none named: all, and the log of the daemon)',
    define: (command, act) =>
      command
        .argument('[SELECTOR...]')
        .action((selectors) =>
          act(async (context) => (await import('./commands/log-files.ts')).rotate(context, selectors)),
        ),
  },
  {
    name: 'reopen',
    does: 'write on at the paths of log files that somebody else has moved away: for logrotate',
    define: (command, act) =>
      command
        .argument('[SELECTOR...]')
        .action((selectors) =>
          act(async (context) => (await import('./commands/log-files.ts')).reopen(context, selectors)),
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
    name: 'upgrade',
    does: 'replace the daemon by the installed version; no instance notices',
    define: (command, act) =>
      command
        .option('--dry-run', 'only try whether the installed version could take over')
        .option('--force', 'also where it is the same version')
        .option('--timeout <DURATION>', 'for hooks that are under way (10s)', duration)
        .action((options) =>
          act(async (context) => (await import('./commands/upgrade.ts')).upgrade(context, options)),
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
  { name: 'export', does: 'write what other programs need to run the daemon', define: exported },
  {
    name: 'completion',
    does: 'print what makes the shell complete commands and names: bash, zsh or fish',
    define: (command, act) =>
      command
        .argument('<SHELL>', 'bash, zsh or fish')
        .argument('[WORD...]', 'of the shells themselves: the words so far, the last one to be completed')
        .action((shell, words) =>
          act(async (context) =>
            (await import('./commands/completion.ts')).completion(context, shell, words, COMMANDS),
          ),
        ),
  },
  {
    name: 'version',
    does: 'print the version',
    define: (command, act) =>
      command.action(() => act(async (context) => (await import('./commands/version.ts')).version(context))),
  },
];

/** Commands that have commands of their own. */
export const PARTS: ReadonlyMap<string, readonly string[]> = new Map([
  ['rollout', ROLLOUT_PARTS],
  ['config', ['check', 'show', 'help']],
  ['export', ['systemd', 'help']],
]);

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

function exported(command: Command, act: Act): void {
  command
    .command('systemd')
    .description('print a unit with which systemd keeps the daemon alive')
    .option('--user', "for the user's own manager (systemctl --user)")
    .option('--output <FILE>', 'write it there; into a folder, by its own name')
    .action((options) =>
      act(async (context) => (await import('./commands/export.ts')).exportSystemd(context, options)),
    );
}
