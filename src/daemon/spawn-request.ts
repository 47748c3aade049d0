/** Everything that a process is started with, from the plan of its program and the daemon's own environment. */
import { fail, ok, type Result } from '../base/result.ts';
import type { Instance } from '../core/instance/instance.ts';
import type { Life } from '../core/instance/phase.ts';
import { fillIn } from '../core/instance/template.ts';
import type { ProgramPlan } from '../core/plan.ts';
import {
  type CommandRequest,
  type Credentials,
  INHERITED,
  type LogPath,
  type Processes,
  type SpawnFault,
  type SpawnRequest,
} from '../ports/processes.ts';

type Environment = Readonly<Record<string, string>>;

/** Where what is not in the plan comes from. */
export interface Surroundings {
  /** The daemon's own. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly logPath: LogPath;
  readonly credentials: Processes['credentials'];
  /** Absolute paths; later files win. */
  readEnvFiles(paths: readonly string[]): Result<Environment, string>;
}

export function spawnRequest(
  instance: Instance,
  life: Life,
  world: Surroundings,
): Result<SpawnRequest, SpawnFault> {
  const { program } = life;
  const at = seatOf(instance, life);
  const ground = groundOf(instance, life, world);
  if (!ground.ok) return ground;
  const { stdout, stderr } = outputPaths(instance, program, world.logPath);
  return ok({
    ...ground.value,
    run: life.run,
    command: program.command.map((word) => fillIn(word, at)),
    stdout,
    stderr,
    logging: program.logs,
    nice: program.nice,
    limits: program.limits,
  });
}

/** What a command of the program's is run with: as the same user, in the same place, with the same environment. */
export interface CommandPlan {
  readonly command: readonly string[];
  readonly timeoutMs: number;
  /** What it is run for, so that one script can serve several: it finds this in TSUP_VISOR_HOOK. */
  readonly purpose: string;
  /** What it is told beside that. */
  readonly more?: Environment;
}

export function commandRequest(
  instance: Instance,
  life: Life,
  { command, timeoutMs, purpose, more = {} }: CommandPlan,
  world: Surroundings,
): Result<CommandRequest, SpawnFault> {
  const at = seatOf(instance, life);
  const ground = groundOf(instance, life, world);
  if (!ground.ok) return ground;
  return ok({
    ...ground.value,
    environment: { ...ground.value.environment, ...more, TSUP_VISOR_HOOK: purpose },
    command: command.map((word) => fillIn(word, at)),
    timeoutMs,
  });
}

/** Where the output of a run goes, be it no file. */
export function outputPaths(
  { id }: Pick<Instance, 'id'>,
  { logs }: ProgramPlan,
  logPath: LogPath,
): { readonly stdout: string | null; readonly stderr: string | null } {
  const of: LogPath = (whose, target, stream) =>
    target.kind === 'inherit' ? INHERITED : logPath(whose, target, stream);
  return logPaths({ id }, { logs }, of);
}

/** The files among that. */
export function logPaths(
  { id }: Pick<Instance, 'id'>,
  { logs }: Pick<ProgramPlan, 'logs'>,
  logPath: LogPath,
): { readonly stdout: string | null; readonly stderr: string | null } {
  const stdout = logPath(id, logs.stdout, 'out');
  return { stdout, stderr: logs.stderr === 'merge' ? stdout : logPath(id, logs.stderr, 'err') };
}

type Ground = Pick<SpawnRequest, 'id' | 'directory' | 'environment' | 'credentials' | 'umask'>;

/** What the program and its commands have in common. */
function groundOf(instance: Instance, life: Life, world: Surroundings): Result<Ground, SpawnFault> {
  const { program } = life;
  const at = seatOf(instance, life);
  const who = world.credentials(program.user, program.group);
  if (!who.ok) return fail(who.error);
  const files = world.readEnvFiles(program.envFiles.map((path) => fillIn(path, at)));
  if (!files.ok) return fail({ stage: 'env_file', message: files.error });
  return ok({
    id: instance.id,
    directory: fillIn(program.directory, at),
    environment: {
      ...inherit(program, world.environment),
      ...userVariables(program, who.value),
      ...files.value,
      ...filledIn(program.environment, at),
      ...ownVariables(instance, life),
    },
    credentials: who.value,
    umask: program.umask,
  });
}

/** As the run was started: the instance may have taken on another plan for its next one. */
const seatOf = ({ id, index }: Instance, { program }: Life): Pick<Instance, 'id' | 'index' | 'program'> => ({
  id,
  index,
  program,
});

function filledIn(environment: Environment, at: ReturnType<typeof seatOf>): Environment {
  return Object.fromEntries(Object.entries(environment).map(([key, value]) => [key, fillIn(value, at)]));
}

function ownVariables(instance: Instance, { run, program, generation }: Life): Environment {
  const { watchdogMs } = program;
  return {
    TSUP_VISOR_PROGRAM: program.name,
    TSUP_VISOR_INSTANCE: instance.id,
    TSUP_VISOR_INDEX: String(instance.index),
    TSUP_VISOR_RUN: String(run),
    TSUP_VISOR_REVISION: program.revision,
    TSUP_VISOR_GENERATION: String(generation),
    // Without a WATCHDOG_PID: who speaks for the program is its own affair, as everything on its socket is taken.
    ...(watchdogMs === null ? {} : { WATCHDOG_USEC: String(watchdogMs * 1000) }),
  };
}

/** As at a login. A group alone makes nobody of the one who runs. */
function userVariables({ user }: ProgramPlan, who: Credentials | null): Environment {
  if (user === null || who === null) return {};
  return { HOME: who.home, USER: who.name, LOGNAME: who.name, SHELL: who.shell };
}

function inherit(
  { inheritEnvironment }: ProgramPlan,
  environment: Surroundings['environment'],
): Record<string, string> {
  if (inheritEnvironment === false) return {};
  const wanted = inheritEnvironment === true ? null : new Set(inheritEnvironment);
  const kept = Object.entries(environment).filter(
    // What whoever started the daemon told the daemon is not meant for its instances.
    ([name, value]) => value !== undefined && !PRIVATE.has(name) && (wanted?.has(name) ?? true),
  );
  // The filter has left none that is undefined.
  return Object.fromEntries(kept) as Record<string, string>;
}

const PRIVATE = new Set([
  'NOTIFY_SOCKET',
  'WATCHDOG_USEC',
  'WATCHDOG_PID',
  'LISTEN_FDS',
  'LISTEN_PID',
  'LISTEN_FDNAMES',
  'TSUP_VISOR_NOTIFY_FD',
  'TSUP_VISOR_CONFIG',
  // A daemon that a hook or a check has started is not in that any more.
  'TSUP_VISOR_HOOK',
  'TSUP_VISOR_ROLLOUT',
  'TSUP_VISOR_TURN',
  'TSUP_VISOR_FROM_REVISION',
]);
