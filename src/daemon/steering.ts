/** Rollouts that are steered on the wire: paused, resumed, promoted, aborted, taken back. */
import { type InstanceId, type ProgramName, rolloutId } from '../base/ids.ts';
import { stayingOf } from '../core/fleet/fleet.ts';
import type { PastPlan } from '../core/fleet/revisions.ts';
import { backOf } from '../core/fleet/view.ts';
import { lifeOf } from '../core/instance/phase.ts';
import type { ProgramPlan } from '../core/plan.ts';
import type { Rollout } from '../core/rollout/rollout.ts';
import type { RevisionsReply, RolloutReply } from '../protocol/replies.ts';
import type { Checked } from '../protocol/requests.ts';
import type { RolloutStatus } from '../protocol/status.ts';
import { PROTOCOL_VERSION as version } from '../protocol/version.ts';
import { type ApiParts, refuseConflicts, refuseWhenEnding } from './api-parts.ts';
import { dateText } from './describe.ts';
import { Refused } from './refuse.ts';
import { refuseLooseEnds } from './reload.ts';
import { rollOf } from './rolling.ts';
import { beginRollout, findRollout, isWanted } from './rollouts.ts';
import { inOneLine } from './words.ts';

export type Steering = 'pause' | 'resume' | 'promote' | 'abort';

/** `by`: the user who asks. */
export function steerRollout(
  parts: ApiParts,
  key: string,
  command: Steering,
  by: string | null,
  reason?: string,
): RolloutReply {
  const { rollout } = findRollout(parts, key);
  const own = underWay(parts, rollout);
  if (own === undefined) throw new Refused('conflict', `${nameOf(rollout)} is over: ${rollout.state}`);
  if (command === 'promote') refuseUnheld(own, rollout);
  const already = command === 'pause' ? 'paused' : command === 'resume' ? 'running' : null;
  if (rollout.state !== already) {
    const words = inOneLine(reason);
    parts.post({ type: 'steer_rollout', id: own.id, command, by, ...(words === null ? {} : { words }) });
  }
  return findRollout(parts, String(rollout.id));
}

/** One that is under way goes back by itself; of one that is over the work is undone by a rollout of its own. */
export function revertRollout(
  parts: ApiParts,
  key: string,
  { reason }: Checked<'revertRollout'>,
  by: string | null,
): RolloutReply {
  refuseWhenEnding(parts);
  const { rollout } = findRollout(parts, key);
  const own = underWay(parts, rollout);
  const words = inOneLine(reason);
  if (own === undefined) return undo(parts, rollout, { by, words });
  if (own.reverting !== null) throw new Refused('conflict', `${nameOf(rollout)} is being reverted already`);
  const hint = `abort it instead: "tsup-visor rollout abort ${rollout.id}"`;
  refuseSame(rollout, hint);
  if (backOf(parts.fleet, own) === null) throw nothingWhole(rollout, hint);
  const why = words === null ? {} : { words };
  parts.post({ type: 'steer_rollout', id: own.id, command: 'revert', by, ...why });
  return findRollout(parts, String(rollout.id));
}

const underWay = ({ fleet }: ApiParts, { id, state }: RolloutStatus): Rollout | undefined =>
  state === 'running' || state === 'paused'
    ? [...fleet.rollouts.values()].find((rollout) => rollout.id === id)
    : undefined;

const nameOf = ({ id, program }: RolloutStatus): string => `rollout ${id} of ${program}`;

function refuseUnheld({ canary }: Rollout, status: RolloutStatus): void {
  if (canary.kind === 'held') return;
  const why = {
    none: 'it has no canary',
    first: 'its canary is still under way',
    promoted: 'it was promoted already',
  }[canary.kind];
  throw new Refused('conflict', `${nameOf(status)} is not held: ${why}`, 'see "tsup-visor rollout status"');
}

const nothingWhole = (rollout: RolloutStatus, hint: string): Refused =>
  new Refused(
    'conflict',
    `cannot revert ${nameOf(rollout)}: no other revision of ${rollout.program} is known to have been whole`,
    hint,
  );

/** An older config would not bring back what has changed. */
function refuseSame(rollout: RolloutStatus, hint: string): void {
  if (rollout.from_revision !== rollout.revision) return;
  throw new Refused(
    'conflict',
    `cannot revert ${nameOf(rollout)}: it has changed nothing of the config, and code on disk is not ours to bring back`,
    hint,
  );
}

function undo(
  parts: ApiParts,
  rollout: RolloutStatus,
  who: { readonly by: string | null; readonly words: string | null },
): RolloutReply {
  const running = parts.plan().programs.find(({ name }) => name === rollout.program);
  if (running === undefined) {
    throw new Refused(
      'conflict',
      `cannot revert ${nameOf(rollout)}: the config has ${rollout.program} no more`,
    );
  }
  refuseConflicts(parts, [running.name]);
  if (rollout.state === 'reverted') throw new Refused('conflict', `${nameOf(rollout)} was reverted already`);
  const hint = `put the old one back yourself, then "tsup-visor rolling-restart ${running.name}"`;
  refuseSame(rollout, hint);
  const whole = wholeBefore(pastOf(parts, running.name), rollout);
  if (whole === null) throw nothingWhole(rollout, hint);
  // How many there are, and whether they start by themselves, is no part of a revision.
  const program: ProgramPlan = { ...whole, instances: running.instances, autostart: running.autostart };
  const ids = notYet(parts, program);
  if (ids.length === 0) {
    throw new Refused(
      'conflict',
      `cannot revert ${nameOf(rollout)}: ${program.name} has what it had before it`,
    );
  }
  refuseLooseEnds(parts.plan(), [program]);
  return begin(parts, program, ids, rollout, who);
}

/** What it had before, or else the last one that was whole. */
function wholeBefore(past: readonly PastPlan[], rollout: RolloutStatus): ProgramPlan | null {
  const whole = past.filter((entry) => entry.whole && entry.plan.revision !== rollout.revision);
  const before = whole.find(({ plan }) => plan.revision === rollout.from_revision);
  return (before ?? whole.at(-1))?.plan ?? null;
}

const pastOf = ({ fleet }: ApiParts, name: ProgramName): readonly PastPlan[] =>
  fleet.revisions.get(name) ?? [];

/** Those that do not run with it. */
const notYet = ({ fleet }: ApiParts, { name, revision }: ProgramPlan): InstanceId[] =>
  stayingOf(fleet, name)
    .filter(({ phase, program }) => (lifeOf(phase)?.program ?? program).revision !== revision)
    .map(({ id }) => id);

function begin(
  parts: ApiParts,
  program: ProgramPlan,
  ids: readonly InstanceId[],
  rollout: RolloutStatus,
  who: { readonly by: string | null; readonly words: string | null },
): RolloutReply {
  const { history, fleet, clock, goBackTo } = parts;
  const roll = rollOf(parts, program, ids);
  if (!roll.seats.some(isWanted)) {
    throw new Refused('conflict', `cannot revert ${nameOf(rollout)}: ${program.name} is stopped`);
  }
  goBackTo(program);
  const cause = { kind: 'revert', ...who, of: rolloutId(rollout.id) } as const;
  // Whoever goes back has seen enough: the gates stay, but nothing is tried out first.
  const begun = beginRollout(parts, { ...roll, canary: 0, surge: 0 }, { cause, after: null, replace: false });
  if (begun === undefined) throw new Refused('conflict', `cannot revert ${nameOf(rollout)} now`);
  return { version, rollout: history.describe(begun, fleet, clock.now()) };
}

export function listRevisions({ fleet, plan }: ApiParts, query: URLSearchParams): RevisionsReply {
  const { programs } = plan();
  const wanted = query.getAll('program');
  const unknown = wanted.find((name) => !programs.some((program) => program.name === name));
  if (unknown !== undefined) {
    const names = programs.map(({ name }) => name).join(', ');
    throw new Refused('no_match', `there is no program "${unknown}"`, `the programs are: ${names}`);
  }
  const chosen = programs.filter(({ name }) => wanted.length === 0 || wanted.includes(name));
  const revisions = chosen.flatMap(({ name }) => {
    const past = fleet.revisions.get(name) ?? [];
    const now = past.findLastIndex(({ plan: own }) => own.revision === fleet.programs.get(name)?.revision);
    return past.map(({ plan: own, at, whole }, place) => ({
      program: name,
      revision: own.revision,
      since: dateText(at),
      whole,
      current: place === now,
    }));
  });
  return { version, revisions };
}
