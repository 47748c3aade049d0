/** What may stand in the place of the last word of a command line that is being typed. */
import type { Command, Option } from 'commander';
import { SIGNAL_NAMES } from '../../base/signal-name.ts';
import type { CommandDefinition } from '../command-definition.ts';

export interface Candidate {
  readonly text: string;
  /** In a few words; empty where the text says it all. */
  readonly about: string;
}

/** What only the config and the daemon know; asked for when it is needed. */
export interface Names {
  selectors(): Promise<readonly Candidate[]>;
  programs(): Promise<readonly Candidate[]>;
  /** Programs that have had rollouts, and the rollouts' numbers. */
  rollouts(): Promise<readonly Candidate[]>;
}

export const SHELLS = ['bash', 'zsh', 'fish'] as const;

/** `words` without the command's own name; `root` has the options that every command takes. */
export async function candidates(
  words: readonly string[],
  root: Command,
  definitions: readonly CommandDefinition[],
  names: Names,
): Promise<readonly Candidate[]> {
  for (const { name, does, define } of definitions) {
    define(root.command(name).description(does), async () => {});
  }
  const typed = words.at(-1) ?? '';
  const { command, operands, pendingValue } = walk(root, words.slice(0, -1));
  const all = await (pendingValue === undefined ? wordsOf(command, root, operands, typed, names) : []);
  return all.filter(({ text }) => text.startsWith(typed));
}

interface Place {
  readonly command: Command;
  /** How many operands it has been given. */
  readonly operands: number;
  /** What comes next is this option's value. */
  readonly pendingValue: Option | undefined;
}

function walk(root: Command, words: readonly string[]): Place {
  let [command, operands] = [root, 0];
  let pendingValue: Option | undefined;
  for (const word of words) {
    if (pendingValue !== undefined) pendingValue = undefined;
    else if (word.startsWith('-'))
      pendingValue = word.includes('=') ? undefined : optionIn(word, command, root);
    else {
      const part = command.commands.find((each) => each.name() === word);
      if (part === undefined) operands += 1;
      else [command, operands] = [part, 0];
    }
  }
  return { command, operands, pendingValue };
}

/** One that takes a value. */
const optionIn = (word: string, command: Command, root: Command): Option | undefined =>
  [...command.options, ...root.options].find(
    (option) => option.required && (option.long === word || option.short === word),
  );

async function wordsOf(
  command: Command,
  root: Command,
  operands: number,
  typed: string,
  names: Names,
): Promise<readonly Candidate[]> {
  if (typed.startsWith('-')) return optionsOf(command, root);
  if (command.commands.length > 0) {
    return command.commands.map((each) => ({ text: each.name(), about: each.description() }));
  }
  const argument = command.registeredArguments[operands] ?? command.registeredArguments.at(-1);
  if (argument === undefined || (!argument.variadic && operands > 0 && argument.name() !== 'SELECTOR'))
    return [];
  return operandsFor(argument.name(), names);
}

function optionsOf(command: Command, root: Command): Candidate[] {
  const own = command === root ? [] : command.options;
  return [...own, ...root.options, HELP].map(({ long, description }) => ({
    text: long ?? '',
    about: description,
  }));
}

const HELP = { long: '--help', description: 'what it takes' };

async function operandsFor(name: string, names: Names): Promise<readonly Candidate[]> {
  switch (name) {
    case 'SELECTOR':
      return names.selectors();
    case 'PROGRAM|ID':
      return names.rollouts();
    case 'PROGRAM':
      return names.programs();
    case 'PROGRAM=N':
      return (await names.programs()).map(({ text, about }) => ({ text: `${text}=`, about }));
    case 'SIGNAL':
      return SIGNAL_NAMES.map((text) => ({ text, about: '' }));
    case 'SHELL':
      return SHELLS.map((text) => ({ text, about: '' }));
    default:
      return [];
  }
}
