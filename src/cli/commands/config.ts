/** `config check` and `config show`. */
import { EXIT, type ExitCode } from '../../protocol/errors.ts';
import type { Context } from '../context.ts';
import { configFile } from '../place.ts';
import { mistakesIn, planIn, showConfig } from '../plan.ts';
import { plural } from '../render/words.ts';

export async function configCheck(context: Context): Promise<ExitCode> {
  const file = configFile(context.options, context.io);
  if (context.json) {
    const mistakes = mistakesIn(file, context.io);
    context.printJson({ file, valid: mistakes.length === 0, mistakes });
    return mistakes.length === 0 ? EXIT.done : EXIT.configInvalid;
  }
  const { programs } = planIn(file, context.io);
  const instances = programs.reduce((sum, program) => sum + program.instances, 0);
  context.print(`${file} is valid: ${plural(programs.length, 'program')}, ${plural(instances, 'instance')}`);
  return EXIT.done;
}

export async function configShow(context: Context): Promise<ExitCode> {
  const plan = planIn(configFile(context.options, context.io), context.io);
  if (context.json) context.printJson(plan);
  else context.print(showConfig(plan).trimEnd());
  return EXIT.done;
}
