/** `completion`: a shell's script, and the words that such a script asks for. */
import { EXIT, type ExitCode } from '../../protocol/errors.ts';
import type { CommandDefinition } from '../command-definition.ts';
import { candidates, SHELLS } from '../completion/candidates.ts';
import { namesFrom } from '../completion/names.ts';
import { SCRIPTS } from '../completion/scripts.ts';
import type { Context } from '../context.ts';
import type { GlobalOptions } from '../global-options.ts';
import { Refusal } from '../refusal.ts';
import { printable } from '../render/text.ts';
import { rootCommand } from '../root-command.ts';

export async function completion(
  context: Context,
  shell: string,
  words: readonly string[],
  definitions: readonly CommandDefinition[],
): Promise<ExitCode> {
  if (shell === 'candidates') return answer(context, words, definitions);
  const known = SHELLS.find((each) => each === shell);
  if (known === undefined) {
    throw new Refusal(
      EXIT.usage,
      `there is no completion for "${shell}"`,
      `the shells are: ${SHELLS.join(', ')}`,
    );
  }
  context.io.stdout.write(SCRIPTS[known]);
  return EXIT.done;
}

/** A line each: the word, a tab, what it is. */
async function answer(
  context: Context,
  words: readonly string[],
  definitions: readonly CommandDefinition[],
): Promise<ExitCode> {
  const names = namesFrom(globalOptions(words), context.io);
  const found = await candidates(words, rootCommand(), definitions, names);
  context.print(...found.map(({ text, about }) => `${text}\t${printable(about)}`));
  return EXIT.done;
}

/** What the words so far say of which daemon is meant. */
function globalOptions(words: readonly string[]): GlobalOptions {
  const valueAfter = (...names: readonly string[]) => {
    const at = words.findIndex((word) => names.includes(word));
    return at === -1 || at + 1 >= words.length - 1 ? undefined : words[at + 1];
  };
  const config = valueAfter('-c', '--config');
  const socket = valueAfter('--socket');
  return {
    color: false,
    ...(config === undefined ? {} : { config }),
    ...(socket === undefined ? {} : { socket }),
  };
}
