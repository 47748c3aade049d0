/** Starts the leader of a run in a session of its own, and reports its end. */
import { type ChildProcess, spawn } from 'node:child_process';
import { constants } from 'node:os';
import type { ExitStatus } from '../base/exit-status.ts';
import { fail, ok, type Result } from '../base/result.ts';
import type { SpawnFault, SpawnRequest } from '../ports/processes.ts';
import type { Leaders } from './leaders.ts';
import type { Libc } from './libc.ts';
import type { Mark } from './mark.ts';
import { MARK_NAME } from './mark.ts';
import { type Output, openOutput } from './output.ts';
import { findExecutable } from './program-path.ts';
import type { Report, Reports } from './reports.ts';
import { spawnFailure } from './spawn-failure.ts';
import { systemError } from './system-error.ts';

/** Called in this order: `started` and `ended`, or `failed`. `ended` never comes within the call to `launch`. */
export interface Launched {
  started(pid: number, report: Report): void;
  ended(exit: ExitStatus): void;
  failed(stage: string, message: string): void;
}

/** Where there is no koffi, Node's own spawn does it, at a higher price. */
export interface Launcher {
  readonly reports: Reports;
  readonly mark: Mark;
  readonly leap: { readonly libc: Libc; readonly leaders: Leaders } | null;
}

/** Both are closed here when the launch fails; otherwise the report is whoever's was told `started`. */
export interface Channels {
  readonly output: Output;
  readonly report: Report;
}

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
  const start = { request, ...opened.value, mark: launcher.mark };
  const { stdio } = opened.value.report;
  if (launcher.leap !== null && stdio !== 'pipe') leap(start, stdio, launcher.leap, outcome);
  else fork(start, outcome);
}

function openChannels(request: SpawnRequest, { reports }: Launcher): Result<Channels, SpawnFault> {
  const output = openOutput(request.stdout, request.stderr);
  if (!output.ok) return fail({ stage: 'log', message: output.error });
  const report = reports.open(request.run);
  if (report.ok) return ok({ output: output.value, report: report.value });
  output.value.close();
  return fail({ stage: 'notify', message: report.error });
}

interface Start {
  readonly request: SpawnRequest;
  readonly output: Output;
  readonly report: Report;
  readonly mark: Mark;
}

function leap(
  start: Start,
  notify: number | null,
  { libc, leaders }: NonNullable<Launcher['leap']>,
  outcome: Launched,
): void {
  const { output, report } = start;
  const begun = begin(start, notify, libc);
  output.close();
  report.spawned(null);
  if ('error' in begun) {
    giveUp(start, begun.error, outcome);
    return;
  }
  // Its end is noticed in a later turn of the loop, so `started` comes first.
  if (leaders.add(begun.pid, (exit) => outcome.ended(exit))) outcome.started(begun.pid, report);
  else giveUp(start, systemError(constants.errno.EMFILE), outcome);
}

function begin(
  { request, output, report, mark }: Start,
  notify: number | null,
  libc: Libc,
): { pid: number } | { error: unknown } {
  const [program = ''] = request.command;
  const variables = environment(request, report, mark);
  const refused = [...request.command, request.directory, ...Object.entries(variables).flat()].some((text) =>
    text.includes('\0'),
  );
  if (refused) return { error: new Error('its command or environment holds a NUL byte') };
  const path = findExecutable(program, request);
  if (path === null) return { error: systemError(constants.errno.ENOENT) };
  const spawn = (path: string, args: readonly string[]) =>
    libc.spawnLeader({
      path,
      args,
      directory: request.directory,
      environment: Object.entries(variables).map(([name, value]) => `${name}=${value}`),
      stdout: typeof output.stdout === 'number' ? output.stdout : null,
      stderr: typeof output.stderr === 'number' ? output.stderr : null,
      notify,
    });
  let begun = spawn(path, request.command);
  // A script without a first line that names its interpreter is a shell's, as execvp(3) has it.
  if ('errno' in begun && begun.errno === constants.errno.ENOEXEC)
    begun = spawn('/bin/sh', ['sh', path, ...request.command.slice(1)]);
  return 'errno' in begun ? { error: systemError(begun.errno) } : begun;
}

function fork(start: Start, outcome: Launched): void {
  const { output, report } = start;
  let child: ChildProcess | null = null;
  let thrown: { readonly error: unknown } | null = null;
  try {
    child = forked(start);
  } catch (error) {
    thrown = { error };
  }
  output.close();
  report.spawned(child?.pid === undefined ? null : child);
  if (child === null) giveUp(start, thrown?.error, outcome);
  else watchOver(child, report, outcome, (error) => giveUp(start, error, outcome));
}

function giveUp({ request, report }: Start, error: unknown, outcome: Launched): void {
  report.close();
  const { stage, message } = spawnFailure(request, error);
  outcome.failed(stage, message);
}

function forked({ request, output, report, mark }: Start): ChildProcess {
  const [program = '', ...args] = request.command;
  return spawn(program, args, {
    cwd: request.directory,
    env: environment(request, report, mark),
    detached: true, // setsid: neither Ctrl-C nor a signal to our group reaches it
    stdio: ['ignore', output.stdout, output.stderr, ...(report.stdio === null ? [] : [report.stdio])],
  });
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

function watchOver(
  child: ChildProcess,
  report: Report,
  outcome: Launched,
  fail: (error: unknown) => void,
): void {
  if (child.pid === undefined) {
    child.once('error', fail); // comes at once, with the reason
    return;
  }
  child.on('error', ignore);
  // `exit`, not `close`: a grandchild that holds stdout would delay that.
  child.once('exit', (code, signal) => outcome.ended(exitStatus(code, signal)));
  outcome.started(child.pid, report);
}

function ignore(): void {
  // An 'error' after a good start can only be that of child.kill(), which is not used.
}

function exitStatus(code: number | null, signal: string | null): ExitStatus {
  if (signal !== null) return { kind: 'signal', signal };
  return code === null ? { kind: 'unknown' } : { kind: 'code', code };
}
