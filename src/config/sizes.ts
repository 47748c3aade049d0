/** The shapes of sizes: `512B`, `64KB`, `50MB`, `1GB`, in powers of 1024, as supervisord has them. */
import { fail, ok, type Result } from '../base/result.ts';
import { type Refusal, scalar } from './scalar.ts';
import type { Shape } from './shape.ts';

const UNITS = { TB: 1024 ** 4, GB: 1024 ** 3, MB: 1024 ** 2, KB: 1024, B: 1 } as const;

/** From 1 byte up. */
export const size: Shape<number> = scalar<number>({
  expects: 'a size such as 800MB',
  parse: parseSize,
  show: writtenSize,
});

function parseSize(found: string): Result<number, Refusal> {
  const bytes = bytesOf(found);
  if (bytes === undefined) return fail(refusalOf(found));
  if (bytes < 1) return fail({ message: 'must be more than 0B' });
  return bytes <= Number.MAX_SAFE_INTEGER ? ok(bytes) : fail({ message: 'is larger than any memory' });
}

/** Undefined when it is no size; a part of a byte is rounded. */
export function bytesOf(text: string): number | undefined {
  const [, amount, unit] = /^(\d+(?:\.\d+)?)(TB|GB|MB|KB|B)$/.exec(text) ?? [];
  if (amount === undefined) return undefined;
  return Math.round(Number(amount) * UNITS[unit as keyof typeof UNITS]); // the pattern admits no other unit
}

/** `none` and the ways in which others write units are told apart, with what was probably meant. */
function refusalOf(found: string): Refusal {
  if (found === 'none') return { message: 'cannot be none: it needs a size such as 800MB' };
  const [, amount, letter = ''] = /^(\d+(?:\.\d+)?) ?(?:([kmgt])?i?b?)$/i.exec(found) ?? [];
  if (amount === undefined) return { message: `must be a size such as 800MB, not ${JSON.stringify(found)}` };
  if (/^\d+(?:\.\d+)?$/.test(found)) {
    const unit = Number(amount) < UNITS.MB ? 'MB' : 'B';
    return { message: 'is a size and needs a unit', suggestion: `${amount}${unit}` };
  }
  const message = `must be a size such as 800MB, not ${JSON.stringify(found)}`;
  return { message, suggestion: `${amount}${letter.toUpperCase()}B` };
}

/** In the largest unit that keeps it exact. */
export function writtenSize(bytes: number): string {
  for (const [unit, factor] of Object.entries(UNITS)) {
    if (bytes >= factor && bytes % factor === 0) return `${bytes / factor}${unit}`;
  }
  return `${bytes}B`;
}
