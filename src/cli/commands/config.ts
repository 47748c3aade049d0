/** `config check` and `config show`. */
import { EXIT, type ExitCode } from '../../protocol/errors.ts';
import type { Context } from '../context.ts';
import { configFile } from '../place.ts';
import { checkedIn, planIn, showConfig, warningLines } from '../plan.ts';
import { plural } from '../render/words.ts';

/** Warnings are no mistakes: the exit code is that of a valid file. */
export async function configCheck(context: Context): Promise<ExitCode> {
  const file = configFile(context.options, context.io);
  const { mistakes, warnings } = checkedIn(file, context.io);
  const valid = mistakes.length === 0;
  if (context.json) {
    context.printJson({ file, valid, mistakes, warnings });
    return valid ? EXIT.done : EXIT.configInvalid;
  }
  const { programs } = planIn(file, context.io);
  context.say(...warningLines(file, warnings));
  const instances = programs.reduce((sum, program) => sum + program.instances, 0);
  const warned = warnings.length === 0 ? '' : `, ${plural(warnings.length, 'warning')}`;
  context.print(
    `${file} is valid: ${plural(programs.length, 'program')}, ${plural(instances, 'instance')}${warned}`,
  );
  return EXIT.done;
}

export async function configShow(context: Context): Promise<ExitCode> {
  const plan = planIn(configFile(context.options, context.io), context.io);
  if (context.json) context.printJson(plan);
  else context.print(showConfig(plan).trimEnd());
  return EXIT.done;
}
