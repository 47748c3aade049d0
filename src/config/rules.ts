/** The rules about several keys of one map: combinations that cannot work. */
import type { BackoffPlan, LogsPlan, ProgramPlan, RolloutPlan } from '../core/plan.ts';
import { writtenDuration } from './durations.ts';
import type { Refine } from './maps.ts';
import { writtenSize } from './sizes.ts';
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

export const logsRules: Refine<LogsPlan> = (logs, where, reading) => {
  const { stdout, stderr, format, timestamps } = logs;
  if (format === 'json' && timestamps)
    reading.complain(
      where('timestamps'),
      '`format: json` has the time of each line in it; leave `timestamps` out',
    );
  if (stdout.kind !== 'file' || stderr === 'merge' || stderr.kind !== 'file') return;
  if (stdout.path !== stderr.path || stdout.path.startsWith('/dev/')) return;
  reading.complain(where('stderr', 'stdout'), 'stdout and stderr cannot share a file; write `stderr: merge`');
};

type Program = Omit<ProgramPlan, 'name' | 'revision' | 'command' | 'restart'> & {
  readonly command: Command;
  readonly shell: boolean;
  readonly restart: ProgramPlan['restart'] | null;
};

export const programRules: Refine<Program> = (program, where, reading) => {
  const words = wordsOf(program.command, program.shell);
  if (!words.ok) reading.complain(where('command'), words.error);
  if (program.schedule !== null && program.restart === 'always') {
    const sentence =
      '`restart: always` does not go with a schedule: each run is to end; write on_failure or never';
    reading.complain(where('restart'), sentence);
  }
  if (program.ready.when === 'log' && !isAnyRead(program.logs)) {
    const sentence = 'ready cannot wait for a line of output: neither stdout nor stderr goes to a file';
    reading.complain(where('ready'), sentence);
  }
  const { maxMemory, limits } = program;
  if (maxMemory !== null && limits.memoryMax !== null && maxMemory.bytes >= limits.memoryMax) {
    const sentence =
      `max_memory (${writtenSize(maxMemory.bytes)}) is not below limits.memory_max ` +
      `(${writtenSize(limits.memoryMax)}): the kernel would end it before it could be drained`;
    reading.complain(where('max_memory'), sentence);
  }
};

/** Whether there is a file in which lines can be looked for. */
function isAnyRead({ stdout, stderr }: LogsPlan): boolean {
  return [stdout, stderr].some((target) => {
    if (target === 'merge' || target.kind === 'none' || target.kind === 'inherit') return false;
    return target.kind === 'default' || !target.path.startsWith('/dev/');
  });
}
