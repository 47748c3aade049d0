/** What the system said, in words. */
import { getSystemErrorMap } from 'node:util';

/** The name of a system error, such as `ENOENT`; empty for anything else. */
export function errorCode(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}

/** `permission denied`, `too many open files`…; the error's own message when the system knows no better. */
export function explain(error: unknown): string {
  const code = errorCode(error);
  for (const [name, text] of getSystemErrorMap().values()) if (name === code) return text;
  return error instanceof Error ? error.message : String(error);
}

/** The same for a bare errno value. */
export function explainErrno(errno: number): string {
  return getSystemErrorMap().get(-errno)?.[1] ?? `error ${errno}`;
}

/** An errno value as the error that Node would have thrown. */
export function systemError(errno: number): Error {
  const code = getSystemErrorMap().get(-errno)?.[0] ?? 'UNKNOWN';
  return Object.assign(new Error(explainErrno(errno)), { code });
}
