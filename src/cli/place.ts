/** Where the daemon is to be found: its socket, and the config file that it is started with. */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { findConfig } from '../config/find.ts';
import { socketOf } from '../config/where.ts';
import { EXIT } from '../protocol/errors.ts';
import type { GlobalOptions } from './global-options.ts';
import type { Io } from './io.ts';
import { Refusal } from './refusal.ts';
import { worldOf } from './world.ts';

export interface Place {
  readonly socket: string;
  /** Whether `socket` was given rather than taken from the config. */
  readonly given: boolean;
}

export async function placeOf(options: GlobalOptions, io: Io): Promise<Place> {
  const given = options.socket ?? io.env.TSUP_VISOR_SOCKET;
  if (given !== undefined && given !== '') return { socket: resolve(io.cwd, given), given: true };
  const file = configFile(options, io);
  const socket = socketOf(file, textOf(file), worldOf(io));
  if (socket !== null) return { socket, given: false };
  const { socketIn, planIn } = await import('./plan.ts');
  return { socket: socketIn(planIn(file, io).runDir), given: false };
}

/** The absolute path of the config that is meant. Throws a refusal that says where was looked. */
export function configFile(options: GlobalOptions, io: Io): string {
  const found = findConfig(options.config, { ...worldOf(io), cwd: io.cwd });
  if (!found.ok) throw new Refusal(EXIT.configInvalid, found.error);
  return found.value;
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new Refusal(EXIT.configInvalid, `cannot read the config ${file}: ${why}`);
  }
}
