/**
 * Runs hooks and checks to their end. A command is a run like any other for whoever tracks, marks and signals it,
 * but for its number, which is negative; nobody outside this room ever sees that.
 */
import { formatDuration } from '../base/duration.ts';
import { describeExit, type ExitStatus } from '../base/exit-status.ts';
import { type Run, run as toRun } from '../base/ids.ts';
import { fail } from '../base/result.ts';
import type { CommandRequest, CommandResult, ProcessEvents, SpawnRequest } from '../ports/processes.ts';
import { type Capture, openCapture } from './capture.ts';
import { LONGEST_TIMER_MS } from './clock.ts';
import type { Channels } from './launch.ts';
import type { Libc } from './libc.ts';
import { isCommand } from './mark.ts';
import type { Watch } from './watch.ts';

/** What is done with a command by those who do it with runs. */
export interface CommandHands {
  /** The outcome comes by `spawned`, `spawnFailed`, `exited`. */
  begin(request: SpawnRequest, channels: Channels): void;
  /** Takes up a command of an earlier daemon; `leader` is null when that has ended. */
  takeUp(run: Run, leader: Leader | null): void;
  kill(run: Run): void;
  /** The answers come by `tree`. */
  survey(run: Run): void;
  forget(run: Run): void;
  /** Kills it, and does not wait to hear of its end. */
  abandon(run: Run): void;
}

export interface Leader {
  readonly pid: number;
  readonly identity: string;
}

type Done = (result: CommandResult) => void;

interface Command {
  readonly run: Run;
  /** In words. */
  readonly what: string;
  readonly capture: Capture | null;
  readonly done: Done;
  /** The leader runs; otherwise it is yet to begin, or has ended. */
  running: boolean;
  /** Set once: the first reason wins. */
  result: CommandResult | null;
  timer: NodeJS.Timeout | null;
}

/** Whoever forks faster than it is killed is met again so soon. */
const AGAIN_MS = 250;

export class Commands implements Pick<ProcessEvents, 'spawned' | 'spawnFailed' | 'exited' | 'tree'> {
  private readonly open = new Map<Run, Command>();
  private readonly hands: CommandHands;
  private readonly system: { readonly libc: Libc; readonly watch: Watch } | null;
  private last = 0;
  private closed = false;

  constructor(hands: CommandHands, system: { readonly libc: Libc; readonly watch: Watch } | null) {
    this.hands = hands;
    this.system = system;
  }

  execute(request: CommandRequest, done: Done): () => void {
    const run = toRun(--this.last);
    const capture = this.closed ? fail('the daemon ends') : openCapture(this.system, request.credentials);
    const what = `${request.environment.TSUP_VISOR_HOOK ?? 'a command'} of ${request.id}`;
    const command = this.add(run, what, capture.ok ? capture.value : null, done);
    const tooLate = (): void =>
      this.end(command, no(`took longer than ${formatDuration(request.timeoutMs)}`));
    command.timer = setTimeout(tooLate, Math.min(request.timeoutMs, LONGEST_TIMER_MS));
    if (capture.ok) this.hands.begin(spawnRequest(run, request), capture.value);
    else this.spawnFailed(run, 'output', capture.error);
    return () => this.end(command, no('was cancelled'));
  }

  /** Those that are not over. */
  get underWay(): readonly string[] {
    return [...this.open.values()].map(({ what }) => what);
  }

  /** Ends what an earlier daemon's commands have left. */
  endOthers(found: ReadonlyMap<Run, Leader | null>): void {
    this.last = Math.min(this.last, ...found.keys());
    for (const [run, leader] of found) {
      if (this.open.has(run)) continue;
      const command = this.add(run, 'a command of an earlier daemon', null, () => {});
      command.running = leader !== null;
      this.hands.takeUp(run, leader);
      this.end(command, no('was begun by an earlier daemon'));
      if (leader === null) this.hands.survey(run);
    }
  }

  /** No `done` comes any more. */
  close(): void {
    this.closed = true;
    for (const { run, timer } of this.open.values()) {
      clearTimeout(timer ?? undefined);
      this.hands.abandon(run);
    }
    this.open.clear();
  }

  spawned(run: Run): void {
    const command = this.open.get(run);
    if (command === undefined) return;
    command.running = true;
    if (command.result !== null) this.hands.kill(run); // it was to end before it had begun
  }

  spawnFailed(run: Run, _stage: string, message: string): void {
    const command = this.open.get(run);
    if (command === undefined) return;
    command.result ??= no(message.startsWith('cannot ') ? message : `cannot start: ${message}`);
    setImmediate(() => this.finish(command)); // never within the call to `execute`
  }

  exited(run: Run, exit: ExitStatus): void {
    const command = this.open.get(run);
    if (command === undefined) return;
    command.running = false;
    command.result ??= resultOf(exit, command.capture?.lastLine() ?? '');
    clearTimeout(command.timer ?? undefined);
    command.timer = null;
    this.hands.survey(run);
  }

  /** Its time was the leader's: what that has left is killed. */
  tree(run: Run, left: number): void {
    const command = this.open.get(run);
    if (command === undefined || command.running) return;
    if (left === 0) {
      this.finish(command);
      return;
    }
    this.hands.kill(run);
    clearTimeout(command.timer ?? undefined);
    command.timer = setTimeout(() => this.hands.survey(run), AGAIN_MS);
  }

  private add(run: Run, what: string, capture: Capture | null, done: Done): Command {
    const command: Command = { run, what, capture, done, running: false, result: null, timer: null };
    this.open.set(run, command);
    return command;
  }

  private end(command: Command, result: CommandResult): void {
    if (command.result !== null || this.open.get(command.run) !== command) return;
    command.result = result;
    if (command.running) this.hands.kill(command.run);
  }

  private finish(command: Command): void {
    if (this.open.get(command.run) !== command) return; // closed meanwhile
    clearTimeout(command.timer ?? undefined);
    this.open.delete(command.run);
    this.hands.forget(command.run);
    command.done(command.result ?? no('ended'));
  }
}

/** Passes on what happens to runs, and keeps what happens to commands. */
export function apart(events: ProcessEvents, commands: () => Commands): ProcessEvents {
  const whose = (run: Run) => (isCommand(run) ? commands() : events);
  return {
    spawned: (run, pid) => whose(run).spawned(run, pid),
    spawnFailed: (run, stage, message) => whose(run).spawnFailed(run, stage, message),
    exited: (run, exit) => whose(run).exited(run, exit),
    tree: (run, left) => whose(run).tree(run, left),
    notified: (...message) => events.notified(...message),
  };
}

const no = (detail: string): CommandResult => ({ ok: false, detail });

function resultOf(exit: ExitStatus, lastLine: string): CommandResult {
  const ended = describeExit(exit);
  if (exit.kind === 'code' && exit.code === 0) return { ok: true, detail: ended };
  return no(lastLine === '' ? ended : `${ended}: ${lastLine}`);
}

/** What it says is read here. */
const UNUSED: SpawnRequest['logging'] = {
  maxBytes: null,
  keep: 0,
  maxAgeMs: null,
  compress: false,
  timestamps: false,
  format: 'raw',
  whenFull: 'drop',
};

const spawnRequest = (
  run: Run,
  { id, command, directory, environment, credentials, umask }: CommandRequest,
): SpawnRequest => ({
  run,
  id,
  command,
  directory,
  environment,
  credentials,
  umask,
  stdout: null,
  stderr: null,
  logging: UNUSED,
  nice: null,
  limits: { resources: {}, memoryMax: null, cpuMax: null },
});
