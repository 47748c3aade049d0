/** Everything that a process is started with, from the plan of its program and the daemon's own environment. */
import type { Instance } from '../core/instance/instance.ts';
import type { Life } from '../core/instance/phase.ts';
import { fillIn } from '../core/instance/template.ts';
import type { ProgramPlan } from '../core/plan.ts';
import type { LogPath, SpawnRequest } from '../ports/processes.ts';

type Environment = Readonly<Record<string, string | undefined>>;

export function spawnRequest(
  instance: Instance,
  life: Life,
  inherited: Environment,
  logPath: LogPath,
): SpawnRequest {
  const { program } = life;
  const at = { id: instance.id, index: instance.index, program };
  const stdout = logPath(instance.id, program.logs.stdout, 'out');
  const { stderr } = program.logs;
  return {
    run: life.run,
    id: instance.id,
    command: program.command.map((word) => fillIn(word, at)),
    directory: fillIn(program.directory, at),
    environment: {
      ...inherit(program, inherited),
      ...Object.fromEntries(
        Object.entries(program.environment).map(([key, value]) => [key, fillIn(value, at)]),
      ),
      TSUP_VISOR_PROGRAM: program.name,
      TSUP_VISOR_INSTANCE: instance.id,
      TSUP_VISOR_INDEX: String(instance.index),
      TSUP_VISOR_RUN: String(life.run),
      TSUP_VISOR_REVISION: program.revision,
      TSUP_VISOR_GENERATION: String(life.generation),
    },
    stdout,
    stderr: stderr === 'merge' ? stdout : logPath(instance.id, stderr, 'err'),
  };
}

function inherit({ inheritEnvironment }: ProgramPlan, environment: Environment): Record<string, string> {
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
]);
