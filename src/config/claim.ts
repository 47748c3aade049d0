/** Which daemon runs with a config file: what each daemon notes down, so that no second one is started with it. */
import { readdirSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { defaultDirs, type World } from './where.ts';

export interface Claim {
  /** Of the supervisor. */
  readonly name: string;
  readonly pid: number;
  /** The config file by the path that the daemon was given. */
  readonly config: string;
  /** What that path led to when the daemon was started; see `marksOf`. */
  readonly marks: readonly string[];
  readonly socket: string;
  /** By which its instances are known again; an earlier version has not noted it. */
  readonly runDir?: string;
}

/** Of a daemon that was killed, with what it has left at work. */
export interface Widowed {
  readonly claim: Claim;
  readonly runDir: string;
  readonly instances: readonly { readonly instance: string; readonly pid: number }[];
}

export interface Noted {
  /** The path of the note, without what its files end in. */
  readonly path: string;
  readonly claim: Claim;
}

/** Where the notes are: beside the folders that daemons of this user have by default. No supervisor's name begins with a dot. */
export const claimsFolder = (world: World): string => defaultDirs('.configs', world).runDir;

/** All that are there, also of daemons that have died. */
export function claimsIn(folder: string): Noted[] {
  return namesIn(folder).flatMap((name) => {
    const claim = name.endsWith(NOTE) ? readClaim(join(folder, name)) : undefined;
    return claim === undefined ? [] : [{ path: join(folder, name.slice(0, -NOTE.length)), claim }];
  });
}

/** What the file of a note ends in. */
export const NOTE = '.json';

/**
 * Whether a daemon was started with this very file, by whatever path: a link, or the folder before it was moved. While
 * something lies at the path that it was given, that alone is its config: it is what the next `reload` reads.
 */
export function isOf(claim: Claim, file: string): boolean {
  if (claim.config === file) return true;
  const there = realOf(claim.config);
  if (there !== undefined) return there === realOf(file);
  return marksOf(file).some((mark) => claim.marks.includes(mark));
}

/** Whether two paths lead to one file. */
export function isSame(one: string, other: string): boolean {
  return one === other || (realOf(one) ?? one) === (realOf(other) ?? other);
}

/** By what a file is known again at another path: as itself, and, for editors put a new one in its place, in its folder. */
export function marksOf(file: string): string[] {
  const real = realOf(file) ?? file;
  const [itself, folder] = [identityOf(real), identityOf(dirname(real))];
  return [
    ...(itself === undefined ? [] : [itself]),
    ...(folder === undefined ? [] : [`${folder}/${basename(real)}`]),
  ];
}

/** The number of a file is given to another one when it is gone; with the time of its birth it is its own. */
function identityOf(path: string): string | undefined {
  const stat = statSync(path, { bigint: true, throwIfNoEntry: false });
  return stat === undefined ? undefined : `${stat.dev}:${stat.ino}:${stat.birthtimeNs}`;
}

export const takenBy = ({ name, pid }: Claim): string =>
  `the daemon ${JSON.stringify(name)} (pid ${pid}) runs with this config file already`;

/** They would be started a second time by a daemon that does not know them. */
export function leftBehind({ claim, runDir, instances }: Widowed): string {
  const { name, pid } = claim;
  const ids = instances.slice(0, NAMED).map(({ instance }) => instance);
  const more = instances.length > NAMED ? ` and ${instances.length - NAMED} more` : '';
  const pids = instances.map((one) => one.pid).join(' ');
  return (
    `the daemon ${JSON.stringify(name)} (pid ${pid}), which ran with this config file and the run_dir ${runDir}, was killed, ` +
    `and its instances still run (${ids.join(', ')}${more}); only a daemon with that run_dir takes them up: put "name" and "run_dir" ` +
    `back as they were, run "tsup-visor start", and change them after "tsup-visor shutdown"; or end what is left first: "kill ${pids}"`
  );
}

const NAMED = 5;

/** For whoever wants another one all the same. */
export const afterTaken = ({ socket }: Claim): string =>
  `end it first with "tsup-visor --socket ${socket} shutdown", or give the second fleet a config file of its own`;

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return []; // nobody has noted anything yet, or it is not ours to see
  }
}

function readClaim(path: string): Claim | undefined {
  try {
    const read: unknown = JSON.parse(readFileSync(path, 'utf8'));
    return isClaim(read) ? read : undefined;
  } catch {
    return undefined; // its daemon has ended just now
  }
}

const KEYS = ['name', 'config', 'socket'] as const;

function isClaim(read: unknown): read is Claim {
  if (typeof read !== 'object' || read === null) return false;
  const texts = KEYS.every((key) => typeof Reflect.get(read, key) === 'string');
  return texts && typeof Reflect.get(read, 'pid') === 'number' && Array.isArray(Reflect.get(read, 'marks'));
}

function realOf(file: string): string | undefined {
  try {
    return realpathSync(file);
  } catch {
    return undefined;
  }
}
