/** Which config file is meant, when nobody or somebody said so. */
import { realpathSync, statSync } from 'node:fs';
import { isAbsolute, join, resolve } from 'node:path';
import { fail, ok, type Result } from '../base/result.ts';
import type { World } from './where.ts';

/** The absolute path of the config, or a sentence that says where was looked. */
export function findConfig(
  explicit: string | undefined,
  world: World & { readonly cwd: string },
): Result<string, string> {
  if (explicit !== undefined) return named(explicit, '-c', world.cwd);
  const fromEnvironment = world.environment.TSUP_VISOR_CONFIG;
  if (fromEnvironment !== undefined && fromEnvironment !== '') {
    return named(fromEnvironment, '$TSUP_VISOR_CONFIG', world.cwd);
  }
  const places = usualPlaces(world);
  const found = places.find(exists);
  if (found !== undefined) return ok(found);
  return fail(`cannot find a config; looked for ${places.join(', ')}. Name one with -c FILE`);
}

/** Where `findConfig` looks, by absolute paths. */
export function placesLookedAt(
  explicit: string | undefined,
  world: World & { readonly cwd: string },
): readonly string[] {
  const named = explicit ?? (world.environment.TSUP_VISOR_CONFIG || undefined);
  return named === undefined ? usualPlaces(world) : [pathFrom(world.cwd, named)];
}

function named(file: string, by: string, cwd: string): Result<string, string> {
  const path = pathFrom(cwd, file);
  return exists(path) ? ok(path) : fail(`cannot find the config ${path}, named by ${by}`);
}

/** As the shell has it: the folder above one that was reached by a link is above where the link leads. */
export function pathFrom(cwd: string, file: string): string {
  return resolve(file.split('/').includes('..') ? realpathSync(cwd) : cwd, file);
}

function usualPlaces(world: World & { readonly cwd: string }): string[] {
  const xdg = world.environment.XDG_CONFIG_HOME;
  const home = xdg !== undefined && isAbsolute(xdg) ? xdg : join(world.home, '.config');
  return [
    join(world.cwd, 'supervisor.yaml'),
    join(world.cwd, 'supervisor.yml'),
    join(home, 'tsup-visor', 'supervisor.yaml'),
    '/etc/tsup-visor/supervisor.yaml',
  ];
}

/** Something that cannot be looked at is there all the same: reading it says why it cannot be read. */
function exists(path: string): boolean {
  try {
    return statSync(path, { throwIfNoEntry: false }) !== undefined;
  } catch (error) {
    return !(error instanceof Error && 'code' in error && error.code === 'ENOTDIR');
  }
}
