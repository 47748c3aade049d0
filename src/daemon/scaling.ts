/** How many instances a program has, by the operator's word. */
import type { InstanceId, ProgramName } from '../base/ids.ts';
import { stayingOf } from '../core/fleet/fleet.ts';
import type { Instance } from '../core/instance/instance.ts';
import type { LogTarget, ProgramPlan } from '../core/plan.ts';
import type { ActionOutcome, ActionReply } from '../protocol/replies.ts';
import type { Checked } from '../protocol/requests.ts';
import {
  type ApiParts,
  actionReply,
  answerFor,
  instancesOf,
  outlookOf,
  refuseWhenEnding,
} from './api-parts.ts';
import { stateOf } from './describe.ts';
import { gone, judgeScale } from './outcome.ts';
import { Refused } from './refuse.ts';

export async function scale(
  parts: ApiParts,
  { counts, wait }: Checked<'scale'>,
  left: AbortSignal,
): Promise<ActionReply> {
  refuseWhenEnding(parts);
  const wanted = Object.entries(counts).map(([name, count]) => ({ program: programOf(parts, name), count }));
  for (const { program, count } of wanted) refuseSharedLog(program, count);
  const changes = wanted.map(({ program, count }) => scaleOne(parts, program, count));
  const added = changes.flatMap((change) => change.added);
  const removed = changes.flatMap((change) => change.removed);
  const vanished = removed.filter((id) => !parts.fleet.instances.has(id));
  const reply = await answerFor(parts, instancesOf(parts, [...added, ...removed]), {
    judge: wait ? judgeScale(outlookOf(parts), new Set(removed)) : null,
    left,
    removed: gone,
  });
  const already = changes.flatMap((change) => change.already);
  return actionReply([...already, ...reply.instances, ...vanished.map(gone)]);
}

interface Scaled {
  readonly added: readonly InstanceId[];
  readonly removed: readonly InstanceId[];
  readonly already: readonly ActionOutcome[];
}

function scaleOne({ fleet, post }: ApiParts, { name }: ProgramPlan, count: number): Scaled {
  const before = new Set(stayingOf(fleet, name).map(({ id }) => id));
  post({ type: 'scale', program: name, instances: count });
  const after = stayingOf(fleet, name);
  const stays = new Set(after.map(({ id }) => id));
  const added = after.filter(({ id }) => !before.has(id)).map(({ id }) => id);
  const removed = [...before].filter((id) => !stays.has(id));
  const isSame = added.length === 0 && removed.length === 0;
  return { added, removed, already: isSame ? [unchanged(name, after.at(-1))] : [] };
}

/** Said of the last one, for all. */
function unchanged(name: ProgramName, last: Instance | undefined): ActionOutcome {
  const said = { ok: true, already: true };
  if (last === undefined) {
    return { ...said, id: name, state: 'stopped', message: `${name} has no instances already` };
  }
  const count = last.index + 1;
  const message = `${name} has ${count === 1 ? 'one instance' : `${count} instances`} already`;
  return { ...said, id: last.id, state: stateOf(last), message };
}

function programOf({ plan }: ApiParts, name: string): ProgramPlan {
  const { programs } = plan();
  const found = programs.find((program) => program.name === name);
  if (found !== undefined) return found;
  const names = programs.map((program) => program.name).join(', ');
  throw new Refused('no_match', `there is no program "${name}"`, `the programs are: ${names}`);
}

/** Two that write and rotate one file take each other's lines away. */
function refuseSharedLog({ name, logs }: ProgramPlan, count: number): void {
  const targets = [logs.stdout, logs.stderr].filter((target) => target !== 'merge');
  const shared = count > 1 ? targets.find(isLiteral) : undefined;
  if (shared === undefined) return;
  throw new Refused(
    'bad_request',
    `the ${count} instances of ${name} cannot share the log file ${shared.path}`,
    'put {{index}} into its path, then "tsup-visor reload"',
  );
}

/** A device such as /dev/stderr is nobody's. */
const isLiteral = (target: LogTarget): target is Extract<LogTarget, { kind: 'file' }> =>
  target.kind === 'file' &&
  !target.path.startsWith('/dev/') &&
  !/\{\{\s*(index|instance)\s*\}\}/.test(target.path);
