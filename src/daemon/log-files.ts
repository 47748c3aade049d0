/** Where an instance's output is, as the wire tells it. */
import type { InstanceId } from '../base/ids.ts';
import type { ProgramPlan } from '../core/plan.ts';
import type { LogPath } from '../ports/processes.ts';
import type { LogsReply } from '../protocol/replies.ts';

export function logFiles(
  id: InstanceId,
  program: ProgramPlan,
  logPath: LogPath,
): LogsReply['files'][number][] {
  const { stdout, stderr } = program.logs;
  const out = logPath(id, stdout, 'out');
  if (stderr === 'merge') return [{ instance: id, stream: 'merged', path: out }];
  return [
    { instance: id, stream: 'stdout', path: out },
    { instance: id, stream: 'stderr', path: logPath(id, stderr, 'err') },
  ];
}
