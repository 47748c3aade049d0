/** A config file -> the plan, or every mistake in it. */
import { readFileSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { programName } from '../base/ids.ts';
import { fail, ok, type Result } from '../base/result.ts';
import type { OwnLogPlan, Plan, ProgramPlan } from '../core/plan.ts';
import { checkPlan } from './check.ts';
import { SUPERVISOR, TOP } from './keys.ts';
import { partsOf } from './maps.ts';
import { lineStartsOf, type Mistake, mistakeAt, type Span } from './mistake.ts';
import { restartOf, type WrittenProgram } from './program-keys.ts';
import { revisionOf } from './revision.ts';
import type { Built, Reading } from './shape.ts';
import { parseTree } from './syntax.ts';
import { layered, type MapTree, type Tree, valueAt } from './tree.ts';
import { wordsOf } from './values.ts';
import { homesOf } from './walk.ts';
import { defaultDirs, defaultName, logDirFor, type World } from './where.ts';

export interface LoadedConfig {
  readonly plan: Plan;
  /** The file as it was read: mistakes that come later can show its lines. */
  readonly text: string;
  /** The same as a tree, with `defaults` laid under each program: where things stand. */
  readonly root: MapTree;
}

const LARGEST_BYTES = 1024 * 1024;

export function loadConfig(file: string, world: World): Result<LoadedConfig, readonly Mistake[]> {
  const text = readConfig(file);
  if (!text.ok) return fail([{ file, line: 0, column: 0, length: 0, message: text.error }]);
  return parseConfig(text.value, file, world);
}

/** The text of a config file, or one sentence that says why there is none. */
export function readConfig(file: string): Result<string, string> {
  try {
    const stat = statSync(file);
    if (stat.isDirectory()) return fail('cannot read the config: this is a folder, not a file');
    if (!stat.isFile())
      return fail('cannot read the config: this is no regular file, so it could not be read again');
    if (stat.size > LARGEST_BYTES) return fail('cannot read the config: it is larger than 1 MB');
    return ok(new TextDecoder('utf-8', { fatal: true }).decode(readFileSync(file)));
  } catch (error) {
    return fail(`cannot read the config: ${reasonOf(error)}`);
  }
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  ENOTDIR: 'there is no such file',
  EACCES: 'this user may not read it',
  EPERM: 'this user may not read it',
  ELOOP: 'its links lead in a circle',
  ERR_ENCODING_INVALID_ENCODED_DATA: 'it is not UTF-8 text',
};

function reasonOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  return REASONS[code] ?? (error instanceof Error ? error.message : String(error));
}

/** Needs no file: `file` only says where the text is from. */
export function parseConfig(
  text: string,
  file: string,
  world: World,
): Result<LoadedConfig, readonly Mistake[]> {
  const source = text.replace(/^\uFEFF/, '');
  const mistakes = new Mistakes(file, source);
  const read = planOf(source, resolve(file), world, mistakes);
  if (read === undefined || mistakes.found.size > 0) return fail(mistakes.sorted());
  return ok({ ...read, text: source });
}

function planOf(
  text: string,
  file: string,
  world: World,
  mistakes: Mistakes,
): Pick<LoadedConfig, 'plan' | 'root'> | undefined {
  const tree = parseTree(text, mistakes.complain);
  if (tree === undefined || mistakes.found.size > 0) return undefined;
  if (tree.kind !== 'map') {
    mistakes.complain(tree.span, 'a config is a map of keys, such as `programs:`');
    return undefined;
  }
  const root = withDefaults(tree);
  const reading = readingOf(text, file, world, mistakes);
  const plan = assembled(partsOf(TOP, root, reading), file, world);
  checkPlan(plan, root, reading);
  return { plan, root };
}

/** The keys of the daemon itself, of a config that has mistakes: those that can be read; undefined where it is no YAML. */
export function supervisorIn(text: string, file: string, world: World): Partial<Supervisor> | undefined {
  const source = text.replace(/^\uFEFF/, '');
  const mistakes = new Mistakes(file, source);
  const tree = parseTree(source, mistakes.complain);
  if (tree === undefined || mistakes.found.size > 0) return undefined;
  const own = valueAt(tree, 'supervisor');
  if (own?.kind !== 'map') return {};
  return partsOf(SUPERVISOR, own, readingOf(source, resolve(file), world, mistakes));
}

type Supervisor = Built<typeof SUPERVISOR>;

function readingOf(text: string, file: string, world: World, mistakes: Mistakes): Reading {
  let homes: ReadonlyMap<string, readonly string[]> | undefined;
  return {
    text,
    environment: world.environment,
    folder: dirname(file),
    partial: false,
    complain: mistakes.complain,
    elsewhere(name) {
      homes ??= homesOf(TOP); // only a mistake needs this
      return homes.get(name) ?? [];
    },
  };
}

function withDefaults(root: MapTree): MapTree {
  const defaults = root.entries.get('defaults');
  const programs = root.entries.get('programs');
  if (defaults === undefined || programs?.value.kind !== 'map') return root;
  const entries = new Map(programs.value.entries);
  for (const [name, entry] of entries) {
    entries.set(name, { ...entry, value: layered(entry.value, defaults.value) });
  }
  const value: Tree = { ...programs.value, entries };
  return { ...root, entries: new Map([...root.entries, ['programs', { ...programs, value }]]) };
}

type Read = Partial<Built<typeof TOP>>;

/** With mistakes in the config, what is left of it: enough to find the mistakes that need all of it. */
function assembled(read: Read, configFile: string, world: World): Plan {
  const supervisor = read.supervisor;
  const name = supervisor?.name ?? defaultName(configFile);
  const usual = defaultDirs(name, world);
  const stateDir = supervisor?.stateDir ?? usual.stateDir;
  return {
    name,
    configFile,
    runDir: supervisor?.runDir ?? usual.runDir,
    stateDir,
    logDir: supervisor?.logDir ?? logDirFor(stateDir, name, world),
    ownLog: supervisor?.ownLog ?? USUAL_LOG,
    socketMode: supervisor?.socketMode ?? 0o600,
    shutdownTimeoutMs: supervisor?.shutdownTimeoutMs ?? null,
    groups: Object.fromEntries(
      [...(read.groups ?? [])].map(([group, members]) => [group, members.map(programName)]),
    ),
    programs: [...(read.programs ?? [])].map(([program, raw]) => programPlan(program, raw)),
  };
}

const USUAL_LOG: OwnLogPlan = {
  maxBytes: 50 * 1024 * 1024,
  keep: 10,
  maxAgeMs: null,
  compress: false,
  format: 'raw',
};

function programPlan(name: string, written: WrittenProgram): ProgramPlan {
  const { command, shell, ...rest } = written;
  const words = wordsOf(command, shell);
  const restart = restartOf(written);
  const plan = { ...rest, restart, name: programName(name), command: words.ok ? words.value : [] };
  return { ...plan, revision: revisionOf(plan) };
}

/** More than this nobody reads; the first ones are as good. */
const MOST_MISTAKES = 100;

/** All mistakes of one text, each once: a default is read again for each program. */
export class Mistakes {
  readonly found = new Map<string, Mistake>();
  private readonly file: string;
  private readonly text: string;
  private starts: readonly number[] | undefined;

  constructor(file: string, text: string) {
    this.file = file;
    this.text = text;
  }

  readonly complain = (span: Span, message: string, suggestion?: string): void => {
    if (this.found.size >= MOST_MISTAKES) return;
    this.starts ??= lineStartsOf(this.text);
    const mistake = mistakeAt(this.file, this.starts, this.text, span, message, suggestion);
    const whosever = message.replace(/^[^\s.]+\./, ''); // defaults.stop.timeout, worker.stop.timeout, …
    const key = `${mistake.line}:${mistake.column}:${whosever}`;
    if (!this.found.has(key)) this.found.set(key, mistake);
  };

  sorted(): readonly Mistake[] {
    return [...this.found.values()].sort((a, b) => a.line - b.line || a.column - b.column);
  }
}
