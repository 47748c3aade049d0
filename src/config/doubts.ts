/** What is no mistake, but hardly what was meant on this machine: told by `config check`, and by nobody else. */
import { dirname } from 'node:path';
import type { ProgramPlan } from '../core/plan.ts';
import { doubtLinks } from './link-doubts.ts';
import { type LoadedConfig, Mistakes } from './load.ts';
import { missingFile, missingFolder, missingProgram } from './machine.ts';
import type { Complain, Mistake, Span } from './mistake.ts';
import { PROGRAM } from './program-keys.ts';
import { doubtRollout } from './rollout-doubts.ts';
import { shellWordIn } from './shell-words.ts';
import { spanAt, type Tree, valueAt } from './tree.ts';
import { fillTemplates } from './variables.ts';
import type { World } from './where.ts';

/** Answers of the system's lists of accounts; undefined where they cannot be asked. */
export interface Accounts {
  hasUser(name: string): boolean | undefined;
  hasGroup(name: string): boolean | undefined;
}

interface Looked {
  readonly program: ProgramPlan;
  /** What is written about it, defaults and all. */
  readonly tree: Tree | undefined;
  readonly world: World;
  readonly accounts: Accounts;
  /** Of the config file. */
  readonly folder: string;
  readonly doubt: Complain;
}

export function doubtsAbout(
  { plan, text, root }: LoadedConfig,
  world: World,
  accounts: Accounts,
): readonly Mistake[] {
  const found = new Mistakes(plan.configFile, text);
  for (const program of plan.programs) {
    const tree = valueAt(root, 'programs', program.name);
    const folder = dirname(plan.configFile);
    const looked = { program, tree, world, accounts, folder, doubt: found.complain };
    for (const look of LOOKS) look(looked);
  }
  return found.sorted();
}

const LOOKS: readonly ((looked: Looked) => void)[] = [
  doubtShellWords,
  doubtProgram,
  doubtFolder,
  doubtEnvFiles,
  doubtAccounts,
  doubtVariables,
  ({ program, tree, folder, doubt }) => doubtLinks(program, valueAt(tree, 'command'), folder, doubt),
  ({ program, tree, doubt }) => doubtRollout(program, tree, doubt),
];

/** `shell: true` is for `command` alone. */
const OTHER_COMMANDS: readonly (readonly string[])[] = [
  ...['pre_start', 'post_start', 'pre_drain', 'post_stop'].flatMap((hook) => [
    ['hooks', hook],
    ['hooks', hook, 'exec'],
  ]),
  ['ready', 'when', 'exec'],
  ['health', 'exec'],
  ['drain', 'done_when', 'exec'],
  ['rollout', 'check', 'exec'],
];

function doubtShellWords({ tree, program, doubt }: Looked): void {
  const look = (path: readonly string[], advice: string): void => {
    const value = valueAt(tree, ...path);
    const word = value?.kind === 'scalar' ? shellWordIn(value.text) : undefined;
    if (value === undefined || word === undefined) return;
    doubt(value.span, `no shell runs this, so ${JSON.stringify(word)} is only a word to it; ${advice}`);
  };
  if (!isForShell(program)) look(['command'], 'with `shell: true` it means what it means to a shell');
  for (const path of OTHER_COMMANDS) look(path, "write sh -c '…' for one");
}

const isForShell = ({ command: [file, option] }: ProgramPlan): boolean =>
  file === '/bin/sh' && option === '-c';

function doubtProgram({ program, tree, world, doubt }: Looked): void {
  const directory = firstOf(program, program.directory);
  // Where it is to run there is nothing yet: that is told, and what is in it cannot be seen.
  if (missingFolder(directory) !== undefined) return;
  const [word = ''] = program.command;
  const path = program.environment.PATH ?? (inherits(program, 'PATH') ? world.environment.PATH : undefined);
  const wrong = missingProgram(firstOf(program, word), directory, path);
  if (wrong !== undefined) doubt(placeIn(tree, 'command'), wrong);
}

const inherits = ({ inheritEnvironment }: ProgramPlan, name: string): boolean =>
  typeof inheritEnvironment === 'boolean' ? inheritEnvironment : inheritEnvironment.includes(name);

function doubtFolder({ program, tree, doubt }: Looked): void {
  const wrong = missingFolder(firstOf(program, program.directory));
  if (wrong !== undefined) doubt(placeIn(tree, 'directory'), wrong);
}

function doubtEnvFiles({ program, tree, doubt }: Looked): void {
  const written = valueAt(tree, 'env_file');
  program.envFiles.forEach((file, index) => {
    const item = written?.kind === 'list' ? written.items[index] : undefined;
    const wrong = missingFile(firstOf(program, file));
    if (wrong !== undefined)
      doubt(
        item?.span ?? placeIn(tree, 'env_file'),
        `${wrong}; ${program.name} could not be started without it`,
      );
  });
}

function doubtAccounts({ program, tree, accounts, doubt }: Looked): void {
  const { user, group } = program;
  if (isName(user) && accounts.hasUser(user) === false) {
    doubt(placeIn(tree, 'user'), `there is no user ${JSON.stringify(user)} on this machine`);
  }
  if (isName(group) && accounts.hasGroup(group) === false) {
    doubt(placeIn(tree, 'group'), `there is no group ${JSON.stringify(group)} on this machine`);
  }
}

/** A number needs no name. */
const isName = (account: string | null): account is string => account !== null && !/^\d+$/.test(account);

/** Any name may be a variable's, so one that was indented too far is taken without a word. */
function doubtVariables({ tree, doubt }: Looked): void {
  const variables = valueAt(tree, 'environment');
  if (variables?.kind !== 'map') return;
  for (const [name, { key }] of variables.entries) {
    if (!Object.hasOwn(PROGRAM, name)) continue;
    doubt(
      key,
      `here "${name}" is a variable; for the key of the program, begin it in the column of "environment"`,
    );
  }
}

const firstOf = (program: ProgramPlan, text: string): string => fillTemplates(text, program.name, 0);

const START: Span = { start: 0, end: 0 };

const placeIn = (tree: Tree | undefined, key: string): Span =>
  (tree === undefined ? undefined : (spanAt(tree, key) ?? tree.span)) ?? START;
