/** The rules about several keys of one map: combinations that cannot work. */
import type { BackoffPlan, LogsPlan, RolloutPlan } from '../core/plan.ts';
import { writtenDuration } from './durations.ts';
import type { Refine } from './maps.ts';
import { type Command, wordsOf } from './values.ts';

export const backoffRules: Refine<BackoffPlan> = ({ initialMs, maxMs }, where, reading) => {
  if (maxMs >= initialMs) return;
  const sentence = `backoff.max (${writtenDuration(maxMs)}) is less than backoff.initial (${writtenDuration(initialMs)})`;
  reading.complain(where('max', 'initial'), sentence);
};

export const rolloutRules: Refine<RolloutPlan> = (rollout, where, reading) => {
  const { healthyDeadlineMs: deadline, minHealthyTimeMs: least } = rollout;
  if (deadline === null || deadline > least) return;
  const sentence =
    `rollout.healthy_deadline (${writtenDuration(deadline)}) leaves no time for ` +
    `rollout.min_healthy_time (${writtenDuration(least)}); it must be longer`;
  reading.complain(where('healthy_deadline', 'min_healthy_time'), sentence);
};

export const logsRules: Refine<LogsPlan> = ({ stdout, stderr }, where, reading) => {
  if (stdout.kind !== 'file' || stderr === 'merge' || stderr.kind !== 'file') return;
  if (stdout.path !== stderr.path || stdout.path.startsWith('/dev/')) return;
  reading.complain(where('stderr', 'stdout'), 'stdout and stderr cannot share a file; write `stderr: merge`');
};

export const commandRules: Refine<{ readonly command: Command; readonly shell: boolean }> = (
  { command, shell },
  where,
  reading,
) => {
  const words = wordsOf(command, shell);
  if (!words.ok) reading.complain(where('command'), words.error);
};
