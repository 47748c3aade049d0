/** The commands, their options, and how they end. What a command does is a file of its own, loaded when it is called. */
import { Command, CommanderError, InvalidArgumentError } from 'commander';
import { parseDuration } from '../base/duration.ts';
import { EXIT, type ExitCode } from '../protocol/errors.ts';
import { type Context, contextOf, type GlobalOptions } from './context.ts';
import type { Io } from './io.ts';
import { refusalOf, refusalText } from './refusal.ts';

/** Runs one command. Throws only what is a bug. */
export async function run(argv: readonly string[], io: Io): Promise<ExitCode> {
  let exit: ExitCode = EXIT.done;
  const program = commands(io, async (work) => {
    exit = await work(contextOf(io, program.opts<GlobalOptions>()));
  });
  try {
    await program.parseAsync(versionAsCommand(argv), { from: 'user' });
    return exit;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.usage;
    const refusal = refusalOf(error);
    if (refusal === undefined) throw error;
    io.stderr.write(refusalText(refusal));
    return refusal.exit;
  }
}

type Act = (work: (context: Context) => Promise<ExitCode>) => Promise<void>;

function commands(io: Io, act: Act): Command {
  const program = root(io);
  addActions(program, act);
  addRollouts(program, act);
  addQuestions(program, act);
  addConfig(program, act);
  return program;
}

function root(io: Io): Command {
  return new Command('tsup-visor')
    .description('Supervises long-running workers and restarts them without interrupting a job.')
    .usage('[options] COMMAND')
    .option('-c, --config <FILE>', 'the config; found by itself when not given')
    .option('--socket <PATH>', 'the socket of the daemon, instead of the one that the config names')
    .option('--json', 'answer in JSON')
    .option('--no-color', 'no colours')
    .option('-V, --version', 'print the version')
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({
      writeOut: (text) => io.stdout.write(text),
      writeErr: (text) => io.stderr.write(text),
      outputError: (text, write) => write(text.replace(/^error: /, 'tsup-visor: ')),
      getOutHelpWidth: () => io.stdout.columns ?? 80,
      getErrHelpWidth: () => io.stderr.columns ?? 80,
      getOutHasColors: () => false,
      getErrHasColors: () => false,
    })
    .showSuggestionAfterError()
    .exitOverride();
}

/** `--version` is what people try first. */
const versionAsCommand = (argv: readonly string[]): string[] =>
  argv[0] === '--version' || argv[0] === '-V' ? ['version', ...argv.slice(1)] : [...argv];

function duration(text: string): number | null {
  if (text === 'none') return null;
  const parsed = parseDuration(text);
  if (!parsed.ok) throw new InvalidArgumentError(`${parsed.error}.`);
  return parsed.value;
}

const TIMEOUT = ['--timeout <DURATION>', 'stop waiting after this long; the work goes on', duration] as const;

function addActions(program: Command, act: Act): void {
  program
    .command('start [SELECTOR...]')
    .description('start the daemon if none runs, then the named programs; wait until they are ready')
    .option('--foreground', 'keep the daemon in this terminal')
    .option('--no-wait', 'do not wait until they are ready')
    .option(...TIMEOUT)
    .action((selectors, options) =>
      act(async (context) => (await import('./commands/start.ts')).start(context, selectors, options)),
    );
  program
    .command('stop [SELECTOR...]')
    .description('drain the named instances, then stop them')
    .option('--all', 'everything')
    .option('--now', 'skip the drain, also one that is under way')
    .option('--no-wait', 'do not wait until they have stopped')
    .option(...TIMEOUT)
    .action((selectors, options) =>
      act(async (context) => (await import('./commands/stop.ts')).stop(context, selectors, options)),
    );
  program
    .command('restart <SELECTOR...>')
    .description('drain the named instances all at once, then start them with the config as it stands now')
    .option('--keep-config', 'keep the config that they run with')
    .option(...TIMEOUT)
    .action((selectors, options) =>
      act(async (context) => (await import('./commands/restart.ts')).restart(context, selectors, options)),
    );
  program
    .command('shutdown')
    .description('drain everything and end the daemon')
    .option('--now', 'skip the drain')
    .option('--timeout <DURATION>', 'end what still runs after this long', duration)
    .action((options) =>
      act(async (context) => (await import('./commands/shutdown.ts')).shutdown(context, options)),
    );
}

function addRollouts(program: Command, act: Act): void {
  program
    .command('rolling-restart <SELECTOR...>')
    .description('restart one instance after another, each when the one before is whole again')
    .option('--detach', 'do not watch')
    .option('--dry-run', 'say what it would do, in which order')
    .option('--max-parallel <N>', 'how many may be away at once: a number or a percentage')
    .option('--keep-config', 'keep the config that they run with')
    .option(...TIMEOUT)
    .action((selectors, options) =>
      act(async (context) =>
        (await import('./commands/rolling-restart.ts')).rollingRestart(context, selectors, options),
      ),
    );
  const rollout = program.command('rollout').description('look at rolling restarts and steer them');
  rollout
    .command('status [PROGRAM|ID]')
    .description('how they stand')
    .action((which) =>
      act(async (context) => (await import('./commands/rollout.ts')).rolloutStatus(context, which)),
    );
  for (const [verb, does] of STEERING) {
    rollout
      .command(`${verb} [PROGRAM|ID]`)
      .description(does)
      .action((which) =>
        act(async (context) => (await import('./commands/rollout.ts')).steer(context, verb, which)),
      );
  }
}

const STEERING = [
  ['pause', 'take no further instance until it is resumed'],
  ['resume', 'go on'],
  ['abort', 'end it; what has been restarted stays so'],
] as const;

function addQuestions(program: Command, act: Act): void {
  program
    .command('status [SELECTOR...]')
    .description('what each instance does')
    .option('-w, --watch', 'again each second, until Ctrl-C')
    .action((selectors, options) =>
      act(async (context) => (await import('./commands/status.ts')).status(context, selectors, options)),
    );
  program
    .command('logs [SELECTOR...]')
    .description('what they wrote')
    .option('-f, --follow', 'and what they write from now on')
    .option('-n, --lines <N>', 'so many lines of each instance', count, 10)
    .option('--stderr', 'their stderr instead of their stdout')
    .action((selectors, options) =>
      act(async (context) => (await import('./commands/logs.ts')).logs(context, selectors, options)),
    );
  program
    .command('events')
    .description('what has happened')
    .option('-f, --follow', 'and what happens from now on')
    .action((options) =>
      act(async (context) => (await import('./commands/events.ts')).events(context, options)),
    );
  program
    .command('version')
    .description('print the version')
    .action(() => act(async (context) => (await import('./commands/version.ts')).version(context)));
}

function count(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError(`"${text}" is not a number of lines.`);
  return Number(text);
}

function addConfig(program: Command, act: Act): void {
  const config = program.command('config').description('look at the config');
  config
    .command('check')
    .description('find its mistakes')
    .action(() => act(async (context) => (await import('./commands/config.ts')).configCheck(context)));
  config
    .command('show')
    .description('print it with all defaults filled in')
    .action(() => act(async (context) => (await import('./commands/config.ts')).configShow(context)));
}
