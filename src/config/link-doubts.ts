/** A command that goes through a symbolic link such as `current`: its target may change while the revision stays. */
import { dirname, relative, resolve } from 'node:path';
import type { ProgramPlan } from '../core/plan.ts';
import { isLink } from './machine.ts';
import type { Complain, Span } from './mistake.ts';
import type { Tree } from './tree.ts';
import { fillTemplates } from './variables.ts';

/** `folder` is that of the config file: links above it are the machine's own, those in it are a deploy's. */
export function doubtLinks(
  program: ProgramPlan,
  command: Tree | undefined,
  folder: string,
  doubt: Complain,
): void {
  // With a directory for each instance there is no one release to follow the link to.
  if (command === undefined || program.directory.includes('{{')) return;
  for (const [index, word] of program.command.entries()) {
    const link = linkIn(fillTemplates(word, program.name, 0), program.directory, folder);
    if (link === undefined) continue;
    const name = relative(folder, link) || link;
    const sentence =
      `${JSON.stringify(word)} goes through the link ${name}, which is followed at each start: ` +
      `when it is swapped no revision changes, and none goes back; write \`directory: ${name}\`, and the command from there`;
    doubt(placeOf(command, index), sentence);
  }
}

/** The deepest link to a folder on the way to what a word names; packages are often linked, and are no release. */
function linkIn(word: string, directory: string, folder: string): string | undefined {
  if (/(?:^|\/)node_modules\//.test(word)) return undefined;
  let path = dirname(resolve(directory, word));
  for (; isIn(path, folder); path = dirname(path)) if (isLink(path)) return path;
  return undefined;
}

const isIn = (path: string, folder: string): boolean =>
  path === folder || (folder !== '/' && path.startsWith(`${folder}/`));

const placeOf = (command: Tree, index: number): Span =>
  (command.kind === 'list' ? command.items[index] : undefined)?.span ?? command.span;
