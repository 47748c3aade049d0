/** Captures on a folder of their own, which is gone after the test, and programs that write into them. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach } from 'vitest';
import { type InstanceId, instanceId, programName, type Run, run } from '../../src/base/ids.ts';
import type { LogSettings } from '../../src/core/plan.ts';
import { type Adopted, Captures, type Handled } from '../../src/logs/captures.ts';
import type { FileAim } from '../../src/logs/outlet.ts';
import { loadLibc } from '../../src/os/libc.ts';
import { openLog } from '../../src/os/output.ts';
import { createPlumbing } from '../../src/os/plumbing.ts';
import type { Plumbing } from '../../src/ports/plumbing.ts';
import type { Credentials } from '../../src/ports/processes.ts';
import type { LeakCheck } from '../rig/leaks.ts';
import { PLAIN } from '../rig/logging.ts';
import { within } from '../rig/within.ts';

/** Null where nothing can be carried: there is nothing to be tried then. */
export const canCarry = (() => {
  const plumbing = createPlumbing();
  plumbing?.close();
  return plumbing !== null;
})();

export const ID: InstanceId = instanceId(programName('worker'), 0);

const DEFAULT = { kind: 'default' } as const;

interface How {
  readonly run?: Run;
  readonly id?: InstanceId;
  /** Null: nowhere; by default stdout's own. */
  readonly stderr?: string | null;
  readonly credentials?: Credentials | null;
  readonly logging?: Partial<LogSettings>;
}

export class Scene {
  readonly folder = mkdtempSync(join(tmpdir(), 'captures-'));
  readonly fifos = join(this.folder, 'fifos');
  readonly log = join(this.folder, 'worker-0.log');
  /** Children of this process that are no keepers: those that were there before, and those that the test has begun. */
  readonly others = new Set(ownChildren());
  readonly said: string[] = [];
  readonly warned: string[] = [];
  /** What stands between the captures and the system. */
  through: (plumbing: Plumbing) => Plumbing = (plumbing) => plumbing;
  readonly #leaks: LeakCheck;
  /** As it was asked for last. */
  #logging = PLAIN;
  #captures: Captures | null = null;
  #plumbing: Plumbing | null = null;

  constructor(leaks: LeakCheck) {
    this.#leaks = leaks;
  }

  /** Those of the daemon that is there. */
  get captures(): Captures {
    this.#plumbing ??= createPlumbing() ?? raise('no koffi');
    this.#captures ??= new Captures({
      plumbing: this.through(this.#plumbing),
      folder: this.fifos,
      openFile: openLog,
      say: (text) => void this.said.push(text),
      warn: (text) => void this.warned.push(text),
    });
    return this.#captures;
  }

  /** The descriptor of a program's stdout, and what lets go of it. */
  open(path = this.log, how: How = {}): { readonly stdout: number; readonly stderr: number; close(): void } {
    const { run: number = run(1), id = ID, stderr = path, credentials = null } = how;
    const logging = { ...PLAIN, ...how.logging };
    this.#logging = logging;
    const opened = this.captures.openOutput({ run: number, id, stdout: path, stderr, logging, credentials });
    if (!opened.ok) throw new Error(opened.error);
    const { stdout, stderr: other, close } = opened.value;
    return { stdout: Number(stdout), stderr: Number(other), close };
  }

  /** A program whose stdout that is; it has ended when the promise says so. */
  start(command: readonly string[], stdout: number): { readonly child: ChildProcess; ended: Promise<void> } {
    const [program = '', ...args] = command;
    const child = spawn(program, args, {
      stdio: ['ignore', stdout, 'inherit'],
      env: { PATH: process.env.PATH, ...this.#leaks.environment },
    });
    this.others.add(child.pid ?? 0);
    const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
    return { child, ended: within(program, ended, 25_000) };
  }

  /** Runs it to its end, and moves all of it. */
  async write(text: string, path = this.log, how: How = {}): Promise<void> {
    const { stdout, close } = this.open(path, how);
    const { ended } = this.start(['printf', '%s', text], stdout);
    close();
    await ended;
    await this.over(how.run ?? run(1));
  }

  /** The leader of this run is gone, and what it wrote is in its file. */
  over(of = run(1)): Promise<void> {
    return within('what it wrote', new Promise((resolve) => this.captures.ended(of, resolve)));
  }

  /** The config says something else about what becomes of output. */
  follow(change: Partial<LogSettings>): void {
    this.#logging = { ...PLAIN, ...change };
    this.captures.follow([
      { name: programName('worker'), logs: { ...this.#logging, stdout: DEFAULT, stderr: DEFAULT } },
    ]);
  }

  /** The log as it was asked for last. */
  aim(change: Partial<LogSettings> = {}): FileAim {
    return { path: this.log, logging: { ...this.#logging, ...change } };
  }

  rotate(change: Partial<LogSettings> = {}): readonly Handled[] {
    return this.captures.rotate([this.aim(change)]);
  }

  /** What an earlier daemon has begun is taken over. */
  adopt(how: Partial<Adopted> = {}): void {
    const nowhere = { pid: null, stdout: null, stderr: null };
    this.captures.adopt({ id: ID, run: run(1), logging: this.#logging, ...nowhere, ...how });
  }

  /** What has been written so far is in its file, also where this machine takes its time. */
  drain(id = ID): Promise<void> {
    const asked = run(1_000_000);
    this.adopt({ id, run: asked });
    return this.over(asked);
  }

  /** As a daemon that ends. */
  close(done = (): void => {}): void {
    const [captures, plumbing] = [this.#captures, this.#plumbing];
    this.#captures = null;
    this.#plumbing = null;
    if (captures === null) done();
    else
      captures.close(() => {
        plumbing?.close();
        done();
      });
  }
}

export function useScene(leaks: LeakCheck): () => Scene {
  const scenes: Scene[] = [];
  afterEach(async () => {
    for (const scene of scenes.splice(0)) {
      await within('the end of captures', new Promise<void>((resolve) => scene.close(resolve)));
      remove(scene.folder);
      await reap(ownChildren().filter((pid) => !scene.others.has(pid)));
    }
  });
  return () => {
    const scene = new Scene(leaks);
    scenes.push(scene);
    return scene;
  };
}

/** Where somebody still writes although the test has failed, it is the leak check that says so. */
function remove(folder: string): void {
  try {
    rmSync(folder, { recursive: true, force: true });
  } catch {
    // There is more in it already.
  }
}

const ownChildren = (): number[] =>
  canCarry
    ? readFileSync(`/proc/self/task/${process.pid}/children`, 'utf8').split(' ').map(Number).filter(Boolean)
    : [];

/** A keeper that was left for the next daemon is a child of this process, which is no init. */
async function reap(pids: readonly number[]): Promise<void> {
  const libc = loadLibc();
  await until('the end of a keeper', () => pids.every((pid) => libc?.childState(pid) !== 'alive'));
  for (const pid of pids) if (libc?.childState(pid) === 'dead') libc.reap(pid);
}

function raise(why: string): never {
  throw new Error(why);
}

/** Looks again and again, each time after something may have happened; a deadline says what was waited for. */
export async function until(what: string, fits: () => boolean): Promise<void> {
  const deadline = performance.now() + 20_000;
  while (!fits()) {
    if (performance.now() > deadline) throw new Error(`waited for ${what}, in vain`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** The same sequence for the same seed. */
export function dice(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}
