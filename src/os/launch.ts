/** Starts the leader of a run in a session of its own, and reports its end. */
import { type ChildProcess, spawn } from 'node:child_process';
import type { ExitStatus } from '../base/exit-status.ts';
import type { SpawnRequest } from '../ports/processes.ts';
import type { Mark } from './mark.ts';
import { MARK_NAME } from './mark.ts';
import { openOutput } from './output.ts';
import type { Report, Reports } from './reports.ts';
import { spawnFailure } from './spawn-failure.ts';

/** Called in this order: `started` and `ended`, or `failed`. `ended` never comes within the call to `launch`. */
export interface Launched {
  started(pid: number, report: Report): void;
  ended(exit: ExitStatus): void;
  failed(stage: string, message: string): void;
}

export function launch(request: SpawnRequest, reports: Reports, mark: Mark, outcome: Launched): void {
  const output = openOutput(request.stdout, request.stderr);
  if (!output.ok) {
    outcome.failed('log', output.error);
    return;
  }
  const report = reports.open(request.run);
  if (!report.ok) {
    output.value.close();
    outcome.failed('notify', report.error);
    return;
  }
  const fail = (error: unknown) => {
    report.value.close();
    const { stage, message } = spawnFailure(request, error);
    outcome.failed(stage, message);
  };
  let child: ChildProcess | null = null;
  let thrown: { readonly error: unknown } | null = null;
  try {
    child = start(request, output.value.stdout, output.value.stderr, report.value, mark);
  } catch (error) {
    thrown = { error };
  }
  output.value.close();
  report.value.spawned(child?.pid === undefined ? null : child);
  if (child === null) fail(thrown?.error);
  else watchOver(child, report.value, outcome, fail);
}

function start(
  request: SpawnRequest,
  stdout: number | 'ignore',
  stderr: number | 'ignore',
  report: Report,
  mark: Mark,
): ChildProcess {
  const [program = '', ...args] = request.command;
  return spawn(program, args, {
    cwd: request.directory,
    env: environment(request, report, mark),
    detached: true, // setsid: neither Ctrl-C nor a signal to our group reaches it
    stdio: ['ignore', stdout, stderr, report.stdio],
  });
}

function environment(request: SpawnRequest, report: Report, mark: Mark): Record<string, string> {
  const complete: Record<string, string> = {
    ...request.environment,
    [MARK_NAME]: mark.of(request.run),
    TSUP_VISOR_NOTIFY_FD: '3',
  };
  delete complete.NOTIFY_SOCKET; // the daemon's own, if it has one, is not for its instances
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
