/** The config as a plan, or a refusal with all its mistakes. Brings the YAML parser, so it is loaded only where it must. */
import { basename } from 'node:path';
import { doubtsAbout } from '../config/doubts.ts';
import { type LoadedConfig, loadConfig, readConfig } from '../config/load.ts';
import type { Mistake } from '../config/mistake.ts';
import { reportDoubts, reportMistakes } from '../config/report.ts';
import { likelyRunDirs } from '../config/salvage.ts';
import { socketIn } from '../config/where.ts';
import { EXIT } from '../protocol/errors.ts';
import { accounts } from './accounts.ts';
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

export interface Checked {
  readonly mistakes: readonly Mistake[];
  /** What is no mistake, but hardly what is meant on this machine; only of a file without mistakes. */
  readonly warnings: readonly Mistake[];
}

export function checkedIn(file: string, io: Io): Checked {
  const world = worldOf(io);
  const loaded = loadConfig(file, world);
  if (!loaded.ok) return { mistakes: loaded.error, warnings: [] };
  return { mistakes: [], warnings: doubtsAbout(loaded.value, world, accounts) };
}

/** The warnings of a file as they are shown. */
export function warningLines(file: string, warnings: readonly Mistake[]): string[] {
  const text = readConfig(file);
  return reportDoubts(warnings, text.ok ? text.value : '');
}
