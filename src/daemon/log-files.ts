/** Where an instance's output is, as the wire tells it. */
import { existsSync } from 'node:fs';
import { type InstanceId, instanceId } from '../base/ids.ts';
import type { ProgramPlan } from '../core/plan.ts';
import type { LogPath } from '../ports/processes.ts';
import type { LogsReply } from '../protocol/replies.ts';

export function logFiles(
  id: InstanceId,
  program: ProgramPlan,
  logPath: LogPath,
): LogsReply['files'][number][] {
  const { stdout, stderr, timestamps } = program.logs;
  const format = program.logs.format === 'raw' && timestamps ? 'timestamps' : program.logs.format;
  const out = logPath(id, stdout, 'out');
  if (stderr === 'merge') return [{ instance: id, stream: 'merged', path: out, format }];
  return [
    { instance: id, stream: 'stdout', path: out, format },
    { instance: id, stream: 'stderr', path: logPath(id, stderr, 'err'), format },
  ];
}

/**
 * What an instance has left that is there no more: one that was extra, or that was scaled away. Empty where there never
 * was such a file.
 */
export function filesLeftBy(
  selector: string,
  programs: readonly ProgramPlan[],
  logPath: LogPath,
): LogsReply['files'][number][] {
  const [, name, index] = /^(.+):(\d{1,6})$/.exec(selector) ?? [];
  const program = programs.find((candidate) => candidate.name === name);
  if (program === undefined || index === undefined) return [];
  const files = logFiles(instanceId(program.name, Number(index)), program, logPath);
  return files.filter(({ path }) => path !== null && existsSync(path));
}
