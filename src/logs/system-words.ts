/** What the system said. */
import { getSystemErrorMap } from 'node:util';

/** The name of a system error, such as `ENOENT`; empty for anything else. */
export function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}

/** `no space left on device`, `permission denied`…; the error's own message when the system knows no better. */
export function wordsFor(error: unknown): string {
  const code = codeOf(error);
  for (const [name, text] of getSystemErrorMap().values()) if (name === code) return text;
  return error instanceof Error ? error.message : String(error);
}

/** An errno value as the error that Node would have thrown. */
export function errorOf(errno: number): Error {
  const [code, text] = getSystemErrorMap().get(-errno) ?? ['UNKNOWN', `error ${errno}`];
  return Object.assign(new Error(text), { code });
}
