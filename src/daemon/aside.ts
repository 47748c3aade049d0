/** Files of the daemon that cannot be read are not thrown away: the last few are kept beside their place. */
import { chmodSync, linkSync, lstatSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

/** So many are kept of one file, the newest ones. */
export const KEPT_ASIDE = 3;

/** Takes what is at `from` to a name of its own beside `path`. Answers with that name, or null where it cannot be done. */
export function keepAside(path: string, from: string = path): string | null {
  const folder = dirname(path);
  const prefix = `${basename(path)}.corrupt-`;
  const name = prefix + new Date().toISOString().replaceAll(':', '-');
  try {
    const stat = lstatSync(from);
    renameSync(from, join(folder, name));
    // Whoever has put it there may have let others read it.
    if (!stat.isSymbolicLink()) chmodSync(join(folder, name), stat.isDirectory() ? 0o700 : 0o600);
    const kept = readdirSync(folder).filter((entry) => entry.startsWith(prefix));
    for (const old of kept.sort().slice(0, -KEPT_ASIDE)) {
      rmSync(join(folder, old), { recursive: true, force: true });
    }
    return name;
  } catch {
    return null;
  }
}

/** A second name for a file, so that it is still there when another has been put in its place. Null where none can be had. */
export function secondName(path: string): string | null {
  const second = `${path}.last`;
  try {
    rmSync(second, { recursive: true, force: true });
    linkSync(path, second);
    return second;
  } catch {
    return null;
  }
}
