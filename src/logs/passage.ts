/** What became of lines that were on their way into a log when a daemon died. */
import { closeSync, ftruncateSync, openSync, statSync } from 'node:fs';
import type { Passage } from './spool.ts';

/**
 * Whether all of them are there. If not, none is when this returns: they can be written again. Where the log itself is
 * gone they are; whoever has removed it, or cut it short, since then has removed nothing but what was there before.
 */
export function hasArrived(path: string, passage: Passage): boolean {
  const place = [path, `${path}.1`].find((candidate) => isIt(candidate, passage));
  if (place === undefined) return false;
  const { size } = statSync(place);
  if (size >= passage.size + passage.length) return true;
  if (size > passage.size) cutTo(place, passage.size);
  return false;
}

/** What is behind that is the beginning of something that is to be written again. */
function cutTo(path: string, size: number): void {
  const descriptor = openSync(path, 'r+');
  try {
    ftruncateSync(descriptor, size);
  } finally {
    closeSync(descriptor);
  }
}

function isIt(path: string, { dev, ino }: Passage): boolean {
  const stats = statSync(path, { throwIfNoEntry: false });
  return stats?.isFile() === true && stats.dev === dev && stats.ino === ino;
}
