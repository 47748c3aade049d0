/** What has become of log files, as news: with the instance whose it is. */
import type { Fleet } from '../core/fleet/fleet.ts';
import type { LogChange } from '../logs/captures.ts';
import type { Clock } from '../ports/clock.ts';
import type { LogPath } from '../ports/processes.ts';
import { logFiles } from './log-files.ts';
import type { NewsDesk } from './news.ts';

export function tellOfLogs(
  news: Pick<NewsDesk, 'announce'>,
  clock: Clock,
  fleet: Pick<Fleet, 'instances'>,
  logPath: LogPath,
): (change: LogChange) => void {
  const whose = (path: string): string | null =>
    [...fleet.instances.values()].find(({ id, program }) =>
      logFiles(id, program, logPath).some((file) => file.path === path),
    )?.id ?? null;
  return ({ path, state, why, droppedBytes, sentence }) =>
    news.announce(
      { type: 'log', path, of: whose(path), state, why, dropped_bytes: droppedBytes, sentence },
      clock.now(),
    );
}
