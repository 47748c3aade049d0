/** Builds dist/ when it is older than the sources: a vitest globalSetup, so once for each run of the tests. */
import { execFileSync } from 'node:child_process';
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('../..', import.meta.url));

export default function build(): void {
  const built = modified(join(ROOT, 'dist/cli.cjs'));
  const sources = ['src', 'bin', 'package.json', '.rolldown.config.mjs'].map((name) =>
    newest(join(ROOT, name)),
  );
  if (built > Math.max(...sources)) return;
  const rolldown = join(ROOT, 'node_modules/.bin/rolldown');
  execFileSync(rolldown, ['-c', '.rolldown.config.mjs', '--log-level', 'warn'], {
    cwd: ROOT,
    stdio: 'inherit',
  });
}

function newest(path: string): number {
  const own = modified(path);
  if (!statSync(path).isDirectory()) return own;
  return Math.max(own, ...readdirSync(path).map((name) => newest(join(path, name))));
}

/** 0 where there is no such file. */
function modified(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}

/** The example's worker on a queue of files. */
export const fileQueue = (dir: string, ...options: readonly string[]): string[] => [
  process.execPath,
  join(ROOT, 'dist/example/file-queue.js'),
  '--dir',
  dir,
  ...options,
];
