/** The table of `status`. */
import type { InstanceState, InstanceStatus, ProgramCount, StatusReply } from '../../protocol/status.ts';
import { doing } from './doing.ts';
import { nextStep } from './next-step.ts';
import type { Paint } from './paint.ts';
import { rolloutSentence } from './rollout.ts';
import { type Cell, type Column, table } from './table.ts';
import { printable, wrap } from './text.ts';
import { cpu, idRanges, memory, plural, uptime } from './words.ts';

export interface Look {
  readonly paint: Paint;
  /** Of the terminal; undefined: nothing is cut. */
  readonly width: number | undefined;
  readonly now: Date;
  /** How many lines there is room for; undefined: for all. */
  readonly rows?: number | undefined;
}

export function statusLines(reply: StatusReply, look: Look): string[] {
  const below = remarks(reply, look);
  const room = (look.rows ?? Number.POSITIVE_INFINITY) - below.length;
  return [...fitted(reply.instances, look, Math.max(MIN_ROWS, room)), ...below];
}

/** A heading, an instance, and how many more there are. */
const MIN_ROWS = 3;

/** What is not simply running matters most where not everything can be shown. */
function fitted(instances: readonly InstanceStatus[], look: Look, room: number): string[] {
  if (instances.length + 1 <= room) return instanceLines(instances, look);
  const ordered = [...instances].sort((a, b) => Number(isCalm(a)) - Number(isCalm(b)));
  const shown = room - 2;
  return [...instanceLines(ordered, look).slice(0, shown + 1), `… and ${instances.length - shown} more`];
}

const isCalm = (instance: InstanceStatus): boolean =>
  instance.state === 'running' ? instance.healthy && instance.ready : !isFault(instance);

export const isDegraded = (reply: StatusReply): boolean => reply.instances.some(isFault);

/** Whether it is wanted and does not run, ready and healthy; what an operator has stopped is not wanted. */
export function isFault({ wanted, state, ready, healthy, next_run, waits_for }: InstanceStatus): boolean {
  // `exited` is the end that the config allows; a bad end is `failed`.
  if (wanted === 'down' || state === 'exited') return false;
  if (state === 'running') return !ready || !healthy;
  // What comes and goes by a schedule is well as long as its runs neither fail nor are kept back.
  const scheduled = (next_run ?? null) !== null; // an older daemon tells nothing of it
  return !scheduled || state === 'failed' || state === 'backoff' || waits_for !== null;
}

const COLUMNS: readonly Column[] = [
  { title: 'INSTANCE', align: 'left' },
  { title: 'STATE', align: 'left' },
  { title: 'PID', align: 'right', dispensable: 5 },
  { title: 'UPTIME', align: 'right', dispensable: 1 },
  { title: 'RESTARTS', align: 'right', dispensable: 4 },
  { title: 'CPU', align: 'right', dispensable: 3 },
  { title: 'MEMORY', align: 'right', dispensable: 2 },
  { title: 'MESSAGE', align: 'left' },
];

function instanceLines(instances: readonly InstanceStatus[], { paint, width, now }: Look): string[] {
  if (instances.length === 0) return ['no instances'];
  const rows = instances.map((instance): Cell[] => [
    { text: instance.id },
    { text: stateWord(instance), look: looks(paint, instance) },
    { text: instance.pid === null ? '-' : String(instance.pid) },
    { text: uptime(instance.uptime_ms) },
    { text: String(instance.restarts) },
    { text: cpu(instance.cpu_percent) },
    { text: memory(instance.memory_bytes) },
    { text: doing(instance, now) },
  ]);
  return table(COLUMNS, rows, width, paint);
}

/** The facts beside the state are said where they are not as expected. */
function stateWord({ state, ready, healthy }: InstanceStatus): string {
  if (state !== 'running') return state;
  if (!ready) return 'running, not ready';
  return healthy ? 'running' : 'running, unhealthy';
}

const BAD: readonly InstanceState[] = ['failed', 'backoff'];

function looks(paint: Paint, instance: InstanceStatus): (text: string) => string {
  if (BAD.includes(instance.state)) return paint.bad;
  if (instance.state === 'running') return instance.ready && instance.healthy ? paint.good : paint.busy;
  if (instance.state === 'waiting') return isFault(instance) ? paint.busy : paint.faint;
  return instance.state === 'stopped' || instance.state === 'exited' ? paint.faint : paint.busy;
}

/** How the processes of a run are found where it is not by their cgroup. */
const TRACKING: Readonly<Record<string, string>> = {
  session: 'by session and environment mark, for no cgroup can be written here',
  group: 'by process group, for this system has neither cgroups nor /proc',
};

/** `worker: 0 instances, scaled to 0 by an operator; the config has 3`. */
function countSentence({ program, instances, configured }: ProgramCount): string {
  const has = `${program}: ${plural(instances, 'instance')}`;
  return instances === configured
    ? `${has}, as the config has it`
    : `${has}, scaled to ${instances} by an operator; the config has ${configured}`;
}

/** More names than these say no more than the programs do. */
const MOST_NAMES = 5;

function tryAgain(instances: readonly InstanceStatus[]): string[] {
  const failed = instances.filter(({ state, wanted }) => state === 'failed' && wanted === 'up');
  if (failed.length === 0) return [];
  const ids = failed.map(({ id }) => id);
  const names = ids.length > MOST_NAMES ? new Set(failed.map(({ program }) => program)) : ids;
  return [`to try again what has failed: "tsup-visor start ${[...names].join(' ')}"`];
}

/** `worker runs 2 revisions: ff068191 (worker:0, worker:2), 39c6e586 (worker:1)`, where no rollout is about to change that. */
function mixtures(instances: StatusReply['instances'], rollouts: StatusReply['rollouts']): string[] {
  const rolled = new Set(rollouts.filter(({ ended_at }) => ended_at === null).map(({ program }) => program));
  const running = instances.filter(({ pid, program }) => pid !== null && !rolled.has(program));
  return [...new Set(running.map(({ program }) => program))].flatMap((program) => {
    const own = running.filter((each) => each.program === program);
    const revisions = [...new Set(own.map(({ revision }) => revision))];
    if (revisions.length < 2) return [];
    const told = revisions.map((revision) => {
      const ids = own.filter((each) => each.revision === revision).map(({ id }) => id);
      return `${revision} (${idRanges(ids)})`;
    });
    return [`${program} runs ${revisions.length} revisions: ${told.join(', ')}`];
  });
}

/** Below the table: rollouts under way or paused, and what else is out of the ordinary. */
function remarks(
  { daemon, instances, rollouts, counts = [] }: StatusReply,
  { paint, width, now }: Look,
): string[] {
  const told: string[] = [];
  const room = width ?? Number.POSITIVE_INFINITY;
  const tell = (text: string, paintIt: (text: string) => string) =>
    told.push(...wrap(text, room, '  ').map(paintIt));
  for (const rollout of rollouts) {
    if (rollout.state !== 'running' && rollout.state !== 'paused') continue;
    tell(rolloutSentence(rollout, now), rollout.state === 'paused' ? paint.bad : paint.busy);
    const next = nextStep(rollout);
    if (next !== undefined) told.push(...wrap(next, room - 2).map((line) => `  ${line}`));
  }
  for (const line of mixtures(instances, rollouts)) tell(line, paint.busy);
  for (const line of tryAgain(instances)) tell(line, paint.bad);
  for (const count of counts) tell(countSentence(count), paint.faint);
  if (daemon.state === 'shutting_down') tell('the daemon is shutting down', paint.busy);
  for (const warning of daemon.warnings) tell(`warning: ${printable(warning)}`, paint.busy);
  const tracking = TRACKING[daemon.tracking];
  if (tracking !== undefined) tell(`tracking: ${tracking}`, paint.faint);
  return told.length === 0 ? [] : ['', ...told];
}
