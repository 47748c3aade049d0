/** What a unit is made of, as it is found here: and what the daemon that it starts would find to be different. */
import { spawnSync } from 'node:child_process';
import { realpathSync } from 'node:fs';
import { userInfo } from 'node:os';
import { dirname, isAbsolute, join, relative } from 'node:path';
import { VERSION } from '../../base/version.ts';
import { type LoadedConfig, loadConfig } from '../../config/load.ts';
import type { Mistake } from '../../config/mistake.ts';
import { longestStop } from '../../config/stop-time.ts';
import type { World } from '../../config/where.ts';
import type { Io } from '../io.ts';
import { worldOf } from '../world.ts';
import { type FolderKind, type UnitFacts, unitName } from './unit.ts';

type Plan = LoadedConfig['plan'];
type Manager = UnitFacts['manager'];

export function factsOf(plan: Plan, manager: Manager, io: Io): UnitFacts {
  const user = manager === 'user' || worldOf(io).uid === 0 ? null : userInfo().username;
  return {
    name: plan.name,
    version: VERSION,
    node: process.execPath,
    program: programOf(io),
    config: plan.configFile,
    path: io.env.PATH === undefined ? undefined : eachOnce(io.env.PATH),
    manager,
    user,
    folders: user === null ? new Map() : foldersOf(plan),
    stop: longestStop(plan),
    systemd: systemdVersion(),
    limits: plan.programs.some(({ limits }) => limits.memoryMax !== null || limits.cpuMax !== null),
  };
}

/** Folders by name, in the order in which they are looked at; an empty one would be wherever the unit runs. */
const eachOnce = (path: string): string =>
  [...new Set(path.split(':'))].filter((part) => part !== '').join(':');

/** Null: there is none here, or it does not say. */
function systemdVersion(): number | null {
  const { stdout } = spawnSync('systemctl', ['--version'], { encoding: 'utf8', timeout: 2000 });
  const version = /^systemd (\d+)/.exec(stdout ?? '')?.[1];
  return version === undefined ? null : Number(version);
}

/** By the path by which it was called, if that leads to us: the link of an installation outlives its releases. */
function programOf({ daemonProgram }: Io): string {
  const own = join(dirname(daemonProgram), '..', 'bin', 'tsup-visor.js');
  const [, called = ''] = process.argv;
  return isAbsolute(called) && realOf(called) === realOf(own) ? called : own;
}

function realOf(path: string): string | undefined {
  try {
    return realpathSync(path);
  } catch {
    return undefined;
  }
}

/** Where only root may make folders, systemd makes them for the user. */
const PLACES: readonly (readonly [FolderKind, string])[] = [
  ['RuntimeDirectory', '/run'],
  ['StateDirectory', '/var/lib'],
  ['LogsDirectory', '/var/log'],
];

function foldersOf({ runDir, stateDir, logDir }: Plan): Map<FolderKind, string> {
  const own = { RuntimeDirectory: runDir, StateDirectory: stateDir, LogsDirectory: logDir };
  const found = PLACES.flatMap(([kind, place]): [FolderKind, string][] => {
    const below = relative(place, own[kind]);
    const isBelow = below !== '' && !below.startsWith('..');
    return isBelow && !below.startsWith('user/') ? [[kind, below]] : [];
  });
  return new Map(found);
}

/** What the terminal's environment has and the unit's has not, where that matters to the config. */
export function unitDoubts(plan: Plan, facts: UnitFacts, io: Io): string[] {
  const unit = unitName(facts.name);
  const loaded = loadConfig(plan.configFile, unitWorld(facts, io));
  if (!loaded.ok) {
    const first = sentenceOf(loaded.error[0]);
    return [
      `with the environment that ${unit} gives it, the config has a mistake: ${first}; give the unit an Environment= or EnvironmentFile= ("systemctl edit ${unit}")`,
    ];
  }
  const there = loaded.value.plan;
  const moved = DIRS.filter(([, key]) => there[key] !== plan[key]);
  const elsewhere = moved.map(
    ([word, key]) =>
      `${word} of the daemon of ${unit} would be ${there[key]}, while commands in this terminal look for ${plan[key]}; write "${word}" into the config, below "supervisor"`,
  );
  const isTemporary = facts.user !== null && moved.length === 0 && isBelow(there.runDir, worldOf(io).tmp);
  return isTemporary ? [temporary(there)] : elsewhere;
}

const DIRS = [
  ['run_dir', 'runDir'],
  ['state_dir', 'stateDir'],
  ['log_dir', 'logDir'],
] as const;

const isBelow = (path: string, folder: string): boolean => !relative(folder, path).startsWith('..');

const temporary = ({ runDir, name }: Plan): string =>
  `run_dir is ${runDir}, where old files are cleared away while the daemon needs them; write "run_dir: /run/tsup-visor/${name}" into the config, below "supervisor", and export again`;

const sentenceOf = (mistake: Mistake | undefined): string =>
  mistake === undefined ? '' : `line ${mistake.line}: ${mistake.message}`;

/** As systemd.exec(5) has it. A user's manager keeps what belongs to the session. */
function unitWorld({ manager, path, user }: UnitFacts, io: Io): World {
  const world = worldOf(io);
  const { env } = io;
  const session = manager === 'user' ? { XDG_RUNTIME_DIR: env.XDG_RUNTIME_DIR } : {};
  const login = manager === 'user' || user !== null ? { HOME: world.home, USER: userInfo().username } : {};
  return { ...world, environment: { PATH: path, LANG: env.LANG, ...login, ...session } };
}
