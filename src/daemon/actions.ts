/** What is asked of instances at once: start, stop, restart, signal. */
import { constants } from 'node:os';
import type { InstanceId } from '../base/ids.ts';
import { SIGNAL_NAMES, type SignalName, signalName } from '../base/signal-name.ts';
import type { Instance } from '../core/instance/instance.ts';
import type { ActionOutcome, ActionReply } from '../protocol/replies.ts';
import type { Checked } from '../protocol/requests.ts';
import {
  type ApiParts,
  actionReply,
  answerFor,
  instancesOf,
  outlookOf,
  programsOf,
  refuseConflicts,
  refuseWhenEnding,
  selectIds,
  selectStaying,
} from './api-parts.ts';
import { stateOf } from './describe.ts';
import { missing } from './lacks.ts';
import { gone, judgeRestart, judgeStart, judgeStop } from './outcome.ts';
import { Refused } from './refuse.ts';
import { type Taken, takeConfig } from './reload.ts';

export async function start(
  parts: ApiParts,
  { selectors, wait }: Checked<'start'>,
  left: AbortSignal,
): Promise<ActionReply> {
  refuseWhenEnding(parts);
  const { fleet, post } = parts;
  const isNamed = selectors.length > 0;
  const leftStopped = isNamed ? [] : stoppedByOperator(parts);
  const named = isNamed ? selectStaying(parts, selectors) : startedByDefault(parts);
  // What has run to completion is run again by whoever names it, and not by the way.
  const isDone = ({ phase }: Instance): boolean => !isNamed && phase.kind === 'exited';
  const [done, due] = [idsOf(parts, named, isDone), idsOf(parts, named, (seat) => !isDone(seat))];
  const before = new Set([...done, ...idsOf(parts, due, isStarted)]);
  const down = [...fleet.instances.values()].filter(isUnwanted).map(({ id }) => id);
  post({ type: 'start', ids: due, because: isNamed ? 'operator' : 'start' });
  // What they depend on comes with them.
  const pulled = down.filter((id) => fleet.instances.get(id)?.wish.want === 'up' && !named.includes(id));
  const judge = wait ? judgeStart(outlookOf(parts), before) : null;
  const instances = instancesOf(parts, [...pulled, ...named]);
  return answerFor(parts, instances, { judge, left, more: { left_stopped: leftStopped } });
}

const idsOf = (
  parts: ApiParts,
  ids: readonly InstanceId[],
  isMeant: (instance: Instance) => boolean,
): InstanceId[] =>
  instancesOf(parts, ids)
    .filter(isMeant)
    .map(({ id }) => id);

export async function stop(
  parts: ApiParts,
  { selectors, now, wait }: Checked<'stop'>,
  left: AbortSignal,
): Promise<ActionReply> {
  const instances = instancesOf(parts, selectIds(parts, selectors));
  const before = new Set(instances.filter(({ phase }) => phase.kind === 'stopped').map(({ id }) => id));
  parts.post({ type: 'stop', ids: instances.map(({ id }) => id), how: now ? 'now' : 'drain' });
  const remarks = missing(parts.fleet, [...new Set(instances.map(({ program }) => program.name))]);
  // As they are now; one that is not there any more has ended for good.
  const rest = instances.filter(({ id }) => parts.fleet.instances.has(id));
  const reply = await answerFor(
    parts,
    instancesOf(
      parts,
      rest.map(({ id }) => id),
    ),
    {
      judge: wait ? judgeStop(before) : null,
      left,
      removed: gone,
    },
  );
  const vanished = instances.filter((instance) => !rest.includes(instance)).map(({ id }) => gone(id));
  const more = remarks.length === 0 ? {} : { remarks };
  return { ...reply, ...more, instances: [...reply.instances, ...vanished] };
}

export async function restart(
  parts: ApiParts,
  body: Checked<'restart'>,
  left: AbortSignal,
): Promise<ActionReply> {
  refuseWhenEnding(parts);
  const ids = selectStaying(parts, body.selectors);
  const names = programsOf(parts, ids);
  refuseConflicts(parts, names);
  // Each as it runs now: not all instances need have the same plan.
  const { programs, changes } = body.keep_config ? UNCHANGED : takeConfig(parts.plan(), names, parts.world);
  const oldRuns = new Map(instancesOf(parts, ids).map(({ id, lastRun }) => [id, lastRun]));
  parts.adopt(programs);
  parts.post({ type: 'restart', ids, programs });
  const judge = body.wait ? judgeRestart(outlookOf(parts), oldRuns) : null;
  return answerFor(parts, instancesOf(parts, ids), { judge, left, more: { changes } });
}

const UNCHANGED: Taken = { programs: [], changes: [] };

export function signal(parts: ApiParts, body: Checked<'signal'>): ActionReply {
  const name = signalNamed(body.signal);
  const { tree } = body;
  const instances = instancesOf(parts, selectIds(parts, body.selectors));
  const reached = instances.filter((instance) => canHear(instance, tree));
  parts.post({ type: 'signal', ids: reached.map(({ id }) => id), signal: name, tree });
  return actionReply(
    instances.map((instance): ActionOutcome => {
      const { id } = instance;
      const ok = reached.includes(instance);
      const sent = tree ? `all processes of ${id} were sent ${name}` : `${id} was sent ${name}`;
      const message = ok ? sent : `${id} is not running: it is ${stateOf(instance)}`;
      return { id, state: stateOf(instance), ok, already: false, message };
    }),
  );
}

/** By its name, with or without SIG, or by its number. */
function signalNamed(text: string): SignalName {
  const numbers: Readonly<Record<string, number>> = constants.signals;
  const name = /^\d+$/.test(text)
    ? SIGNAL_NAMES.find((candidate) => numbers[`SIG${candidate}`] === Number(text))
    : signalName(text);
  if (name !== undefined) return name;
  throw new Refused(
    'bad_request',
    `there is no signal "${text}"`,
    `the signals are: ${SIGNAL_NAMES.join(', ')}`,
  );
}

/** Whether there is a process of it that the signal is for. */
function canHear({ phase }: Instance, tree: boolean): boolean {
  if (!('body' in phase)) return false;
  return tree || !('ending' in phase) || phase.ending.exit === null;
}

/** There is nothing left for a start to do. */
const isStarted = ({ phase }: Instance): boolean =>
  phase.kind === 'running' || (phase.kind === 'waiting' && phase.what.kind === 'schedule');

function startedByDefault({ fleet }: ApiParts): InstanceId[] {
  return [...fleet.instances.values()]
    .filter(({ program, leaving, wish }) => program.autostart && !leaving && !isStoppedByOperator(wish))
    .map(({ id }) => id);
}

function stoppedByOperator({ fleet }: ApiParts): InstanceId[] {
  return [...fleet.instances.values()]
    .filter(({ program, wish }) => program.autostart && isStoppedByOperator(wish))
    .map(({ id }) => id);
}

const isUnwanted = ({ wish }: Instance): boolean => wish.want === 'down';

const isStoppedByOperator = (wish: Instance['wish']): boolean =>
  wish.want === 'down' && wish.because === 'operator';
