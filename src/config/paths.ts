/** The shape of paths: absolute in the plan, relative to the config file where they are written. */
import { realpathSync } from 'node:fs';
import { resolve } from 'node:path';
import { fail, ok, type Result } from '../base/result.ts';
import { type Refusal, scalar } from './scalar.ts';
import type { Reading, Shape } from './shape.ts';
import { withoutVariables } from './variables.ts';

/** Made absolute, from the folder of the config file. */
export const path = (templates = false): Shape<string> =>
  scalar<string>({ expects: 'a path', templates, parse: parsePath, show: withoutVariables });

/**
 * A folder, by its own name: what a symbolic link leads to now. So a revision names one release and not `current`, is
 * another one when the link is swapped, and goes back to the very folder that it had. With `{{…}}` it stays as written:
 * each instance has its own.
 */
export const folder: Shape<string> = scalar<string>({
  expects: 'a path',
  templates: true,
  parse(found, reading) {
    const parsed = parsePath(found, reading);
    return parsed.ok && !parsed.value.includes('{{') ? ok(followed(parsed.value)) : parsed;
  },
  show: withoutVariables,
});

/** What is not there yet, or may not be looked at, is left as it is: it is found missing when it is needed. */
function followed(path: string): string {
  try {
    return realpathSync.native(path);
  } catch {
    return path;
  }
}

export function parsePath(found: string, reading: Reading): Result<string, Refusal> {
  if (found === '') return fail({ message: 'is empty; it must be a path' });
  if (/^~(?:\/|$)/.test(found)) {
    return fail({ message: `does not know "~"; write \${HOME}${found.slice(1)}` });
  }
  return ok(resolve(reading.folder, found));
}
