/** From words on a command line to an exit code. */
import { Command, CommanderError } from 'commander';
import { EXIT, type ExitCode } from '../protocol/errors.ts';
import { type Act, COMMANDS } from './command-table.ts';
import { contextOf } from './context.ts';
import type { GlobalOptions } from './global-options.ts';
import type { Io } from './io.ts';
import { refuse } from './refusal.ts';

/** Runs one command. Throws only what is a bug. */
export async function run(argv: readonly string[], io: Io): Promise<ExitCode> {
  let exit: ExitCode = EXIT.done;
  const words = versionAsCommand(argv);
  const program = root(io);
  define(program, words, async (work) => {
    exit = await work(contextOf(io, program.opts<GlobalOptions>()));
  });
  try {
    await program.parseAsync(words, { from: 'user' });
    return exit;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.usage;
    return refuse(error, io, program.opts<GlobalOptions>());
  }
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
      outputError: (text, write) => write(inOurWords(text)),
      getOutHelpWidth: () => io.stdout.columns ?? 80,
      getErrHelpWidth: () => io.stderr.columns ?? 80,
      getOutHasColors: () => false,
      getErrHasColors: () => false,
    })
    .showSuggestionAfterError()
    .exitOverride();
}

function inOurWords(text: string): string {
  const [, missing = ''] = /missing required argument '(\S+)'/.exec(text) ?? [];
  const what = MISSING[missing];
  if (what !== undefined) return `tsup-visor: no ${missing} is given; ${what}\n`;
  const [, dashed] = /unknown option '-((?:SIG)?[A-Z]{2}[A-Z0-9]*|\d+)'/.exec(text) ?? [];
  if (dashed !== undefined)
    return `tsup-visor: unknown option "-${dashed}"; a signal is written without a dash: signal ${dashed} SELECTOR\n`;
  return text.replace(/^error: /, 'tsup-visor: ');
}

const MISSING: Readonly<Record<string, string>> = {
  SELECTOR: "name programs or instances, or '*' for all",
  'PROGRAM=N': 'scale takes PROGRAM=N, such as worker=4',
  SIGNAL: 'name one, such as HUP, and then programs or instances',
};

/** `--version` is what people try first. */
const versionAsCommand = (argv: readonly string[]): string[] =>
  argv[0] === '--version' || argv[0] === '-V' ? ['version', ...argv.slice(1)] : [...argv];

/** Only the command that was named, if one was: a dozen of them take a while to define. */
function define(program: Command, words: readonly string[], act: Act): void {
  const name = commandIn(words);
  const named = COMMANDS.filter((command) => command.name === name);
  for (const command of named.length > 0 ? named : COMMANDS) {
    command.define(program.command(command.name).description(command.does), act);
  }
}

/** The first word that is neither an option nor the value of one; none where help is asked for before it. */
function commandIn(words: readonly string[]): string | undefined {
  for (let at = 0; at < words.length; at += 1) {
    const word = words[at] ?? '';
    if (word === '-h' || word === '--help') return undefined;
    if (!word.startsWith('-')) return word;
    if (word === '-c' || word === '--config' || word === '--socket') at += 1;
  }
  return undefined;
}
