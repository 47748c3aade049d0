/** `rotate` and `reopen`: log files put aside now, or opened again because somebody else has put them aside. */
import type { Handled } from '../logs/captures.ts';
import type { LogFilesReply } from '../protocol/replies.ts';
import { PROTOCOL_VERSION as version } from '../protocol/version.ts';
import { type ApiParts, inPlanOrder, selectIds } from './api-parts.ts';
import { Refused } from './refuse.ts';

export type LogWish = 'rotate' | 'reopen';

/** None selected: all, and the daemon's own. */
export function handleLogs(parts: ApiParts, what: LogWish, selectors: readonly string[]): LogFilesReply {
  const ids = inPlanOrder(parts, selectIds(parts, selectors, 'all'));
  const handled = parts.output[what](ids);
  if (!handled.ok && selectors.length > 0) throw new Refused('conflict', handled.error);
  const own = selectors.length > 0 ? [] : [handleOwn(parts, what)];
  const files = [...(handled.ok ? handled.value : []), ...own].map((one) => told(one, what));
  const failed = handled.ok ? [] : [{ path: null, outcome: 'failed', message: handled.error } as const];
  return { version, files: [...failed, ...files] };
}

function handleOwn({ ownLog }: ApiParts, what: LogWish): Handled {
  const { path } = ownLog;
  if (what === 'rotate') {
    const outcome = ownLog.rotate();
    return { path, outcome, why: outcome === 'failed' ? ownLog.trouble : null };
  }
  ownLog.reopen();
  return { path, outcome: 'done', why: null };
}

const told = ({ path, outcome, why }: Handled, what: LogWish): LogFilesReply['files'][number] => ({
  path,
  outcome,
  message: why === null ? `${path} ${SAID[what][outcome]}` : `${path} ${SAID[what][outcome]}: ${why}`,
});

/** For a wish without an answer (SIGUSR2). */
export function reopenedText({ files }: LogFilesReply): string {
  const failed = files.flatMap(({ outcome, message }) => (outcome === 'failed' ? [`; ${message}`] : []));
  return `log files are opened anew at their paths${failed.join('')}`;
}

const SAID = {
  rotate: {
    done: 'is put aside',
    nothing: 'is empty, and stays',
    later: 'is put aside when the line that is being written has ended',
    failed: 'cannot be put aside',
  },
  reopen: {
    done: 'is opened anew',
    nothing: 'is opened when there is something to write',
    later: 'is opened anew when the disk has answered',
    failed: 'cannot be opened',
  },
} as const satisfies Record<LogWish, Record<Handled['outcome'], string>>;
