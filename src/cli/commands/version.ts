/** `version`: of the command; the daemon's own is in `status --json`. */
import { EXIT, type ExitCode } from '../../protocol/errors.ts';
import type { Context } from '../context.ts';
import { version as installed } from '../version.ts';

export async function version(context: Context): Promise<ExitCode> {
  if (context.json) context.printJson({ version: installed() });
  else context.print(`tsup-visor ${installed()}`);
  return EXIT.done;
}
