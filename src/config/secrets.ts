/** Which variables are not to be shown: by their names, and by a password in an address. */
import type { Written } from './tree.ts';

const NAMES = /pass(?:w|phrase|_|$)|pwd|secret|token|key|credential|auth|private|cookie|session|salt|dsn/i;
const ADDRESS_WITH_PASSWORD = /:\/\/[^/\s@:]*:[^/\s@]+@/;

/** `key`: `environment.DB_PASSWORD`. */
export function isSecret(key: string, value: Written): boolean {
  const [, name] = /^environment\.(.*)$/s.exec(key) ?? [];
  if (name === undefined) return false;
  return NAMES.test(name) || ADDRESS_WITH_PASSWORD.test(String(value));
}
