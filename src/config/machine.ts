/** What a config names and this machine does not have: undefined, or what is wrong in a sentence. */
import { lstatSync, type Stats, statSync } from 'node:fs';
import { delimiter, join, resolve } from 'node:path';

export function missingFolder(path: string): string | undefined {
  const stat = statOf(path);
  if (stat === 'unseen') return undefined;
  if (stat === 'absent') return `there is no folder ${path}`;
  return stat.isDirectory() ? undefined : `${path} is not a folder`;
}

export function missingFile(path: string): string | undefined {
  const stat = statOf(path);
  if (stat === 'unseen') return undefined;
  if (stat === 'absent') return `there is no file ${path}`;
  return stat.isFile() ? undefined : `${path} is not a file`;
}

export function isLink(path: string): boolean {
  try {
    return lstatSync(path).isSymbolicLink();
  } catch {
    return false;
  }
}

/** Looked for as it will be when it is started: by its path from `directory`, or in the folders of `path`. */
export function missingProgram(word: string, directory: string, path = ''): string | undefined {
  if (word.includes('/')) return notRunnable(resolve(directory, word));
  const files = path.split(delimiter).map((folder) => join(resolve(directory, folder), word));
  if (files.some((file) => notRunnable(file) === undefined)) return undefined;
  const there = files.find((file) => missingFile(file) === undefined);
  if (there !== undefined) return notRunnable(there);
  const isBeside = missingFile(resolve(directory, word)) === undefined;
  const hint = isBeside ? `; the one in ${directory} is ./${word}` : '';
  return `there is no program ${JSON.stringify(word)} in the folders of PATH${hint}`;
}

/** Whoever it is to run as: a file that nobody may execute. */
function notRunnable(file: string): string | undefined {
  const missing = missingFile(file);
  if (missing !== undefined) return missing;
  const stat = statOf(file);
  if (typeof stat === 'string' || (stat.mode & 0o111) !== 0) return undefined;
  return `${file} is not executable; run "chmod +x ${file}", or begin with the program that is to read it`;
}

/** `unseen`: this user may not look there, so it may well be. */
function statOf(path: string): Stats | 'absent' | 'unseen' {
  try {
    return statSync(path, { throwIfNoEntry: false }) ?? 'absent';
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'ENOTDIR' ? 'absent' : 'unseen';
  }
}
