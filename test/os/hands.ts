/** The real hands on a folder of their own, with everything that they report kept and awaitable. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach } from 'vitest';
import type { ExitStatus } from '../../src/base/exit-status.ts';
import { instanceId, programName, type Run, run } from '../../src/base/ids.ts';
import { createProcesses, type Force, type RealProcesses } from '../../src/os/processes.ts';
import type { ProcessEvents, SpawnRequest } from '../../src/ports/processes.ts';
import type { LeakCheck } from '../rig/leaks.ts';
import { PLAIN } from '../rig/logging.ts';
import { within } from '../rig/within.ts';

export type Happened =
  | { readonly kind: 'spawned'; readonly run: Run; readonly pid: number }
  | { readonly kind: 'spawnFailed'; readonly run: Run; readonly stage: string; readonly message: string }
  | { readonly kind: 'exited'; readonly run: Run; readonly exit: ExitStatus }
  | { readonly kind: 'tree'; readonly run: Run; readonly left: number }
  | { readonly kind: 'notified'; readonly run: Run; readonly text: string; readonly channel: string };

export const NO_LIMITS: SpawnRequest['limits'] = { resources: {}, memoryMax: null, cpuMax: null };

export class Hands {
  readonly happened: Happened[] = [];
  readonly warned: string[] = [];
  readonly folder = mkdtempSync(join(tmpdir(), 'hands-'));
  readonly processes: RealProcesses;
  /** Called after each event has been kept, within the call that reports it: as the daemon's loop would be. */
  react: (event: Happened) => void = () => {};
  private readonly waiting = new Set<() => void>();
  private readonly leaks: LeakCheck;
  private closed = false;

  constructor(leaks: LeakCheck, force?: Force) {
    this.leaks = leaks;
    const keep = (event: Happened) => {
      this.happened.push(event);
      this.react(event);
      for (const look of this.waiting) look();
    };
    const events: ProcessEvents = {
      spawned: (run, pid) => {
        leaks.watchSession(pid);
        keep({ kind: 'spawned', run, pid });
      },
      spawnFailed: (run, stage, message) => keep({ kind: 'spawnFailed', run, stage, message }),
      exited: (run, exit) => keep({ kind: 'exited', run, exit }),
      tree: (run, left) => keep({ kind: 'tree', run, left }),
      notified: (run, text, channel) => keep({ kind: 'notified', run, text, channel }),
    };
    const warn = (text: string) => void this.warned.push(text);
    this.processes = createProcesses({
      runDir: this.folder,
      events,
      warn,
      ...(force === undefined ? {} : { force }),
    });
  }

  spawn(number: number, command: readonly string[], more: Partial<SpawnRequest> = {}): Run {
    this.processes.spawn(this.request(number, command, more));
    return run(number);
  }

  request(number: number, command: readonly string[], more: Partial<SpawnRequest> = {}): SpawnRequest {
    const environment = { PATH: process.env.PATH ?? '', ...this.leaks.environment, ...more.environment };
    return {
      run: run(number),
      id: instanceId(programName('worker'), number),
      command,
      directory: this.folder,
      stdout: null,
      stderr: null,
      logging: PLAIN,
      credentials: null,
      umask: null,
      nice: null,
      limits: NO_LIMITS,
      ...more,
      environment,
    };
  }

  /** Starts one of test/fixtures. */
  fixture(number: number, name: string, more: Partial<SpawnRequest> = {}): Run {
    return this.spawn(number, [fileURLToPath(new URL(`../fixtures/${name}.sh`, import.meta.url))], more);
  }

  /** The first event that fits, be it in the past or yet to come. */
  until<K extends Happened['kind']>(
    kind: K,
    of: Run,
    fits: (event: Extract<Happened, { kind: K }>) => boolean = () => true,
  ): Promise<Extract<Happened, { kind: K }>> {
    type Wanted = Extract<Happened, { kind: K }>;
    const isWanted = (event: Happened): event is Wanted => event.kind === kind && event.run === of;
    let look = () => {};
    const found = new Promise<Wanted>((resolve) => {
      look = () => {
        const event = this.happened.filter(isWanted).find(fits);
        if (event !== undefined) resolve(event);
      };
    });
    this.waiting.add(look);
    look();
    return within(`${kind} of run ${of}`, found).finally(() => this.waiting.delete(look));
  }

  /** Waits for the fixture to tell the pid of its child. */
  async child(of: Run): Promise<number> {
    const { text } = await this.until('notified', of, (event) => event.text.startsWith('STATUS='));
    return Number(text.slice('STATUS='.length));
  }

  pid(of: Run): number {
    for (const event of this.happened) if (event.kind === 'spawned' && event.run === of) return event.pid;
    throw new Error(`run ${of} has not been spawned`);
  }

  /** Kills the whole run and waits until nothing is left. */
  async end(of: Run): Promise<void> {
    this.processes.signalTree(of, 'KILL');
    await this.until('exited', of);
    await this.empty(of);
    this.processes.forget(of);
  }

  /** Kills what is left until nothing is, as core does. */
  async empty(of: Run): Promise<void> {
    this.processes.signalTree(of, 'KILL');
    const from = this.happened.length;
    this.processes.survey(of);
    await this.until('tree', of, (event) => event.left === 0 && this.happened.indexOf(event) >= from);
  }

  close(): void {
    if (this.closed) return;
    this.closed = true;
    this.processes.close();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** Hands that are closed after each test. */
export function useHands(leaks: LeakCheck): (force?: Force) => Hands {
  const open: Hands[] = [];
  afterEach(() => {
    for (const hands of open.splice(0)) hands.close();
  });
  return (force) => {
    const hands = new Hands(leaks, force);
    open.push(hands);
    return hands;
  };
}

/** Alive, and not a zombie. */
export function isAlive(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return !'ZX'.includes(stat.charAt(stat.lastIndexOf(')') + 2));
  } catch {
    return false;
  }
}
