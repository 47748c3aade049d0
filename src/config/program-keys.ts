/** The keys of a program: each is declared once, here or in the files that are put together here. */
import type { ProgramPlan } from '../core/plan.ts';
import { LIFE_KEYS } from './life-keys.ts';
import { map } from './maps.ts';
import { programRules } from './rules.ts';
import type { Fields, Shape } from './shape.ts';
import { START_KEYS } from './start-keys.ts';
import type { MapTree, Tree } from './tree.ts';

export const PROGRAM = { ...START_KEYS, ...LIFE_KEYS } as const satisfies Fields;

const written = map(PROGRAM, { own: true, refine: programRules });

export const program: typeof written = {
  ...written,
  read: (tree, reading, at) => written.read(withoutInheritedRestart(tree), reading, at),
};

export type WrittenProgram = typeof written extends Shape<infer T> ? T : never;

/** What `restart` is where nobody says so: a scheduled run ends, and comes again when it is time. */
export const restartOf = ({ restart, schedule }: Pick<WrittenProgram, 'restart' | 'schedule'>) =>
  restart ?? (schedule === null ? 'always' : 'never');

/** The field of the plan that a key of a program becomes. `shell` is a part of the command by then. */
export function fieldOf(key: string): keyof ProgramPlan {
  const fields: Fields = PROGRAM;
  // What is not declared here is no field of a plan; `as` names one, or the plan would not compile.
  return (key === 'shell' ? 'command' : fields[key]?.as) as keyof ProgramPlan;
}

/** A program with a schedule of its own does not take `restart: always` from elsewhere. */
function withoutInheritedRestart(tree: Tree): Tree {
  if (tree.kind !== 'map') return tree;
  const restart = tree.entries.get('restart');
  const schedule = tree.entries.get('schedule');
  if (schedule === undefined || schedule.inherited || isText(schedule.value, 'none')) return tree;
  if (restart?.inherited !== true || !isText(restart.value, 'always')) return tree;
  return without(tree, 'restart');
}

const without = (tree: MapTree, name: string): MapTree => ({
  ...tree,
  entries: new Map([...tree.entries].filter(([key]) => key !== name)),
});

const isText = (tree: Tree, text: string): boolean => tree.kind === 'scalar' && tree.text === text;
