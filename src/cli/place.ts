/** Where the daemon is to be found: its socket, and the config file that it is started with. */
import { readFileSync } from 'node:fs';
import { findConfig, pathFrom, placesLookedAt } from '../config/find.ts';
import { socketOf } from '../config/where.ts';
import { EXIT } from '../protocol/errors.ts';
import type { GlobalOptions } from './global-options.ts';
import type { Io } from './io.ts';
import { isSocket, Refusal } from './refusal.ts';
import type { Place } from './whereabouts.ts';
import { worldOf } from './world.ts';

export async function placeOf(options: GlobalOptions, io: Io): Promise<Place> {
  const given = options.socket ?? io.env.TSUP_VISOR_SOCKET;
  if (given !== undefined && given !== '') return { socket: pathFrom(io.cwd, given), given: true };
  const looks = { ...worldOf(io), cwd: io.cwd };
  const found = findConfig(options.config, looks);
  if (!found.ok) {
    const { withoutFile } = await import('./whereabouts.ts');
    return withoutFile(placesLookedAt(options.config, looks), noConfig(found.error), io);
  }
  const file = found.value;
  const glance = glanceAt(file, io);
  if (glance !== null && isSocket(glance)) return { socket: glance, given: false };
  return (await import('./whereabouts.ts')).whereabouts(file, glance, io);
}

/** The absolute path of the config that is meant. Throws a refusal that says where was looked. */
export function configFile(options: GlobalOptions, io: Io): string {
  const found = findConfig(options.config, { ...worldOf(io), cwd: io.cwd });
  if (!found.ok) throw noConfig(found.error);
  return found.value;
}

const noConfig = (why: string): Refusal => new Refusal(EXIT.configInvalid, why);

/** The socket, where that can be told without the parser. */
function glanceAt(file: string, io: Io): string | null {
  try {
    return socketOf(file, readFileSync(file, 'utf8'), worldOf(io));
  } catch {
    return null; // why it cannot be read is told by whoever reads it next
  }
}
