/** Finds a program as execvp(3) does: by the PATH of the environment that it is to have. */
import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, join, resolve } from 'node:path';
import type { SpawnRequest } from '../ports/processes.ts';

type Asked = Pick<SpawnRequest, 'directory' | 'environment'>;

/** What to run: itself when it names a path; null when it is in none of the folders. */
export function findExecutable(program: string, request: Asked): string | null {
  if (program.includes('/')) return program;
  const files = candidates(program, request).filter(isFile);
  // One that may not be run is passed over, but if there is no other, it is what the failure is about.
  return files.find(isExecutable) ?? files[0] ?? null;
}

export function candidates(program: string, { directory, environment }: Asked): string[] {
  const folders = (environment.PATH ?? '').split(delimiter);
  return folders.map((folder) => join(resolve(directory, folder), program));
}

export function isFile(path: string): boolean {
  try {
    return statSync(path).isFile();
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
