/** What people say of their own accord, such as why they ask: kept as one line, as each happening of a log is one. */

/** Null where nothing is said. */
export function inOneLine(words: string | undefined): string | null {
  const line = words?.replace(/[\s\p{Cc}]+/gu, ' ').trim() ?? '';
  return line === '' ? null : line;
}
