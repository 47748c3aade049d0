/** Begins a program by posix_spawn, as whoever it is to be; through the gate where something is to be set from outside. */
import { closeSync, writeSync } from 'node:fs';
import { constants } from 'node:os';
import { fail, ok, type Result } from '../base/result.ts';
import type { Credentials, SpawnFault } from '../ports/processes.ts';
import { differs } from './credentials.ts';
import { GATE_SHUT, gated, limitProcess, needsGate, place, SHELL, whyNoGate } from './gate.ts';
import { asUser } from './identity.ts';
import type { Leaders } from './leaders.ts';
import type { Libc } from './libc.ts';
import { findExecutable, whyNotRunnable } from './program-path.ts';
import { spawnFailure } from './spawn-failure.ts';
import type { Begun, Start } from './start.ts';
import { explainErrno, systemError } from './system-error.ts';
import { ulimits } from './ulimit.ts';

type Outcome<T> = Result<T, SpawnFault>;

export function leap(
  start: Start,
  notify: number | null,
  { libc, leaders }: { readonly libc: Libc; readonly leaders: Leaders },
): Outcome<Begun> {
  const leaper = new Leaper(start, notify, libc);
  const pid = needsGate(start.request, start.group) ? leaper.throughGate() : leaper.straight();
  start.report.spawned(null);
  if (!pid.ok) return pid;
  return ok({ pid: pid.value, watch: (ended) => leaders.add(pid.value, ended) });
}

/** A shell where the program is to be, which becomes it when a line is written to `gate`. */
export interface Waiting {
  readonly pid: number;
  readonly gate: number;
}

/** Goes as far as can be gone before the program begins. `opening`: what the shell does first when it is told to go on. */
export function leapToGate(
  start: Start,
  notify: number | null,
  libc: Libc,
  opening: readonly string[],
): Outcome<Waiting> {
  const waiting = new Leaper(start, notify, libc, opening).toGate();
  start.report.spawned(null);
  return waiting;
}

/** Does something as whoever the program is to be. */
export function asProgram<T>(
  { credentials }: Start['request'],
  libc: Libc,
  act: () => Outcome<T>,
): Outcome<T> {
  return asUser(libc, other(credentials), act, () => {});
}

/** Null: who we are. */
const other = (wanted: Credentials | null): Credentials | null =>
  wanted !== null && differs(wanted) ? wanted : null;

/** What would be run, as far as that can be foreseen; asked while this thread is the user. */
export function runnable(request: Start['request']): Outcome<string> {
  const path = findExecutable(request.command[0] ?? '', request);
  const problem = path === null ? systemError(constants.errno.ENOENT) : whyNotRunnable(path, request);
  return path === null || problem !== null ? fail(spawnFailure(request, problem)) : ok(path);
}

/**
 * At the very end of exec(2) the kernel puts the limit of the stack back to what it was at the beginning, and a spawn is
 * over for us a moment before that. So the shell sets this one itself, as soon as it runs.
 */
function ownLimits({ limits: { resources } }: Start['request']): string[] {
  if (resources.stack === undefined) return [];
  return ulimits({ stack: resources.stack }).map(({ command }) => `${command} || exit ${GATE_SHUT}`);
}

class Leaper {
  private readonly start: Start;
  private readonly notify: number | null;
  private readonly libc: Libc;
  private readonly as: Credentials | null;
  private readonly opening: readonly string[];

  constructor(start: Start, notify: number | null, libc: Libc, opening: readonly string[] = []) {
    this.start = start;
    this.notify = notify;
    this.libc = libc;
    this.as = other(start.request.credentials);
    this.opening = opening;
  }

  straight(): Outcome<number> {
    const { request, environment } = this.start;
    return this.asWanted(() => {
      const path = this.find();
      if (!path.ok) return path;
      const begun = this.spawn(path.value, request.command, environment);
      // A script without a first line that names its interpreter is a shell's, as execvp(3) has it.
      return 'errno' in begun && begun.errno === constants.errno.ENOEXEC
        ? this.toPid(this.spawn(SHELL, ['sh', path.value, ...request.command.slice(1)], environment))
        : this.toPid(begun);
    });
  }

  throughGate(): Outcome<number> {
    const waiting = this.toGate();
    if (!waiting.ok) return waiting;
    const { pid, gate } = waiting.value;
    try {
      writeSync(gate, '\n');
      return ok(pid);
    } finally {
      closeSync(gate);
    }
  }

  /** Nobody else gets the end that is written to: when the daemon dies, the shell reads no line, and ends. */
  toGate(): Outcome<Waiting> {
    const missing = whyNoGate();
    if (missing !== null) return fail(missing);
    const pipe = this.libc.makePipe();
    if ('errno' in pipe)
      return fail({ stage: 'exec', message: `cannot create a pipe: ${explainErrno(pipe.errno)}` });
    const waiting = this.inPlace(pipe.read);
    closeSync(pipe.read);
    if (waiting.ok) return ok({ pid: waiting.value, gate: pipe.write });
    closeSync(pipe.write);
    return waiting;
  }

  private inPlace(gate: number): Outcome<number> {
    const waiting = this.asWanted(() => this.atGate(gate));
    if (!waiting.ok) return waiting;
    const placed = place(waiting.value, this.start.request, this.start.group);
    if (placed.ok) return waiting;
    this.libc.endChild(waiting.value);
    return placed;
  }

  /** Whoever is not root may set the limits of its own processes only: so this too is done as the user. */
  private atGate(gate: number): Outcome<number> {
    const { request, environment } = this.start;
    const path = runnable(request);
    if (!path.ok) return path;
    const first = [...this.opening, ...ownLimits(request)];
    const shell = gated(path.value, request.command.slice(1), environment, request, first);
    const pid = this.toPid(this.spawn(SHELL, shell.args, shell.environment, gate));
    if (!pid.ok) return pid;
    const limited = limitProcess(this.libc, pid.value, request);
    if (limited.ok) return pid;
    this.libc.endChild(pid.value);
    return limited;
  }

  private asWanted(act: () => Outcome<number>): Outcome<number> {
    return asUser(this.libc, this.as, act, (pid) => this.libc.endChild(pid));
  }

  private find(): Outcome<string> {
    const { request } = this.start;
    const path = findExecutable(request.command[0] ?? '', request);
    return path === null ? this.failure(systemError(constants.errno.ENOENT)) : ok(path);
  }

  private spawn(
    path: string,
    args: readonly string[],
    environment: Readonly<Record<string, string>>,
    gate: number | null = null,
  ) {
    const { output, request } = this.start;
    return this.libc.spawnLeader({
      path,
      args,
      directory: request.directory,
      environment: Object.entries(environment).map(([name, value]) => `${name}=${value}`),
      stdout: typeof output.stdout === 'number' ? output.stdout : null,
      stderr: typeof output.stderr === 'number' ? output.stderr : null,
      notify: this.notify,
      gate,
      asRealUser: this.as !== null,
    });
  }

  private toPid(begun: { readonly pid: number } | { readonly errno: number }): Outcome<number> {
    return 'errno' in begun ? this.failure(systemError(begun.errno)) : ok(begun.pid);
  }

  /** Asked while this thread is the user: what he may not enter or run is what it is about. */
  private failure(error: unknown): Outcome<never> {
    return fail(spawnFailure(this.start.request, error));
  }
}
