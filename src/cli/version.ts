/** The version of the package that this file was installed with. */
import { readFileSync } from 'node:fs';

/** From the bundle, from a chunk of it, or from the source: the first package.json above is ours. */
export function version(): string {
  for (const up of ['../package.json', '../../package.json']) {
    try {
      const found: unknown = JSON.parse(readFileSync(new URL(up, import.meta.url), 'utf8'));
      if (typeof found === 'object' && found !== null && 'version' in found) return String(found.version);
    } catch {
      // Not there: one folder further up.
    }
  }
  return 'unknown';
}
