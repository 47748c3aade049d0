/** The shape of paths: absolute in the plan, relative to the config file where they are written. */
import { resolve } from 'node:path';
import { fail, ok, type Result } from '../base/result.ts';
import { type Refusal, scalar } from './scalar.ts';
import type { Reading, Shape } from './shape.ts';
import { withoutVariables } from './variables.ts';

/** Made absolute, from the folder of the config file. */
export const path = (templates = false): Shape<string> =>
  scalar<string>({ expects: 'a path', templates, parse: parsePath, show: withoutVariables });

export function parsePath(found: string, reading: Reading): Result<string, Refusal> {
  if (found === '') return fail({ message: 'is empty; it must be a path' });
  if (/^~(?:\/|$)/.test(found)) {
    return fail({ message: `does not know "~"; write \${HOME}${found.slice(1)}` });
  }
  return ok(resolve(reading.folder, found));
}
