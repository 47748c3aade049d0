/** Finds a program as execvp(3) does: by the PATH of the environment that it is to have. */
import { accessSync, closeSync, constants, openSync, readSync, statSync } from 'node:fs';
import { constants as system } from 'node:os';
import { delimiter, join, resolve } from 'node:path';
import type { SpawnRequest } from '../ports/processes.ts';
import { systemError } from './system-error.ts';

type Asked = Pick<SpawnRequest, 'directory' | 'environment'>;

/** What to run: itself when it names a path; null when it is in none of the folders. */
export function findExecutable(program: string, request: Asked): string | null {
  if (program.includes('/')) return program;
  // One that may not be run is passed over, but if there is no other, it is what the failure is about.
  let unfit: string | null = null;
  for (const path of candidates(program, request)) {
    if (!isFile(path)) continue;
    if (isExecutable(path)) return path;
    unfit ??= path;
  }
  return unfit;
}

/** The error that exec would end with, as far as that can be foreseen; null: it may be run. */
export function whyNotRunnable(program: string, { directory }: Pick<Asked, 'directory'>): unknown {
  const path = resolve(directory, program);
  try {
    accessSync(path, constants.X_OK);
    if (!isFile(path)) return systemError(system.errno.EACCES);
    const interpreter = interpreterOf(path);
    if (interpreter !== null) accessSync(resolve(directory, interpreter), constants.X_OK);
    return null;
  } catch (error) {
    return error;
  }
}

/** The kernel itself reads no more of a first line. */
const FIRST_LINE_BYTES = 256;

/** What the first line of a script names; null for anything else, and for what may be run but not read. */
function interpreterOf(path: string): string | null {
  const bytes = Buffer.alloc(FIRST_LINE_BYTES);
  try {
    const descriptor = openSync(path, 'r');
    try {
      const length = readSync(descriptor, bytes);
      return /^#![ \t]*([^ \t\n]+)/.exec(bytes.toString('utf8', 0, length))?.[1] ?? null;
    } finally {
      closeSync(descriptor);
    }
  } catch {
    return null;
  }
}

export function candidates(program: string, { directory, environment }: Asked): string[] {
  const folders = (environment.PATH ?? '').split(delimiter);
  return folders.map((folder) => join(resolve(directory, folder), program));
}

export function isFile(path: string): boolean {
  try {
    // Most folders of a PATH do not have it: to throw for each took longer than all the rest.
    return statSync(path, { throwIfNoEntry: false })?.isFile() === true;
  } catch {
    return false;
  }
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
