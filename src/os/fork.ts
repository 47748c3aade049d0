/** Begins a program by Node's own spawn, where koffi cannot be loaded; what that cannot do is refused, or said. */
import { type ChildProcess, type StdioOptions, spawn, spawnSync } from 'node:child_process';
import { constants } from 'node:os';
import { Writable } from 'node:stream';
import type { ExitStatus } from '../base/exit-status.ts';
import { fail, ok, type Result } from '../base/result.ts';
import type { Credentials, SpawnFault } from '../ports/processes.ts';
import { differs } from './credentials.ts';
import { cannotLimit, GATE_SHUT, gated, needsGate, place, SHELL, whyNoGate } from './gate.ts';
import { findExecutable, whyNotRunnable } from './program-path.ts';
import { spawnFailure } from './spawn-failure.ts';
import type { Begun, Start } from './start.ts';
import { systemError } from './system-error.ts';
import { ulimits } from './ulimit.ts';

type Then = (begun: Result<Begun, SpawnFault>) => void;

/** Calls back within the call, or as soon as Node tells why it could not. */
export function fork(start: Start, then: Then): void {
  const gate = needsGate(start.request, start.group);
  const child = gate ? behindGate(start) : straight(start);
  start.report.spawned(child.ok && child.value.pid !== undefined ? child.value : null);
  if (!child.ok) {
    then(child);
    return;
  }
  const { value } = child;
  if (value.pid === undefined) {
    value.once('error', (error) => then(fail(spawnFailure(start.request, error))));
    return;
  }
  value.on('error', ignore);
  const opened = gate ? openGate(start, value, value.pid) : ok(null);
  then(opened.ok ? ok(begun(value, value.pid)) : opened);
}

function begun(child: ChildProcess, pid: number): Begun {
  return {
    pid,
    watch(ended) {
      // `exit`, not `close`: a grandchild that holds stdout would delay that.
      child.once('exit', (code, signal) => ended(exitStatus(code, signal)));
      return true;
    },
  };
}

function straight(start: Start): Result<ChildProcess, SpawnFault> {
  const [program = '', ...args] = start.request.command;
  const { stdio } = start.report;
  return spawned(start, program, args, start.environment, stdio === null ? [] : [stdio]);
}

function behindGate(start: Start): Result<ChildProcess, SpawnFault> {
  const { request, environment, report } = start;
  const refused = whyNoGate() ?? refusedLimit(start);
  if (refused !== null) return fail(refused);
  const path = findExecutable(request.command[0] ?? '', request);
  const problem = path === null ? systemError(constants.errno.ENOENT) : whyNotRunnable(path, request);
  if (path === null || problem !== null) return fail(spawnFailure(request, problem));
  const limits = ulimits(request.limits.resources).map(({ command }) => `${command} || exit ${GATE_SHUT}`);
  const shell = gated(path, request.command.slice(1), environment, request, limits);
  return spawned(start, SHELL, shell.args.slice(1), shell.environment, [report.stdio ?? 'ignore', 'pipe']);
}

function openGate({ request, group }: Start, child: ChildProcess, pid: number): Result<null, SpawnFault> {
  const gate = child.stdio[4];
  const placed = place(pid, request, group);
  if (gate instanceof Writable) {
    gate.on('error', ignore); // it has ended already: that will be told
    if (placed.ok) gate.end('\n');
    else gate.destroy();
  }
  if (!placed.ok) child.kill('SIGKILL');
  return placed;
}

/** Tried by another process first, so that it is told before the program begins. */
function refusedLimit({ request }: Start): SpawnFault | null {
  for (const { name, value, command } of ulimits(request.limits.resources)) {
    const tried = spawnSync(SHELL, ['-c', command], { ...identity(request.credentials), encoding: 'utf8' });
    if (tried.status !== 0)
      return { stage: 'limits', message: cannotLimit(name, value, tried.stderr.trim() || 'it is refused') };
  }
  return null;
}

function spawned(
  { request, output }: Start,
  program: string,
  args: readonly string[],
  environment: Readonly<Record<string, string>>,
  more: readonly (number | 'pipe' | 'ignore')[],
): Result<ChildProcess, SpawnFault> {
  const stdio: StdioOptions = ['ignore', output.stdout, output.stderr, ...more];
  try {
    return ok(
      spawn(program, args, {
        cwd: request.directory,
        env: environment,
        detached: true, // setsid: neither Ctrl-C nor a signal to our group reaches it
        stdio,
        ...identity(request.credentials),
      }),
    );
  } catch (error) {
    return fail(spawnFailure(request, error));
  }
}

/** Node drops all other groups. */
function identity(credentials: Credentials | null): { readonly uid?: number; readonly gid?: number } {
  return credentials === null || !differs(credentials) ? {} : { uid: credentials.uid, gid: credentials.gid };
}

function ignore(): void {
  // An 'error' after a good start can only be that of child.kill(), or of a gate that nobody waits at any more.
}

function exitStatus(code: number | null, signal: string | null): ExitStatus {
  if (signal !== null) return { kind: 'signal', signal };
  return code === null ? { kind: 'unknown' } : { kind: 'code', code };
}
