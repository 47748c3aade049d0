/** The config as a plan, or a refusal with all its mistakes. Brings the YAML parser, so it is loaded only where it must. */
import { type LoadedConfig, loadConfig } from '../config/load.ts';
import type { Mistake } from '../config/mistake.ts';
import { reportMistakes } from '../config/report.ts';
import { EXIT } from '../protocol/errors.ts';
import type { Io } from './io.ts';
import { Refusal } from './refusal.ts';
import { worldOf } from './world.ts';

export { showConfig } from '../config/show.ts';
export { socketIn } from '../config/where.ts';

/** Throws a refusal that shows each mistake at its place. */
export function planIn(file: string, io: Io): LoadedConfig['plan'] {
  const loaded = loadConfig(file, worldOf(io));
  if (loaded.ok) return loaded.value.plan;
  throw new Refusal(EXIT.configInvalid, reportMistakes(file, loaded.error));
}

/** The mistakes of a file; none when it is valid. */
export function mistakesIn(file: string, io: Io): readonly Mistake[] {
  const loaded = loadConfig(file, worldOf(io));
  return loaded.ok ? [] : loaded.error;
}
