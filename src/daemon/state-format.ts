/** Which version of the journal's records this is: so that a daemon which knows less of them can say so. */
import type { Journal } from './journal.ts';

/** Raised when an older version would misread, or lose, what a newer one writes. */
const STATE_FORMAT = 1;
const KEY = 'format';

/** A sentence where a newer version has written them; null: they can be read. */
export function newerThanKnown(journal: Journal): string | null {
  const written = journal.get(KEY, (value) => (typeof value === 'number' ? value : null)) ?? 0;
  if (written <= STATE_FORMAT) return null;
  return `the state was written in format ${written}, by a newer version, and this one knows it up to ${STATE_FORMAT}`;
}

/** What is written from now on is in this one. `warn`: where it was another. */
export function markFormat(journal: Journal, warn: (text: string) => void): void {
  const newer = newerThanKnown(journal);
  if (newer !== null) warn(`${newer}: what it cannot read is passed over`);
  journal.put(KEY, STATE_FORMAT);
}
