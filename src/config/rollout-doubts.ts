/** What is no mistake in how a program is to be rolled, but does nothing, or hardly what was meant. */
import type { ProgramPlan } from '../core/plan.ts';
import { writtenDuration } from './durations.ts';
import type { Complain, Span } from './mistake.ts';
import { atLeast, atMost } from './shares.ts';
import type { Entry, Tree } from './tree.ts';

/** Only what the program itself says is looked at: `defaults` are for others as well. */
export function doubtRollout(program: ProgramPlan, tree: Tree | undefined, doubt: Complain): void {
  const whole = ownEntry(tree, 'rollout');
  if (program.schedule !== null && whole !== undefined) {
    doubt(whole.key, 'a program with a schedule has no turns: each run takes the config as it is by then');
    return;
  }
  const keys = whole?.value;
  const tell = (key: string, sentence: string | undefined): void => {
    const entry = ownEntry(keys, key);
    if (entry !== undefined && sentence !== undefined) doubt(placeOf(entry), sentence);
  };
  tell('canary_hold', holdDoubt(program));
  tell('canary', canaryDoubt(program));
  tell('max_surge', surgeDoubt(program));
  tell('max_failures', failuresDoubt(program));
  tell('after_kill_hold', afterKillDoubt(program));
  const timeout = ownEntry(ownEntry(tree, 'drain')?.value, 'on_timeout');
  const sentence = onTimeoutDoubt(program);
  if (timeout !== undefined && sentence !== undefined) doubt(placeOf(timeout), sentence);
}

function ownEntry(tree: Tree | undefined, key: string): Entry | undefined {
  const entry = tree?.kind === 'map' ? tree.entries.get(key) : undefined;
  return entry?.inherited === false ? entry : undefined;
}

const placeOf = ({ key, value: { span } }: Entry): Span => (span.end > span.start ? span : key);

function holdDoubt({ rollout, instances }: ProgramPlan): string | undefined {
  if (rollout.canaryHoldMs === 0 || atLeast(rollout.canary, instances) > 0) return undefined;
  return 'nothing is held without a canary; write `canary: 1`, or say --canary 1 with each rolling restart';
}

function canaryDoubt({ rollout, instances }: ProgramPlan): string | undefined {
  if (rollout.canaryHoldMs === 0 || instances === 0) return undefined;
  if (atLeast(rollout.canary, instances) < instances) return undefined;
  return `the canary is all there is (instances: ${instances}): nothing is left to hold`;
}

function surgeDoubt({ rollout, instances, restart }: ProgramPlan): string | undefined {
  const extra = atLeast(rollout.maxSurge, instances);
  if (extra > 0 && restart === 'never')
    return 'what runs to completion (`restart: never`) has no extra instances';
  if (instances === 0 || extra <= instances) return undefined;
  return `so many extra instances are more than the program has (instances: ${instances})`;
}

function failuresDoubt({ rollout, instances }: ProgramPlan): string | undefined {
  if (instances === 0 || rollout.maxFailures < instances) return undefined;
  return `no failure ends a rolling restart when all may fail (instances: ${instances})`;
}

function afterKillDoubt({ rollout, drain }: ProgramPlan): string | undefined {
  if (rollout.afterKillHoldMs === 0 || drain.onTimeout === 'kill') return undefined;
  return `no drain ends in a kill here: \`drain: { on_timeout: ${drain.onTimeout} }\``;
}

function onTimeoutDoubt({ rollout, drain, instances }: ProgramPlan): string | undefined {
  if (drain.timeoutMs === null) return 'no drain is too long: `drain: { timeout: none }`';
  if (drain.onTimeout !== 'kill' || rollout.afterKillHoldMs > 0) return undefined;
  if (atMost(rollout.maxParallel, instances) >= instances) return undefined;
  const length = writtenDuration(drain.timeoutMs);
  return `a job that is killed, and tried again by an instance whose turn is still to come, may be killed again; \`rollout: { after_kill_hold: ${length} }\` gives it that long`;
}
