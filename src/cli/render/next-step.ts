/** What to do about a rollout: the commands that lead on from where it is. */
import type { RolloutStatus } from '../../protocol/status.ts';

/** Undefined where there is nothing to do. */
export function nextStep(rollout: RolloutStatus): string | undefined {
  switch (rollout.state) {
    case 'running':
      return rollout.canary?.state === 'held' ? afterCanary(rollout) : undefined;
    case 'paused':
      return afterPause(rollout);
    case 'succeeded':
      return afterSuccess(rollout);
    case 'failed':
    case 'aborted':
      return afterEnd(rollout);
    case 'reverted':
      return afterRevert(rollout);
  }
}

const afterCanary = (rollout: RolloutStatus): string =>
  `go on with "tsup-visor rollout promote ${rollout.id}", or ${back(rollout) ?? `end it here with "tsup-visor rollout abort ${rollout.id}"`}`;

/** Undefined where that would be refused: it goes back already, or code on disk is all that has changed. */
const back = ({ id, reverting, from_revision, revision }: RolloutStatus): string | undefined =>
  (reverting ?? null) !== null || from_revision === revision
    ? undefined
    : `go back with "tsup-visor rollout revert ${id}"`;

function afterSuccess({ turns }: RolloutStatus): string | undefined {
  const failed = turns.find(({ step }) => step === 'failed');
  return failed === undefined ? undefined : `see "tsup-visor logs ${failed.instance}"`;
}

function afterPause(rollout: RolloutStatus): string {
  const { id, turns, program } = rollout;
  const blocker = blockerOf(rollout);
  const resume = `"tsup-visor rollout resume ${id}"`;
  const abort = `"tsup-visor rollout abort ${id}"`;
  const way = back(rollout);
  const leave = `${way === undefined ? '' : `${way}, `}or leave it as it is with ${abort}`;
  if (blocker === null) return `go on with ${resume}, ${leave}`;
  const { name, is } = blocker;
  if (is === 'draining') {
    return `wait once more as long with ${resume}, end its jobs with "tsup-visor signal --tree KILL ${name}", ${leave}`;
  }
  // The obvious thing to do, mending the config and going on, does not help: a rollout keeps the one it began with.
  if (turns.some(({ instance, step }) => step === 'failed' && instance === name)) {
    return `see "tsup-visor logs ${name}"; try the same again with ${resume}, take a mended config with "tsup-visor rolling-restart ${program} --replace", ${leave}`;
  }
  const look = is === 'failed' ? `see "tsup-visor logs ${name}"; ` : '';
  return `${look}start it with "tsup-visor start ${name}", then go on with ${resume}, ${leave}`;
}

/** Whoever has drained since is in nobody's way any more. */
function blockerOf({ blocker, turns }: RolloutStatus): RolloutStatus['blocker'] {
  if (blocker?.is !== 'draining') return blocker;
  const step = turns.find(({ instance }) => instance === blocker.name)?.step;
  return step === 'draining' || step === 'leaving' ? blocker : null;
}

function afterEnd(rollout: RolloutStatus): string {
  const { program, state, done, total, reason } = rollout;
  const blocker = blockerOf(rollout);
  const successor = /\breplaced by rollout (\d+)/.exec(reason ?? '')?.[1];
  if (successor !== undefined) return `that one is waited for with "tsup-visor rollout wait ${successor}"`;
  if (state === 'aborted' && blocker?.is === 'draining') {
    // Long after this, it may be a run that has nothing to do with it: nothing is named that would cut its jobs.
    return `${blocker.name} drains on without a deadline; "tsup-visor restart ${blocker.name}" gives it one`;
  }
  const look = state === 'failed' ? `see ${failedOne(rollout)}; ` : '';
  const rest = `"tsup-visor rolling-restart ${program}"`;
  const way = back(rollout);
  const ways = [
    ...(done < total ? [`take the others as well with ${rest}`] : []),
    ...(way === undefined ? [] : [way]),
  ];
  return `${look}${done === 0 || ways.length === 0 ? `begin anew with ${rest}` : ways.join(', or ')}`;
}

/** Its turns have gone back since, and tell of that; who failed is named by the reason alone. */
function afterRevert({ program, reverting, reason, turns }: RolloutStatus): string {
  const why = reverting ?? reason ?? '';
  const named = turns.map(({ instance }) => instance).filter((instance) => why.includes(instance));
  // The longest: worker:1 is in worker:12, too.
  const one = named.sort((a, b) => b.length - a.length)[0];
  const look = one === undefined ? '' : `see "tsup-visor logs ${one}"; once it is mended, `;
  return `${look}begin anew with "tsup-visor rolling-restart ${program}"`;
}

/** Where it is told what went wrong: the log of what failed first, or else each turn. */
function failedOne({ id, turns }: RolloutStatus): string {
  const failed = turns.find(({ step }) => step === 'failed');
  return failed === undefined ? `"tsup-visor rollout history ${id}"` : `"tsup-visor logs ${failed.instance}"`;
}
