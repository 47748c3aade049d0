/** Durations as people write them: `250ms`, `10s`, `5m`, `1h`. */
import { fail, ok, type Result } from './result.ts';

const UNITS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
const PATTERN = /^(?:\d+(?:\.\d+)?(?:ms|s|m|h|d))+$/;

/** Milliseconds, or a sentence that says what is expected. `1h30m` adds up. */
export function parseDuration(text: string): Result<number, string> {
  if (!PATTERN.test(text)) return fail(`"${text}" is not a duration; write for example 250ms, 10s, 5m or 1h`);
  let total = 0;
  for (const [, amount, unit] of text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h|d)/g)) {
    total += Number(amount) * UNITS[unit as keyof typeof UNITS]; // the pattern admits no other unit
  }
  return ok(Math.round(total));
}

/** The shortest exact form, in at most two units from a second up: `1m30s`, `250ms`, `41s`. */
export function formatDuration(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)}ms`;
  const parts: string[] = [];
  let rest = ms < 10_000 ? Math.round(ms / 100) * 100 : Math.round(ms / 1000) * 1000;
  for (const unit of ['d', 'h', 'm'] as const) {
    const count = Math.floor(rest / UNITS[unit]);
    if (count > 0) parts.push(`${count}${unit}`);
    rest -= count * UNITS[unit];
  }
  if (rest > 0 || parts.length === 0) parts.push(`${rest / 1000}s`);
  return parts.slice(0, 2).join('');
}
