/** The shape of `depends_on`: a list of programs that must be ready, or a map that says what each must be. */
import { programName } from '../base/ids.ts';
import type { DependencyCondition, ProgramPlan } from '../core/plan.ts';
import { list, record } from './maps.ts';
import { text, word } from './scalars.ts';
import type { Reading, Shape } from './shape.ts';
import type { ListTree } from './tree.ts';

const EXPECTED = 'a list of programs, or a map of programs to started, ready or completed';

const names = list(text({ expects: 'the name of a program' }), EXPECTED);
const conditions = record<DependencyCondition>({
  of: word('started', 'ready', 'completed'),
  refuse: () => undefined, // whether there are such programs is seen when all of them are read
});

export const dependencies: Shape<ProgramPlan['dependsOn']> = {
  expects: EXPECTED,
  read(tree, reading, at) {
    if (tree.kind === 'map') {
      const found = conditions.read(tree, reading, at);
      return found === undefined ? undefined : asObject(found);
    }
    const found = names.read(tree, reading, at);
    if (found === undefined) return undefined;
    if (tree.kind === 'list') refuseTwice(found, tree, reading, at.path);
    return asObject(new Map(found.map((name) => [name, 'ready'])));
  },
  show: (value) => new Map(Object.entries(value)),
};

const asObject = (found: ReadonlyMap<string, DependencyCondition>): ProgramPlan['dependsOn'] =>
  Object.fromEntries([...found].map(([name, condition]) => [programName(name), condition]));

function refuseTwice(found: readonly string[], tree: ListTree, reading: Reading, path: string): void {
  for (const [index, name] of found.entries()) {
    const item = tree.items[index];
    if (found.indexOf(name) === index || item === undefined) continue;
    reading.complain(item.span, `${path} has ${JSON.stringify(name)} twice`);
  }
}
