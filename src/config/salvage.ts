/** Where the daemon of a config with mistakes may be: by what can be read of it, else by a look at its lines, else by its folder. */
import { dirname, resolve } from 'node:path';
import { readConfig, supervisorIn } from './load.ts';
import { defaultDirs, defaultName, NAME, type World } from './where.ts';

/** The likeliest first. */
export function likelyRunDirs(file: string, world: World): string[] {
  const text = readConfig(file);
  const found = text.ok ? (supervisorIn(text.value, file, world) ?? seen(text.value, file)) : {};
  const usual = defaultDirs(defaultName(file), world).runDir;
  return [...new Set([runDirOf(found, world) ?? usual, usual])];
}

interface Found {
  readonly name?: string | null;
  readonly runDir?: string | null;
}

function runDirOf({ name, runDir }: Found, world: World): string | undefined {
  return runDir ?? (typeof name === 'string' ? defaultDirs(name, world).runDir : undefined);
}

/** `supervisor:` and what belongs to it, up to the next line that begins at the margin. */
const BLOCK = /^["']?supervisor["']?[ \t]*:(?:.*\n?)(?:[ \t].*\n?|[ \t]*#.*\n?|\r?\n)*/m;

/** In a file that is no YAML any more: anything there that looks like the two keys. */
function seen(text: string, file: string): Found {
  const block = (BLOCK.exec(text)?.[0] ?? '').replace(/(^|\s)#.*/g, '$1');
  const value = (key: string): string | undefined =>
    new RegExp(`(?:^|[\\s{,])["']?${key}["']?[ \\t]*:[ \\t]*["']?([^\\s"',{}]+)`).exec(block)?.[1];
  const [name, runDir] = [value('name'), value('run_dir')];
  return {
    ...(name !== undefined && NAME.test(name) ? { name } : {}),
    ...(runDir === undefined ? {} : { runDir: resolve(dirname(resolve(file)), runDir) }),
  };
}
