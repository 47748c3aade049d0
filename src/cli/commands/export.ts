/** `export systemd`: a unit that keeps the daemon alive, and leaves the instances to it. */
import { renameSync, writeFileSync } from 'node:fs';
import { pathFrom } from '../../config/find.ts';
import { EXIT, type ExitCode } from '../../protocol/errors.ts';
import type { Context } from '../context.ts';
import { configFile } from '../place.ts';
import { planIn } from '../plan.ts';
import { Refusal } from '../refusal.ts';
import { factsOf, unitDoubts } from '../unit/facts.ts';
import { unitName, unitText } from '../unit/unit.ts';

export interface ExportOptions {
  readonly user?: boolean;
  readonly output?: string;
}

export async function exportSystemd(context: Context, options: ExportOptions): Promise<ExitCode> {
  const { io } = context;
  const plan = planIn(configFile(context.options, io), io);
  const facts = factsOf(plan, options.user === true ? 'user' : 'system', io);
  const unit = unitName(facts.name);
  const text = unitText(facts);
  const warnings = unitDoubts(plan, facts, io);
  if (options.output !== undefined) write(pathFrom(io.cwd, options.output), text);
  if (context.json) {
    context.printJson({ unit, text, warnings });
    return EXIT.done;
  }
  context.say(...warnings.map((warning) => `tsup-visor: ${warning}`));
  if (options.output === undefined) io.stdout.write(text);
  else context.print(`wrote ${options.output}; ${next(unit, options)}`);
  return EXIT.done;
}

function next(unit: string, { user }: ExportOptions): string {
  const systemctl = user === true ? 'systemctl --user' : 'systemctl';
  return `now: ${systemctl} daemon-reload && ${systemctl} enable --now ${unit}`;
}

/** Whole or not at all: systemd may read it at any moment. */
function write(file: string, text: string): void {
  const draft = `${file}.${process.pid}.new`;
  try {
    writeFileSync(draft, text, { mode: 0o644 });
    renameSync(draft, file);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new Refusal(EXIT.failed, `cannot write ${file}: ${why}`);
  }
}
