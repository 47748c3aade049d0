/** `config check` and `config show`. */
import { EXIT, type ExitCode } from '../../protocol/errors.ts';
import type { Context } from '../context.ts';
import { configFile } from '../place.ts';
import { plan } from '../plan.ts';
import { plural } from '../render/words.ts';

export async function configCheck(context: Context): Promise<ExitCode> {
  const file = configFile(context.options, context.io);
  const { programs } = await plan(file, context.io);
  const instances = programs.reduce((sum, program) => sum + program.instances, 0);
  context.print(`${file} is valid: ${plural(programs.length, 'program')}, ${plural(instances, 'instance')}`);
  return EXIT.done;
}

export async function configShow(context: Context): Promise<ExitCode> {
  context.printJson(await plan(configFile(context.options, context.io), context.io));
  return EXIT.done;
}
