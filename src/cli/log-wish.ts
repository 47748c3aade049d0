/** Which lines somebody wants to see, from the options of `logs`. */
import { type LineFormat, wordsOf } from '../logs/read/format.ts';
import type { Sieve } from '../logs/read/scan.ts';
import type { Pattern } from '../logs/read/sieve.ts';
import { EXIT } from '../protocol/errors.ts';
import type { Source } from './log-sources.ts';
import { Refusal } from './refusal.ts';

/** A text, or an expression between slashes; as in `ready: { log: … }`. Throws a refusal. */
export function patternOf(text: string): Pattern {
  const [, source, flags] = /^\/(.+)\/([A-Za-z]*)$/.exec(text) ?? [];
  if (source === undefined || flags === undefined) return { kind: 'text', text };
  try {
    new RegExp(source, flags);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new Refusal(EXIT.usage, `cannot look for ${text}: ${why.toLowerCase()}`);
  }
  return { kind: 'regex', source, flags };
}

/** By what was said, and by which stream it was said on where one file has both. */
export async function sieveFor(
  { format, stream }: Source,
  pattern: Pattern | null,
  onlyStderr: boolean,
): Promise<Sieve | null> {
  const byStream = onlyStderr && stream === 'merged' && format === 'json' ? fromStderr : null;
  if (pattern === null) return byStream;
  const { both, createSieve } = await import('../logs/read/sieve.ts');
  return both(byStream, createSieve(pattern, wordsIn(format)));
}

const wordsIn =
  (format: LineFormat) =>
  (line: Buffer): Buffer =>
    wordsOf(line, format).text;

/** What does not say is shown. */
const fromStderr: Sieve = (lines) =>
  lines.map((line) => (wordsOf(line, 'json').stream ?? 'stderr') === 'stderr');
