/** The rules about who waits for whom: unknown names, circles, and ends that never come. */
import type { ProgramName } from '../base/ids.ts';
import type { Plan, ProgramPlan } from '../core/plan.ts';
import type { Span } from './mistake.ts';
import { nearest } from './nearest.ts';
import type { Reading } from './shape.ts';
import { type MapTree, spanAt, valueAt } from './tree.ts';

/** `root` is the whole config, with `defaults` laid under each program. */
export function checkDependencies(plan: Plan, root: MapTree, reading: Reading): void {
  checkNames(root, reading);
  checkFilledNames(plan, root, reading);
  checkCompleted(plan, root, reading);
  for (const circle of circlesIn(plan.programs)) {
    const [from, to] = circle.slice(-2);
    reading.complain(placeOf(root, from ?? '', to ?? ''), `depends_on goes in a circle: ${pathOf(circle)}`);
  }
}

/** A path that is too long to be read keeps its ends. */
function pathOf(circle: readonly string[]): string {
  if (circle.length <= 20) return circle.join(' -> ');
  return [...circle.slice(0, 9), `… ${circle.length - 18} more …`, ...circle.slice(-9)].join(' -> ');
}

const START: Span = { start: 0, end: 0 };

/** Where each name stands below `depends_on` of this program. */
function placesIn(root: MapTree, program: string): ReadonlyMap<string, Span> {
  const tree = valueAt(root, 'programs', program, 'depends_on');
  if (tree?.kind === 'map') return new Map([...tree.entries].map(([name, { key }]) => [name, key]));
  if (tree?.kind !== 'list') return new Map();
  return new Map(tree.items.flatMap((item) => (item.kind === 'scalar' ? [[item.text, item.span]] : [])));
}

/** A name that comes of a variable is not to be seen as such: then all of `depends_on` is meant. */
const placeOf = (root: MapTree, program: string, name: string): Span =>
  placesIn(root, program).get(name) ?? spanAt(root, 'programs', program, 'depends_on') ?? START;

/** Of all programs that are written, also those that have mistakes and are in no plan. */
function checkNames(root: MapTree, reading: Reading): void {
  const programs = valueAt(root, 'programs');
  if (programs?.kind !== 'map') return;
  const known = [...programs.entries.keys()];
  for (const program of known) {
    for (const [name, place] of placesIn(root, program)) {
      if (programs.entries.has(name) || name === '' || name.includes('$')) continue;
      refuseName(name, place, known, reading);
    }
  }
}

/** The names that come of variables. */
function checkFilledNames(plan: Plan, root: MapTree, reading: Reading): void {
  const programs = valueAt(root, 'programs');
  if (programs?.kind !== 'map') return;
  for (const program of plan.programs) {
    for (const [name] of dependenciesOf(program)) {
      if (programs.entries.has(name) || placesIn(root, program.name).has(name)) continue;
      refuseName(name, placeOf(root, program.name, name), [...programs.entries.keys()], reading);
    }
  }
}

function refuseName(name: string, place: Span, known: readonly string[], reading: Reading): void {
  const sentence = `depends_on names ${JSON.stringify(name)}, which is no program`;
  reading.complain(place, sentence, nearest(name, known));
}

function checkCompleted(plan: Plan, root: MapTree, reading: Reading): void {
  const programs = new Map(plan.programs.map((program) => [program.name, program]));
  for (const program of plan.programs) {
    for (const [name, condition] of dependenciesOf(program)) {
      const reason = condition === 'completed' ? whyNeverCompleted(programs.get(name)) : undefined;
      if (reason === undefined) continue;
      reading.complain(placeOf(root, program.name, name), `${name} is never completed: ${reason}`);
    }
  }
}

function whyNeverCompleted(program: ProgramPlan | undefined): string | undefined {
  if (program === undefined) return undefined;
  if (program.schedule !== null) return 'it has a schedule, and waits for its next time';
  if (program.restart === 'always')
    return 'it has `restart: always`; give it `restart: on_failure` or `never`';
  return undefined;
}

const dependenciesOf = (program: ProgramPlan) =>
  // The keys of this very type are names of programs.
  Object.entries(program.dependsOn) as [ProgramName, ProgramPlan['dependsOn'][ProgramName]][];

/**
 * `['a', 'b', 'a']` for each step that leads back into the path that was taken: a walk in depth, from each program in
 * the order of the file. Without recursion, for a chain may be as long as the file.
 */
export function circlesIn(programs: readonly ProgramPlan[]): ProgramName[][] {
  const nextOf = new Map(
    programs.map((program) => [program.name, dependenciesOf(program).map(([name]) => name)]),
  );
  const circles: ProgramName[][] = [];
  const done = new Set<ProgramName>();
  for (const { name } of programs) walkFrom(name, nextOf, done, circles);
  return circles;
}

function walkFrom(
  start: ProgramName,
  nextOf: ReadonlyMap<ProgramName, readonly ProgramName[]>,
  done: Set<ProgramName>,
  circles: ProgramName[][],
): void {
  if (done.has(start)) return;
  // A map keeps its order: it is the path, and how far each of its programs has been looked at.
  const path = new Map<ProgramName, number>([[start, 0]]);
  const stack = [start];
  for (let at = stack.at(-1); at !== undefined; at = stack.at(-1)) {
    const looked = path.get(at) ?? 0;
    const next = nextOf.get(at)?.[looked];
    path.set(at, looked + 1);
    if (next === undefined) {
      stack.pop();
      path.delete(at);
      done.add(at);
    } else if (path.has(next)) circles.push([...stack.slice(stack.indexOf(next)), next]);
    else if (!done.has(next) && nextOf.has(next)) {
      stack.push(next);
      path.set(next, 0);
    }
  }
}
