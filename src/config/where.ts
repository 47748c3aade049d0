/** Where a supervisor keeps its things, found without the YAML parser: `status` has no time for that. */
import { basename, dirname, isAbsolute, join, resolve } from 'node:path';

/** What the config depends on outside its text. */
export interface World {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly uid: number;
  /** The home folder of the user. */
  readonly home: string;
  /** The folder for temporary files. */
  readonly tmp: string;
}

export interface Dirs {
  readonly runDir: string;
  readonly stateDir: string;
  readonly logDir: string;
}

/** What a supervisor, a program or a group may be called. */
export const NAME = /^[A-Za-z0-9][A-Za-z0-9_.-]*$/;

/** The folders of a supervisor of this name, unless its config says otherwise. */
export function defaultDirs(name: string, world: World): Dirs {
  if (world.uid === 0) {
    const place = (folder: string): string => join(folder, 'tsup-visor', name);
    return { runDir: place('/run'), stateDir: place('/var/lib'), logDir: place('/var/log') };
  }
  const state = folderIn(world, 'XDG_STATE_HOME') ?? join(world.home, '.local', 'state');
  const stateDir = join(state, 'tsup-visor', name);
  return { runDir: userRunDir(name, world), stateDir, logDir: join(stateDir, 'logs') };
}

/** Logs go below a state folder that was chosen, but for root, whose logs are where all logs are. */
export const logDirFor = (stateDir: string, name: string, world: World): string =>
  world.uid === 0 ? defaultDirs(name, world).logDir : join(stateDir, 'logs');

/** Named by the folder of the config file, as far as its characters may be in a name. */
export function defaultName(configFile: string): string {
  const folder = basename(dirname(resolve(configFile)));
  const name = folder.replace(/[^A-Za-z0-9_.-]+/g, '-').replace(/^[^A-Za-z0-9]+/, '');
  return name === '' ? 'supervisor' : name;
}

export const socketIn = (runDir: string): string => join(runDir, 'control.sock');

/** The control socket of a config, by a look at its lines; null when only the real parser can tell. */
export function socketOf(configFile: string, text: string, world: World): string | null {
  const keys = supervisorKeys(text.replace(/^\uFEFF/, ''));
  if (keys === null) return null;
  const name = keys.get('name') ?? defaultName(configFile);
  if (!NAME.test(name)) return null;
  const runDir = keys.get('run_dir');
  if (runDir === undefined) return socketIn(defaultDirs(name, world).runDir);
  return socketIn(resolve(dirname(resolve(configFile)), runDir));
}

/** Without a folder of the session there is a private one among the temporary files. */
function userRunDir(name: string, world: World): string {
  const session = folderIn(world, 'XDG_RUNTIME_DIR');
  if (session !== undefined) return join(session, 'tsup-visor', name);
  return join(world.tmp, `tsup-visor-${world.uid}`, name);
}

/** A relative path there is to be ignored, says the XDG base directory specification. */
function folderIn(world: World, variable: string): string | undefined {
  const folder = world.environment[variable];
  return folder !== undefined && isAbsolute(folder) ? folder : undefined;
}

/** A key at the start of a line, as nearly every config has them. */
const TOP_KEY = /^[A-Za-z_][A-Za-z0-9_-]*:(?=\s|$)/;
/** A plain value, or one in quotes, in which nothing has a second meaning. */
const PLAIN_PAIR = /^([a-z_]+):[ ]+(["']?)([A-Za-z0-9_./@+,=-]+)\2[ ]*(?:[ ]#.*)?$/;
/** YAML reads these as no value at all. */
const NO_VALUE = /^(?:null|Null|NULL)$/;

/** The plain keys below `supervisor:`; null when there is anything that this does not understand. */
function supervisorKeys(text: string): Map<string, string> | null {
  const block = supervisorBlock(text.split(/\r?\n/));
  if (block === null) return null;
  const keys = new Map<string, string>();
  const indent = /^ */.exec(block[0] ?? '')?.[0] ?? '';
  for (const line of block) {
    const pair = line.startsWith(indent) ? PLAIN_PAIR.exec(line.slice(indent.length)) : null;
    const [, key = '', , value = ''] = pair ?? [];
    if (key === '' || NO_VALUE.test(value) || keys.has(key)) return null;
    keys.set(key, value);
  }
  return keys;
}

/** The lines below `supervisor:` but for blank ones and comments; none when there is no such key. */
function supervisorBlock(lines: readonly string[]): string[] | null {
  let block: string[] | undefined;
  let inside = false;
  for (const [index, line] of lines.entries()) {
    if (/^\s*(?:#|$)/.test(line) || (line === '---' && block === undefined && index === 0)) continue;
    if (line.startsWith(' ')) {
      if (inside) block?.push(line);
      continue;
    }
    if (!TOP_KEY.test(line)) return null;
    inside = line.startsWith('supervisor:');
    if (!inside) continue;
    if (block !== undefined || !/^supervisor:\s*(?:#.*)?$/.test(line)) return null;
    block = [];
  }
  return block?.length === 0 ? null : (block ?? []);
}
