/** Opens files as what an instance's stdout and stderr go to, where nobody carries them there: they are only ever appended to. */
import { closeSync, constants, lstatSync, mkdirSync, openSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { fail, ok, type Result } from '../base/result.ts';
import type { OpenOutput } from '../ports/output.ts';
import { INHERITED } from '../ports/processes.ts';
import { errorCode, explain } from './system-error.ts';

const { O_APPEND, O_CREAT, O_NOFOLLOW, O_WRONLY } = constants;
const FLAGS = O_APPEND | O_CREAT | O_WRONLY;

/** Equal paths share one descriptor, so that the two streams interleave as they were written. */
export const openOutput: OpenOutput = ({ stdout, stderr }) => {
  const opened = new Map<string, number>();
  const close = () => {
    for (const descriptor of opened.values()) closeSync(descriptor);
    opened.clear();
  };
  for (const path of [stdout, stderr]) {
    if (path === null || opened.has(path)) continue;
    const file = openLog(path === INHERITED ? '/dev/stdout' : path);
    if (!file.ok) {
      close();
      return file;
    }
    opened.set(path, file.value);
  }
  const of = (path: string | null) => (path === null ? undefined : opened.get(path)) ?? 'ignore';
  return ok({ stdout: of(stdout), stderr: of(stderr), close });
};

/** The folder is created anew if somebody has removed it. */
export function openLog(path: string): Result<number, string> {
  try {
    // Opening one that nobody reads would hold up the daemon for as long as nobody does.
    if (statSync(path, { throwIfNoEntry: false })?.isFIFO())
      return fail(`cannot log to ${path}: it is a FIFO`);
    return ok(openForAppending(path));
  } catch (error) {
    return fail(`cannot open the log file ${path}: ${explain(error)}`);
  }
}

function openForAppending(path: string): number {
  try {
    return openHere(path);
  } catch (error) {
    if (errorCode(error) !== 'ENOENT') throw error;
    mkdirSync(dirname(path), { recursive: true, mode: 0o750 });
    return openHere(path);
  }
}

/** What a program could put there, in a folder of its own, must not get it what only root may open: a disk, say. */
function openHere(path: string): number {
  try {
    return openSync(path, FLAGS | O_NOFOLLOW, 0o640);
  } catch (error) {
    if (errorCode(error) !== 'ELOOP') throw error;
    if (process.geteuid?.() === 0 && lstatSync(path).uid !== 0)
      throw new Error('it is a symbolic link of another user');
    return openSync(path, FLAGS, 0o640);
  }
}
