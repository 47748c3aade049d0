/** What to do about a rollout: the commands that lead on from where it is, one a line. */
import type { RolloutStatus } from '../../protocol/status.ts';

/** None where there is nothing to do. */
export function nextSteps(rollout: RolloutStatus): string[] {
  switch (rollout.state) {
    case 'running':
      return rollout.canary?.state === 'held' ? afterCanary(rollout) : [];
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

function afterCanary(rollout: RolloutStatus): string[] {
  const { id } = rollout;
  const ways = back(rollout);
  return [
    `go on with "tsup-visor rollout promote ${id}"`,
    ...(ways.length > 0 ? ways : [`end it here with "tsup-visor rollout abort ${id}"`]),
  ];
}

/** None where that would be refused: it goes back already, or code on disk is all that has changed. */
const back = ({ id, reverting, cause, from_revision, revision }: RolloutStatus): string[] =>
  (reverting ?? null) !== null || cause.kind === 'revert' || from_revision === revision
    ? []
    : [`go back with "tsup-visor rollout revert ${id}"`];

const see = (instance: string): string => `see "tsup-visor logs ${instance}"`;

function afterSuccess({ turns }: RolloutStatus): string[] {
  const failed = turns.find(({ step }) => step === 'failed');
  return failed === undefined ? [] : [see(failed.instance)];
}

const afterPause = (rollout: RolloutStatus): string[] => [
  ...onwards(rollout),
  ...back(rollout),
  `leave it as it is with "tsup-visor rollout abort ${rollout.id}"`,
];

function onwards(rollout: RolloutStatus): string[] {
  const { id, turns, program } = rollout;
  const blocker = blockerOf(rollout);
  const resume = `"tsup-visor rollout resume ${id}"`;
  if (blocker === null) return [`go on with ${resume}`];
  const { name, is } = blocker;
  // A stop would leave it stopped, and out of the rollout: one less at work at each such pause.
  if (is === 'draining') {
    return [
      `wait once more as long with ${resume}`,
      `end its jobs with "tsup-visor signal TERM ${name}"`,
      `where that is not heeded, with "tsup-visor signal --tree KILL ${name}"`,
    ];
  }
  // The obvious thing to do, mending the config and going on, does not help: a rollout keeps the one it began with.
  if (turns.some(({ instance, step }) => step === 'failed' && instance === name)) {
    return [
      see(name),
      `try the same again with ${resume}`,
      `take a mended config with "tsup-visor rolling-restart ${program} --replace"`,
    ];
  }
  return [
    ...(is === 'failed' ? [see(name)] : []),
    `start it with "tsup-visor start ${name}"`,
    `then go on with ${resume}`,
  ];
}

/** Whoever has drained since is in nobody's way any more. */
function blockerOf({ blocker, turns }: RolloutStatus): RolloutStatus['blocker'] {
  if (blocker?.is !== 'draining') return blocker;
  const step = turns.find(({ instance }) => instance === blocker.name)?.step;
  return step === 'draining' || step === 'leaving' ? blocker : null;
}

/** Nothing that would end jobs: nobody looks after its turns any more, and whoever drained then may be at work by now. */
function afterEnd(rollout: RolloutStatus): string[] {
  const { program, state, done, total, reason } = rollout;
  const successor = /\breplaced by rollout (\d+)/.exec(reason ?? '')?.[1];
  if (successor !== undefined) return [`wait for that one with "tsup-visor rollout wait ${successor}"`];
  const again = `"tsup-visor rolling-restart ${program}"`;
  const ways = [...(done < total ? [`take the others as well with ${again}`] : []), ...back(rollout)];
  return [
    ...(state === 'failed' ? [failedOne(rollout)] : []),
    ...(done === 0 || ways.length === 0 ? [`begin anew with ${again}`] : ways),
  ];
}

/** Its turns have gone back since, and tell of that; who failed is named by the reason alone. */
function afterRevert({ program, reverting, reason, turns }: RolloutStatus): string[] {
  const why = reverting ?? reason ?? '';
  const named = turns.map(({ instance }) => instance).filter((instance) => why.includes(instance));
  // The longest: worker:1 is in worker:12, too.
  const one = named.sort((a, b) => b.length - a.length)[0];
  const again = `begin anew with "tsup-visor rolling-restart ${program}"`;
  return one === undefined ? [again] : [see(one), `once it is mended, ${again}`];
}

/** Where it is told what went wrong: the log of what failed first, or else each turn. */
function failedOne({ id, turns }: RolloutStatus): string {
  const failed = turns.find(({ step }) => step === 'failed');
  return failed === undefined ? `see "tsup-visor rollout history ${id}"` : see(failed.instance);
}
