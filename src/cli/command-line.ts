/** From words on a command line to an exit code. */
import { type Command, CommanderError } from 'commander';
import { EXIT, type ExitCode } from '../protocol/errors.ts';
import type { Act } from './command-definition.ts';
import { COMMANDS, PARTS } from './command-table.ts';
import { contextOf } from './context.ts';
import type { GlobalOptions } from './global-options.ts';
import type { Io } from './io.ts';
import { Refusal, refuse } from './refusal.ts';
import { rootCommand } from './root-command.ts';

/** Runs one command. Throws only what is a bug. */
export async function run(argv: readonly string[], io: Io): Promise<ExitCode> {
  let exit: ExitCode = EXIT.done;
  const words = withoutVainHelp(versionAsCommand(argv));
  const usage: Usage = { json: words.includes('--json'), complaint: '' };
  const program = root(io, usage);
  define(program, words, async (work) => {
    exit = await work(contextOf(io, program.opts<GlobalOptions>()));
  });
  try {
    await program.parseAsync(words, { from: 'user' });
    return exit;
  } catch (error) {
    if (error instanceof CommanderError) {
      if (error.exitCode === 0) return EXIT.done;
      return usage.json ? refuse(misused(usage.complaint), io, { json: true }) : EXIT.usage;
    }
    return refuse(error, io, program.opts<GlobalOptions>());
  }
}

/** With --json what commander says is gathered, and told as all errors are. */
interface Usage {
  readonly json: boolean;
  complaint: string;
}

/** `unknown command 'statsu'` and, on a line of its own, `(Did you mean status?)`; nothing where only help was shown. */
function misused(complaint: string): Refusal {
  const [message = '', hint] = complaint
    .replace(/^tsup-visor: /, '')
    .trim()
    .split('\n');
  if (message === '') return new Refusal(EXIT.usage, 'no command is given', 'see "tsup-visor --help"');
  return new Refusal(EXIT.usage, message, hint?.replace(/^\((.*)\)$/, '$1'));
}

function root(io: Io, usage: Usage): Command {
  return rootCommand()
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({
      writeOut: (text) => io.stdout.write(text),
      writeErr: (text) => {
        if (!usage.json) io.stderr.write(text);
      },
      outputError: (text, write) => {
        usage.complaint = inOurWords(text);
        write(usage.complaint);
      },
      getOutHelpWidth: () => io.stdout.columns ?? 80,
      getErrHelpWidth: () => io.stderr.columns ?? 80,
      getOutHasColors: () => false,
      getErrHasColors: () => false,
    })
    .showSuggestionAfterError()
    .exitOverride();
}

function inOurWords(text: string): string {
  for (const [pattern, words] of REWORDED) {
    const [, found] = pattern.exec(text) ?? [];
    const better = found === undefined ? undefined : words(found);
    if (better !== undefined) return `tsup-visor: ${better}\n`;
  }
  return text.replace(/^error: /, 'tsup-visor: ');
}

/** What commander says of a word, and what helps whoever typed it. */
const REWORDED: readonly (readonly [RegExp, (word: string) => string | undefined])[] = [
  [
    /missing required argument '(\S+)'/,
    (name) => (MISSING.has(name) ? `no ${name} is given; ${MISSING.get(name)}` : undefined),
  ],
  [
    /unknown command '(\S+)'/,
    (word) =>
      ELSEWHERE.has(word)
        ? `unknown command "${word}"; here it is "tsup-visor ${ELSEWHERE.get(word)}"`
        : undefined,
  ],
  [
    /unknown option '-((?:SIG)?[A-Z]{2}[A-Z0-9]*)'/,
    (name) =>
      `unknown option "-${name}"; a signal is written without a dash: "tsup-visor signal ${name} SELECTOR"`,
  ],
  [
    /too many arguments for '(reload)'/,
    () =>
      'reload takes no program, for it compares the whole config; "tsup-visor restart" and "tsup-visor rolling-restart" take it for single programs',
  ],
];

const MISSING: ReadonlyMap<string, string> = new Map([
  ['SELECTOR', "name programs or instances, or '*' for all"],
  ['PROGRAM=N', 'scale takes PROGRAM=N, such as worker=4'],
  ['PROGRAM', 'rehearse takes one program of the config'],
  ['SIGNAL', 'name one, such as HUP, and then programs or instances'],
  ['SHELL', 'name one: bash, zsh or fish'],
]);

/** Words that other supervisors have for it, too far from ours for a spelling mistake. */
const ELSEWHERE: ReadonlyMap<string, string> = new Map([
  ['update', 'reload'],
  ['reread', 'reload --dry-run'],
  ['daemon-reload', 'reload'],
  ['apply', 'reload'],
  ['ps', 'status'],
  ['list', 'status'],
  ['up', 'start'],
  ['down', 'shutdown'],
  ['kill', 'signal KILL SELECTOR'],
  ['tail', 'logs --follow'],
]);

/** `--version` is what people try first. */
const versionAsCommand = (argv: readonly string[]): string[] =>
  argv[0] === '--version' || argv[0] === '-V' ? ['version', ...argv.slice(1)] : [...argv];

/** Nobody can be helped with a command that is not there: what is wrong with it is told, and that it is wrong. */
function withoutVainHelp(words: readonly string[]): string[] {
  const plain = words.filter((word) => word !== '--help' && word !== '-h');
  const [name, part] = plain[0] === 'help' ? operandsOf(plain.slice(1)) : operandsOf(plain);
  const parts = name === undefined ? undefined : PARTS.get(name);
  const isKnown =
    name === undefined ||
    ((name === 'help' || COMMANDS.some((command) => command.name === name)) &&
      (part === undefined || parts === undefined || parts.includes(part)));
  if (isKnown || (plain.length === words.length && plain[0] !== 'help')) return [...words];
  return plain[0] === 'help' ? plain.slice(1) : plain;
}

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
  const help = words.findIndex((word) => word === '-h' || word === '--help');
  const [name] = operandsOf(help === -1 ? words : words.slice(0, help));
  return name;
}

/** The words that are neither options nor the values of those that stand before any command. */
function operandsOf(words: readonly string[]): string[] {
  return words.filter((word, at) => !word.startsWith('-') && !TAKES_VALUE.has(words[at - 1] ?? ''));
}

const TAKES_VALUE: ReadonlySet<string> = new Set(['-c', '--config', '--socket']);
