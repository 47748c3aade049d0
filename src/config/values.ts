/** The shapes that only a supervisor has: a command, a log target, a number or a share of the instances. */
import { fail, ok, type Result } from '../base/result.ts';
import type { LogTarget, Share } from '../core/plan.ts';
import { list } from './maps.ts';
import { parsePath } from './paths.ts';
import { isWord, listed, scalar } from './scalar.ts';
import { boolean, text } from './scalars.ts';
import type { Shape } from './shape.ts';
import { withoutVariables } from './variables.ts';
import { joinWords, splitWords } from './words.ts';

/** As it was written: whether a text is for a shell is another key's matter. */
export type Command =
  | { readonly kind: 'line'; readonly line: string }
  | { readonly kind: 'words'; readonly words: readonly string[] };

const LINE_OR_WORDS = 'a command line or a list of words';
const line = text({ expects: LINE_OR_WORDS, templates: true });
const words = list(text({ templates: true }), LINE_OR_WORDS);

export const command: Shape<Command> = {
  expects: LINE_OR_WORDS,
  read(tree, reading, at) {
    if (tree.kind === 'list') {
      const read = words.read(tree, reading, at);
      return read === undefined ? undefined : { kind: 'words', words: read };
    }
    const read = line.read(tree, reading, at);
    return read === undefined ? undefined : { kind: 'line', line: read };
  },
  show: (value) => (value.kind === 'line' ? line.show(value.line) : words.show(value.words)),
};

/** The words that are executed, or why there are none. */
export function wordsOf(value: Command, shell: boolean): Result<readonly string[], string> {
  if (shell) return shellWords(value);
  const split = value.kind === 'line' ? splitWords(value.line) : ok(value.words);
  if (!split.ok) return fail(`cannot split the command into words: ${split.error}`);
  const [first] = split.value;
  if (first === undefined || first === '') return fail('the command is empty');
  return split;
}

function shellWords(value: Command): Result<readonly string[], string> {
  if (value.kind === 'words') {
    return fail(`\`shell: true\` needs the command as one text: write ${joinWords(value.words)}`);
  }
  if (value.line.trim() === '') return fail('the command is empty');
  return ok(['/bin/sh', '-c', value.line]);
}

/** All, none, or those that are named. */
export const inherited: Shape<boolean | readonly string[]> = {
  expects: 'true, false or a list of names',
  read: (tree, reading, at) =>
    tree.kind === 'list' ? variableNames.read(tree, reading, at) : boolean.read(tree, reading, at),
  show: (value) => (typeof value === 'boolean' ? value : variableNames.show(value)),
};

const variableNames = list(
  text({ expects: 'the name of a variable', pattern: /^[^=]+$/ }),
  'true, false or a list of names',
);

/** A number of instances, or a percentage of them: of more than all there are none. */
export function share(least: 0 | 1, most?: number): Shape<Share> {
  const range = most === undefined ? `from ${least} up` : `from ${least} to ${most}`;
  const expects = `a number ${range} or a percentage`;
  return scalar<Share>({
    expects: `${expects} such as 25%`,
    parse(found) {
      const count = /^(?:0|[1-9]\d{0,8})$/.test(found) ? Number(found) : Number.NaN;
      if (count >= least && count <= (most ?? count)) return ok({ kind: 'count', count });
      const percent = /^\d{1,3}(?:\.\d{1,6})?%$/.test(found) ? Number(found.slice(0, -1)) : Number.NaN;
      if (percent <= 100 && (percent > 0 || least === 0)) return ok({ kind: 'percent', percent });
      return fail({ message: `must be ${expects} up to 100%, not ${JSON.stringify(found)}` });
    },
    show: (value) => (value.kind === 'count' ? value.count : `${value.percent}%`),
  });
}

const target = (expects: string): Shape<LogTarget> =>
  scalar<LogTarget>({
    expects,
    templates: true,
    parse(found, reading) {
      if (found === 'default' || found === 'none' || found === 'inherit') return ok({ kind: found });
      if (found.endsWith('/')) return fail({ message: 'names a folder; it must be a file' });
      const path = parsePath(found, reading);
      return path.ok ? ok({ kind: 'file', path: path.value }) : path;
    },
    show: (value) => (value.kind === 'file' ? withoutVariables(value.path) : value.kind),
  });

const forms = ['default', 'none', 'inherit', 'a path'];

export const stdoutTarget: Shape<LogTarget> = target(listed(forms, 'or'));

const stderrFile = target(listed(['merge', ...forms], 'or'));

export const stderrTarget: Shape<LogTarget | 'merge'> = {
  expects: stderrFile.expects,
  read: (tree, reading, at) =>
    isWord(tree, 'merge', reading) ? 'merge' : stderrFile.read(tree, reading, at),
  show: (value) => (value === 'merge' ? value : stderrFile.show(value)),
};
