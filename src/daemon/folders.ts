/** The folders that a daemon needs, made before anything else so that what is wrong with them is said first. */
import { chmodSync, mkdirSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { fail, ok, type Result } from '../base/result.ts';
import type { Plan } from '../core/plan.ts';

export function makeFolders({ runDir, stateDir, logDir }: Plan): Result<null, string> {
  const folders = [
    { path: runDir, what: 'run_dir', mode: isRoot() ? 0o711 : 0o700 },
    { path: stateDir, what: 'state_dir', mode: 0o700 },
    { path: logDir, what: 'log_dir', mode: 0o750 },
  ];
  for (const { path, what, mode } of folders) {
    const made = makeFolder(path, what, mode);
    if (!made.ok) return made;
  }
  const run = privateEnough(runDir, 'run_dir');
  return run.ok ? privateEnough(stateDir, 'state_dir') : run;
}

/** Programs of other users go through it to their own notify sockets; what is in it each has a mode of its own. */
const isRoot = (): boolean => process.geteuid?.() === 0;

/** `what` it is for, in the words of the config. */
export function makeFolder(path: string, what: string, mode: number): Result<null, string> {
  try {
    const first = mkdirSync(path, { recursive: true, mode });
    // Past any umask, and each of those on the way that was not there.
    if (first !== undefined)
      for (let made = path; made.length >= first.length; made = dirname(made)) chmodSync(made, mode);
    return ok(null);
  } catch (error) {
    const inTheWay = fileOnTheWayTo(path);
    const reason = error instanceof Error ? error.message : String(error);
    return fail(
      inTheWay === null
        ? `cannot make the folder ${path} (${what}): ${reason}`
        : `cannot make the folder ${path} (${what}): ${inTheWay} is a file; move it away, or write another "${what}" into the config, below "supervisor"`,
    );
  }
}

/** Null: what is there are folders. */
function fileOnTheWayTo(path: string): string | null {
  for (let at = path; ; at = dirname(at)) {
    try {
      const there = statSync(at, { throwIfNoEntry: false });
      if (there !== undefined) return there.isDirectory() ? null : at;
    } catch {
      // ENOTDIR: what is in the way is further up.
    }
    if (at === dirname(at)) return null;
  }
}

/** Whoever may write there could put another socket in the place of ours, or plans that we would run. */
function privateEnough(path: string, what: string): Result<null, string> {
  const { uid, mode } = statSync(path);
  const own = process.getuid?.();
  if (own !== undefined && own !== 0 && uid !== own) {
    return fail(`cannot use ${path} (${what}): it belongs to another user`);
  }
  return (mode & 0o002) !== 0 && (mode & 0o1000) === 0
    ? fail(`cannot use ${path} (${what}): everybody may write there; run "chmod o-w ${path}"`)
    : ok(null);
}
