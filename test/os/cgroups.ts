/** Whether cgroup v2 may be written to here, and where a daemon's groups are. */
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findCgroupPlace } from '../../src/os/cgroup-place.ts';

/** Null where they may be had; otherwise why not. */
export const whyNoCgroups: string | null = tryOut();

if (whyNoCgroups !== null) console.warn(`tests of cgroups are skipped: ${whyNoCgroups}`);

/** Made, if it was not there. */
export function homeOf(runDir: string): string {
  const home = findCgroupPlace(runDir)?.home.path;
  if (home === undefined) throw new Error('there are no cgroups here');
  return home;
}

function tryOut(): string | null {
  const folder = mkdtempSync(join(tmpdir(), 'cgroups-'));
  const place = findCgroupPlace(folder);
  rmSync(folder, { recursive: true });
  if (place === null) return 'there is no cgroup v2 that may be written to';
  place.home.remove();
  return existsSync(place.home.path) ? 'a group cannot be removed' : null;
}
