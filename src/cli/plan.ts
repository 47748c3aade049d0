/** The config as a plan, or a refusal with all its mistakes. Brings the YAML parser, so it is loaded only where it must. */
import { basename } from 'node:path';
import { type LoadedConfig, loadConfig } from '../config/load.ts';
import type { Mistake } from '../config/mistake.ts';
import { reportMistakes } from '../config/report.ts';
import { likelyRunDirs } from '../config/salvage.ts';
import { socketIn } from '../config/where.ts';
import { EXIT } from '../protocol/errors.ts';
import type { Io } from './io.ts';
import { Refusal } from './refusal.ts';
import { plural } from './render/words.ts';
import { worldOf } from './world.ts';

export { showConfig } from '../config/show.ts';

/** Throws a refusal that shows each mistake at its place. */
export function planIn(file: string, io: Io): LoadedConfig['plan'] {
  const loaded = loadConfig(file, worldOf(io));
  if (loaded.ok) return loaded.value.plan;
  throw new Refusal(EXIT.configInvalid, reportMistakes(file, loaded.error));
}

/** Why a file does not say where its daemon is, and where that may be all the same. */
export interface Unreadable {
  /** `supervisor.yaml has 2 mistakes, see …`. */
  readonly brief: string;
  /** With each mistake at its place. */
  readonly refusal: Refusal;
  /** The likeliest first. */
  readonly likely: readonly string[];
}

/** The control socket of a config. */
export function socketFrom(file: string, io: Io): string | Unreadable {
  const loaded = loadConfig(file, worldOf(io));
  if (loaded.ok) return socketIn(loaded.value.plan.runDir);
  return {
    brief: briefly(file, loaded.error),
    refusal: new Refusal(EXIT.configInvalid, reportMistakes(file, loaded.error)),
    likely: likelyRunDirs(file, worldOf(io)).map(socketIn),
  };
}

function briefly(file: string, mistakes: readonly Mistake[]): string {
  const [first, ...others] = mistakes;
  // One about the whole of the file is that it cannot be read.
  if (first?.line === 0 && others.length === 0) return `${basename(file)}: ${first.message}`;
  return `${basename(file)} has ${plural(mistakes.length, 'mistake')}, see "tsup-visor config check"`;
}

/** The mistakes of a file; none when it is valid. */
export function mistakesIn(file: string, io: Io): readonly Mistake[] {
  const loaded = loadConfig(file, worldOf(io));
  return loaded.ok ? [] : loaded.error;
}
