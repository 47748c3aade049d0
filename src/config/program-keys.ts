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
  read: (tree, reading, at) => written.read(fitForSchedule(tree), reading, at),
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

/** A program with a schedule of its own takes nothing from elsewhere that does not go with one. */
function fitForSchedule(tree: Tree): Tree {
  const schedule = tree.kind === 'map' ? tree.entries.get('schedule') : undefined;
  if (tree.kind !== 'map' || schedule === undefined) return tree;
  if (schedule.inherited || isText(schedule.value, 'none')) return tree;
  return withoutInheritedSurge(withoutInheritedRestart(tree));
}

function withoutInheritedRestart(tree: MapTree): MapTree {
  const restart = tree.entries.get('restart');
  return restart?.inherited === true && isText(restart.value, 'always') ? without(tree, 'restart') : tree;
}

function withoutInheritedSurge(tree: MapTree): MapTree {
  const rollout = tree.entries.get('rollout');
  if (rollout?.value.kind !== 'map') return tree;
  const surge = rollout.value.entries.get('max_surge');
  if (surge === undefined || !(surge.inherited || rollout.inherited)) return tree;
  const left = { ...rollout, value: without(rollout.value, 'max_surge') };
  return { ...tree, entries: new Map([...tree.entries, ['rollout', left]]) };
}

const without = (tree: MapTree, name: string): MapTree => ({
  ...tree,
  entries: new Map([...tree.entries].filter(([key]) => key !== name)),
});

const isText = (tree: Tree, text: string): boolean => tree.kind === 'scalar' && tree.text === text;
