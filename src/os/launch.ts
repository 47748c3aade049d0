/** Starts the leader of a run in a session of its own, and reports its end. */
import type { ExitStatus } from '../base/exit-status.ts';
import { fail, ok, type Result } from '../base/result.ts';
import type { OpenOutput } from '../ports/output.ts';
import type { SpawnFault, SpawnRequest } from '../ports/processes.ts';
import type { Cgroup } from './cgroup.ts';
import type { Cgroups } from './cgroup-home.ts';
import { missing } from './cgroup-limits.ts';
import { differs } from './credentials.ts';
import { fork } from './fork.ts';
import type { Leaders } from './leaders.ts';
import { leap } from './leap.ts';
import type { Libc } from './libc.ts';
import type { Mark } from './mark.ts';
import { MARK_NAME } from './mark.ts';
import type { Report, Reports } from './reports.ts';
import type { Begun, Channels, Start } from './start.ts';

/** Called in this order: `started` and `ended`, or `failed`. `ended` never comes within the call to `launch`. */
export interface Launched {
  started(pid: number, report: Report): void;
  ended(exit: ExitStatus): void;
  failed(stage: string, message: string): void;
}

/** Where there is no koffi, Node's own spawn does it, at a higher price. */
export interface Launcher {
  readonly openOutput: OpenOutput;
  readonly reports: Reports;
  readonly mark: Mark;
  readonly leap: { readonly libc: Libc; readonly leaders: Leaders } | null;
  readonly groups: Cgroups | null;
  /** Why there is no room for another program; null: there is. */
  headroom(): string | null;
  /** A program is begun without the supplementary groups of its user. */
  onGroupsLost(): void;
}

export type { Channels };

/** `channels`: where they are not those of a run. */
export function launch(
  request: SpawnRequest,
  launcher: Launcher,
  outcome: Launched,
  channels: Channels | null = null,
): void {
  const opened = channels === null ? openChannels(request, launcher) : ok(channels);
  if (!opened.ok) {
    outcome.failed(opened.error.stage, opened.error.message);
    return;
  }
  const { output, report } = opened.value;
  const abandon = ({ stage, message }: SpawnFault): void => {
    report.close();
    launcher.groups?.release(request.run);
    outcome.failed(stage, message);
  };
  begin(request, launcher, opened.value, (begun) => {
    if (!begun.ok) abandon(begun.error);
    // Its end is noticed in a later turn of the loop, so `started` comes first.
    else if (begun.value.watch((exit) => outcome.ended(exit))) outcome.started(begun.value.pid, report);
    else abandon({ stage: 'exec', message: 'cannot watch over it: too many open files' });
  });
  output.close();
}

/** `isAhead`: the run before it still writes, and nothing is to change for that. */
export function openChannels(
  request: SpawnRequest,
  { reports, headroom, openOutput }: Launcher,
  isAhead = false,
): Result<Channels, SpawnFault> {
  const short = headroom();
  if (short !== null) return fail({ stage: 'exec', message: short });
  const output = openOutput(request, isAhead);
  if (!output.ok) return fail({ stage: 'log', message: output.error });
  const report = reports.open(request.run, request.credentials);
  if (report.ok) return ok({ output: output.value, report: report.value });
  output.value.close();
  return fail({ stage: 'notify', message: report.error });
}

type Then = (begun: Result<Begun, SpawnFault>) => void;

/** `then` is called once: within the call wherever the system can tell. */
function begin(request: SpawnRequest, launcher: Launcher, channels: Channels, then: Then): void {
  const { report } = channels;
  const start = startOf(request, launcher, channels);
  if (!start.ok) letGo(start);
  else if (launcher.leap === null || report.stdio === 'pipe' || !canBecome(request, launcher.leap.libc)) {
    if ((request.credentials?.groups.length ?? 0) > 1) launcher.onGroupsLost();
    fork(start.value, then);
  } else then(leap(start.value, report.stdio, launcher.leap));

  function letGo(failed: Result<never, SpawnFault>): void {
    report.spawned(null);
    then(failed);
  }
}

/** With a group of its own, where there are any. */
export function startOf(
  request: SpawnRequest,
  launcher: Launcher,
  channels: Channels,
): Result<Start, SpawnFault> {
  const group = openGroup(request, launcher.groups);
  if (!group.ok) return group;
  const start = {
    request,
    ...channels,
    environment: environment(request, channels.report, launcher.mark),
    group: group.value,
  };
  return holdsNul(start)
    ? fail({ stage: 'exec', message: 'its command or environment holds a NUL byte' })
    : ok(start);
}

export const canBecome = ({ credentials }: SpawnRequest, libc: Libc): boolean =>
  libc.canWear || credentials === null || !differs(credentials);

function openGroup(request: SpawnRequest, groups: Cgroups | null): Result<Cgroup | null, SpawnFault> {
  const { memoryMax, cpuMax } = request.limits;
  if (groups !== null) return groups.open(request.run, request.limits);
  if (memoryMax !== null) return fail({ stage: 'limits', message: missing('memory') });
  if (cpuMax !== null) return fail({ stage: 'limits', message: missing('cpu') });
  return ok(null);
}

function holdsNul({ request, environment }: Start): boolean {
  const texts = [...request.command, request.directory, ...Object.entries(environment).flat()];
  return texts.some((text) => text.includes('\0'));
}

function environment(request: SpawnRequest, report: Report, mark: Mark): Record<string, string> {
  const complete: Record<string, string> = {
    ...request.environment,
    [MARK_NAME]: mark.of(request.run),
  };
  // The daemon's own, if it has them, are not for its instances.
  delete complete.NOTIFY_SOCKET;
  delete complete.TSUP_VISOR_NOTIFY_FD;
  if (report.stdio !== null) complete.TSUP_VISOR_NOTIFY_FD = '3';
  if (report.socketPath !== null) complete.NOTIFY_SOCKET = report.socketPath;
  return complete;
}
