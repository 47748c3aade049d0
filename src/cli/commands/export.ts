/** `export systemd`: a unit that keeps the daemon alive, and leaves the instances to it. */
import { renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { getSystemErrorMap } from 'node:util';
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
  const file = options.output === undefined ? undefined : fileAt(pathFrom(io.cwd, options.output), unit);
  if (file !== undefined) write(file, text);
  if (context.json) {
    context.printJson({ unit, text, warnings });
    return EXIT.done;
  }
  context.say(...warnings.map((warning) => `tsup-visor: ${warning}`));
  if (file === undefined) io.stdout.write(text);
  else context.print(`wrote ${file}; ${next(unit, options)}`);
  return EXIT.done;
}

function next(unit: string, { user }: ExportOptions): string {
  const systemctl = user === true ? 'systemctl --user' : 'systemctl';
  return `now: ${systemctl} daemon-reload && ${systemctl} enable --now ${unit}`;
}

/** In a folder it has the name by which systemd knows it. */
const fileAt = (path: string, unit: string): string =>
  statSync(path, { throwIfNoEntry: false })?.isDirectory() === true ? join(path, unit) : path;

/** Whole or not at all: systemd may read it at any moment. */
function write(file: string, text: string): void {
  const draft = `${file}.${process.pid}.new`;
  try {
    writeFileSync(draft, text, { mode: 0o644 });
    renameSync(draft, file);
  } catch (error) {
    rmSync(draft, { force: true });
    throw new Refusal(EXIT.failed, `cannot write ${file}: ${wordsFor(error)}`);
  }
}

/** What the system said: of the file that was meant, not of our draft. */
function wordsFor(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  for (const [name, words] of getSystemErrorMap().values()) if (name === code) return words;
  return error instanceof Error ? error.message : String(error);
}
