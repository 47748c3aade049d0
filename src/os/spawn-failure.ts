/** Says in one sentence why a program could not be started. Node reports a missing folder and a missing program alike. */
import { accessSync, constants, statSync } from 'node:fs';
import { isAbsolute, resolve } from 'node:path';
import type { SpawnRequest } from '../ports/processes.ts';
import { candidates, isFile } from './program-path.ts';
import { errorCode, explain } from './system-error.ts';

export interface SpawnFailure {
  readonly stage: 'directory' | 'exec';
  readonly message: string;
}

export function spawnFailure(request: SpawnRequest, error: unknown): SpawnFailure {
  return (
    directoryFailure(request) ?? {
      stage: 'exec',
      message: execMessage(request, errorCode(error), error),
    }
  );
}

function directoryFailure(request: SpawnRequest): SpawnFailure | null {
  const { directory } = request;
  const failure = (what: string): SpawnFailure => ({
    stage: 'directory',
    message: `directory ${directory} ${what}`,
  });
  try {
    if (!statSync(directory).isDirectory()) return failure('is not a directory');
    accessSync(directory, constants.X_OK);
    return null;
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return failure('does not exist');
    return failure(`cannot be entered${whom(request)}: ${explain(error)}`);
  }
}

function execMessage(request: SpawnRequest, code: string, error: unknown): string {
  const program = request.command[0] ?? '';
  const path = findProgram(program, request);
  if (path === null) return `cannot find the program "${program}" in PATH`;
  if (code === 'ENOENT') return missing(program, path);
  if (code === 'EACCES') return `${path} is not executable${whom(request)}`;
  if (code === 'E2BIG') return `cannot start ${program}: its arguments and environment are too large`;
  return `cannot start ${program}: ${explain(error)}`;
}

const whom = ({ credentials }: SpawnRequest): string =>
  credentials === null ? '' : ` for user "${credentials.name}"`;

function missing(program: string, path: string): string {
  if (isFile(path)) return `cannot start ${path}: the interpreter that its first line names does not exist`;
  return `cannot find the program ${program}`;
}

/** Where the system looks for it; null when it is in none of the folders of PATH. */
function findProgram(program: string, request: SpawnRequest): string | null {
  if (program.includes('/')) return isAbsolute(program) ? program : resolve(request.directory, program);
  return candidates(program, request).find(isFile) ?? null;
}
