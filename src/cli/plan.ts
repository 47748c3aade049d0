/** The config as a plan, or a refusal with all its mistakes. Brings the YAML parser, so it is loaded only where it must. */
import { type LoadedConfig, loadConfig, readConfig } from '../config/load.ts';
import { type Mistake, renderMistake } from '../config/mistake.ts';
import { EXIT } from '../protocol/errors.ts';
import type { Io } from './io.ts';
import { worldOf } from './place.ts';
import { Refusal } from './refusal.ts';
import { plural } from './render/words.ts';

export { showConfig } from '../config/show.ts';
export { socketIn } from '../config/where.ts';

/** Throws a refusal that shows each mistake at its place. */
export function planIn(file: string, io: Io): LoadedConfig['plan'] {
  const loaded = loadConfig(file, worldOf(io));
  if (loaded.ok) return loaded.value.plan;
  throw new Refusal(EXIT.configInvalid, mistakesText(file, loaded.error));
}

/** The mistakes of a file; none when it is valid. */
export function mistakesIn(file: string, io: Io): readonly Mistake[] {
  const loaded = loadConfig(file, worldOf(io));
  return loaded.ok ? [] : loaded.error;
}

function mistakesText(file: string, mistakes: readonly Mistake[]): string {
  const text = readConfig(file);
  const source = text.ok ? text.value : '';
  const shown = mistakes.map((mistake) => renderMistake(mistake, source));
  return `${file} has ${plural(mistakes.length, 'mistake')}\n${shown.join('\n')}`;
}
