/** The rules that no map can see alone: groups, shared log files, dependencies, paths too long for a socket. */
import { join } from 'node:path';
import type { Plan, ProgramPlan } from '../core/plan.ts';
import { checkDependencies } from './dependency-check.ts';
import type { Span } from './mistake.ts';
import { nearest } from './nearest.ts';
import type { Reading } from './shape.ts';
import { extraOf } from './shares.ts';
import { type MapTree, spanAt, valueAt } from './tree.ts';
import { fillTemplates } from './variables.ts';

/** `root` is the whole config, with `defaults` laid under each program. */
export function checkPlan(plan: Plan, root: MapTree, reading: Reading): void {
  checkGroups(root, reading);
  checkSocketLength(plan, root, reading);
  checkLogFiles(plan, root, reading);
  checkDependencies(plan, root, reading);
}

function checkGroups(root: MapTree, reading: Reading): void {
  const programs = valueAt(root, 'programs');
  const groups = valueAt(root, 'groups');
  if (groups?.kind !== 'map' || programs?.kind !== 'map') return;
  const known = [...programs.entries.keys()];
  for (const [group, { value }] of groups.entries) {
    for (const member of value.kind === 'list' ? value.items : []) {
      if (member.kind !== 'scalar' || member.text === '' || known.includes(member.text)) continue;
      const sentence = `the group ${JSON.stringify(group)} names ${JSON.stringify(member.text)}, which is no program`;
      reading.complain(member.span, sentence, nearest(member.text, known));
    }
  }
}

/** Linux gives the address of a unix socket 108 bytes, the last of them a zero (unix(7)). */
const LONGEST_SOCKET_PATH = 107;

function checkSocketLength(plan: Plan, root: MapTree, reading: Reading): void {
  const bytes = Buffer.byteLength(join(plan.runDir, 'notify', '0000000000.sock'));
  if (bytes <= LONGEST_SOCKET_PATH) return;
  const sentence =
    `the run folder ${plan.runDir} is ${bytes - LONGEST_SOCKET_PATH} bytes too long for the sockets in it; ` +
    'give supervisor.run_dir a shorter path';
  reading.complain(
    spanAt(root, 'supervisor', 'run_dir') ?? spanAt(root, 'supervisor', 'name') ?? START,
    sentence,
  );
}

const START: Span = { start: 0, end: 0 };

interface Stream {
  readonly program: ProgramPlan;
  readonly key: 'stdout' | 'stderr';
  /** With `{{…}}` templates. */
  readonly path: string;
}

/** Two that write and rotate one file take each other's lines away. */
function checkLogFiles(plan: Plan, root: MapTree, reading: Reading): void {
  const streams = plan.programs.flatMap((program) => streamsOf(program, plan.logDir));
  if (!streams.some(({ program, key }) => isFile(program, key))) return;
  const owners = new Map<string, Stream>();
  for (const stream of streams) {
    const clash = firstClash(stream, owners);
    if (clash === undefined) continue;
    const own = isFile(stream.program, stream.key) ? stream : clash.owner;
    const place = spanAt(root, 'programs', own.program.name, 'logs', own.key);
    reading.complain(place ?? START, sentenceFor(stream, clash));
  }
}

interface Clash {
  readonly owner: Stream;
  readonly path: string;
}

function firstClash(stream: Stream, owners: Map<string, Stream>): Clash | undefined {
  for (let index = 0; index < atOnce(stream.program); index++) {
    const path = fillTemplates(stream.path, stream.program.name, index);
    const owner = owners.get(path);
    // Both streams of one instance in one file is told where `logs` is read.
    const told = owner?.program === stream.program && owner.path === stream.path && owner.key !== stream.key;
    if (owner !== undefined && !told) return { owner, path };
    owners.set(path, stream);
  }
  return undefined;
}

/** A run that may come while the last one still works is an instance more, and so are those of a rolling restart. */
function atOnce(program: ProgramPlan): number {
  const { instances, schedule } = program;
  return schedule?.overlap === 'allow' ? instances + 1 : instances + extraOf(program);
}

function sentenceFor({ program, key }: Stream, { owner, path }: Clash): string {
  if (owner.program !== program) {
    return `${program.name} and ${owner.program.name} cannot share the log file ${path}; give each its own`;
  }
  if (owner.key !== key) return `stdout and stderr of ${program.name} cannot share the log file ${path}`;
  return `${whoShares(program)} cannot share one log file; put {{index}} into its path`;
}

function whoShares({ name, instances, schedule }: ProgramPlan): string {
  if (instances > 1) return `the ${instances} instances of ${name}`;
  if (schedule === null) return `${name} and its extra instances, by \`max_surge\`,`;
  return `runs of ${name}, of which \`overlap: allow\` has several at once,`;
}

function streamsOf(program: ProgramPlan, logDir: string): Stream[] {
  const streams: Stream[] = [];
  for (const [key, end] of [
    ['stdout', '.log'],
    ['stderr', '.err.log'],
  ] as const) {
    const target = program.logs[key];
    if (target === 'merge' || target.kind === 'none' || target.kind === 'inherit') continue;
    const path = target.kind === 'file' ? target.path : join(logDir, `${program.name}-{{index}}${end}`);
    // A device such as /dev/stderr is nobody's.
    if (!path.startsWith('/dev/')) streams.push({ program, key, path });
  }
  return streams;
}

function isFile(program: ProgramPlan, key: Stream['key']): boolean {
  const target = program.logs[key];
  return target !== 'merge' && target.kind === 'file';
}
