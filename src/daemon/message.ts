/** What an instance is doing, in one line: its own words while it works, ours when something is the matter. */
import type { Moment, Mono, Wall } from '../base/clock.ts';
import { formatDuration } from '../base/duration.ts';
import type { InstanceId, ProgramName } from '../base/ids.ts';
import type { Instance } from '../core/instance/instance.ts';
import { bodyOf, type Phase, type Waiting } from '../core/instance/phase.ts';

type Of<K extends Phase['kind']> = Extract<Phase, { kind: K }>;

/** Something that it depends on, and why that is not there. */
export interface Lack {
  readonly on: ProgramName;
  readonly why: string;
}

/** `heldBy`: it is to be stopped when this one has ended. `lack`: what it works without. */
export function messageOf(
  instance: Instance,
  now: Moment,
  nextRun: Wall | null,
  heldBy: InstanceId | null = null,
  lack: Lack | null = null,
): string {
  const { phase } = instance;
  if (heldBy !== null) return `is stopped when ${heldBy} is at rest`;
  const said = bodyOf(phase)?.said.status ?? '';
  switch (phase.kind) {
    case 'stopped':
      return instance.wish.because === 'operator' ? 'stopped by the operator' : said;
    case 'waiting':
      return waitingMessage(phase.what, nextRun);
    case 'preparing':
      return 'its pre_start hook runs';
    case 'starting':
      return phase.hook ? 'is ready, its post_start hook runs' : said || startingMessage(phase, now);
    case 'running':
      return [...troubles(phase, lack), ...(said === '' ? [] : [said])].join('; ');
    case 'draining':
      return drainingMessage(instance.id, phase, said);
    case 'stopping':
      return `told to stop, is killed in ${left(phase.killAt, now)}`;
    case 'sweeping':
      return phase.killAt === null
        ? 'what it left behind is looked for'
        : `what it left behind was told to stop, and is killed in ${left(phase.killAt, now)}`;
    case 'killing':
      return 'was sent KILL; something of it is still there';
    case 'cleaning':
      return 'its post_stop hook runs';
    case 'backoff':
      return `${whatFailed(instance.id, phase.why)}; tried again in ${left(phase.until, now)}`;
    case 'failed':
      return whatFailed(instance.id, phase.why);
    case 'spawning':
    case 'exited':
      return '';
  }
}

const CANNOT_START = 'cannot start: ';

/** What cannot be started is named within its sentence, wherever that is read. */
const whatFailed = (id: InstanceId, why: string): string =>
  why.startsWith(CANNOT_START) ? `cannot start ${id}: ${why.slice(CANNOT_START.length)}` : why;

/** The same as a sentence of its own. */
export const sentenceOfFailure = (id: InstanceId, why: string): string =>
  why.startsWith(CANNOT_START) ? whatFailed(id, why) : `${id} ${why}`;

/** What it waits for, and why that is not there. */
export function waitingMessage(what: Waiting, nextRun: Wall | null): string {
  if (what.kind === 'schedule') {
    return nextRun === null ? 'waits for its time' : `runs next at ${new Date(nextRun).toISOString()}`;
  }
  const { on, condition, why, hopeless } = what;
  const wanted = { started: 'to be started', ready: 'to be ready', completed: 'to have completed' };
  const text = `waits for ${on} ${wanted[condition]}: ${why}`;
  return hopeless ? `${text}; that will not change by itself` : text;
}

function startingMessage({ body, readyBy }: Of<'starting'>, now: Moment): string {
  const by = readyBy === null ? '' : `, ${left(readyBy, now)} left`;
  switch (body.life.program.ready.when) {
    case 'notify':
      return `waits for READY=1${by}`;
    case 'log':
      return `waits for the line of output that says that it is ready${by}`;
    case 'check':
      return `waits for its ready check${by}`;
    case 'spawned':
      return '';
  }
}

/** What is not as it should be although it works. */
function troubles({ health, worn, body }: Of<'running'>, lack: Lack | null): string[] {
  const { maxMemory, maxAgeMs } = body.life.program;
  const said: string[] = [];
  if (health.ok === false) said.push(`unhealthy: ${health.why}`);
  if (lack !== null) said.push(`works without ${lack.on}, which it depends on: ${lack.why}`);
  if (worn === 'memory') {
    const limit = maxMemory === null ? '' : ` of ${megabytes(maxMemory.bytes)}`;
    said.push(`above its max_memory${limit}, is replaced when its turn comes`);
  }
  if (worn === 'age') {
    const limit = maxAgeMs === null ? '' : ` of ${formatDuration(maxAgeMs)}`;
    said.push(`past its max_age${limit}, is replaced when its turn comes`);
  }
  return said;
}

const megabytes = (bytes: number): string => `${Math.round(bytes / 1024 / 102.4) / 10}MB`;

function drainingMessage(id: InstanceId, phase: Of<'draining'>, said: string): string {
  if (!phase.asked) return 'its pre_drain hook runs';
  const own = said === '' ? '' : `${said}; `;
  // It has none any more: who comes back to it later has to know what ends it.
  if (phase.overdue) return `${own}past its deadline; "tsup-visor signal TERM ${id}" ends its jobs`;
  // Never without a word: who waits for it has to know that nothing will end the wait.
  const limit = phase.deadline === null ? 'no deadline' : '';
  if (phase.ending.exit !== null) {
    const text = 'its main process has ended, its job processes go on';
    return limit === '' ? text : `${text}; ${limit}`;
  }
  if (phase.asked === 'perhaps') return `${own}${perhaps(id, phase)}`;
  if (limit === '') return said;
  return said === '' ? 'draining, no deadline' : `${own}${limit}`;
}

/** A second signal may cut its jobs: whether it is to be sent before its time is over, somebody has to decide. */
function perhaps(id: InstanceId, { body, deadline }: Of<'draining'>): string {
  const next =
    deadline === null
      ? `no deadline; "tsup-visor signal ${body.life.program.drain.signal} ${id}" asks it again`
      : 'is asked again when its time is over';
  return `may not have been asked to drain, since the last daemon died in the act; ${next}`;
}

const left = (deadline: Mono, now: Moment): string => formatDuration(Math.max(0, deadline - now.mono));
