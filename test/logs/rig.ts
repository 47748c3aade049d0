/** Captures on a folder of their own, which is gone after the test, and programs that write into them. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach } from 'vitest';
import { type InstanceId, instanceId, programName, type Run, run } from '../../src/base/ids.ts';
import { Captures } from '../../src/logs/captures.ts';
import { loadLibc } from '../../src/os/libc.ts';
import { openLog } from '../../src/os/output.ts';
import { createPlumbing } from '../../src/os/plumbing.ts';
import { allPids, readStat } from '../../src/os/proc.ts';
import type { Plumbing } from '../../src/ports/plumbing.ts';
import type { Credentials } from '../../src/ports/processes.ts';
import type { LeakCheck } from '../rig/leaks.ts';
import { within } from '../rig/within.ts';

/** Null where nothing can be carried: there is nothing to be tried then. */
export const canCarry = (() => {
  const plumbing = createPlumbing();
  plumbing?.close();
  return plumbing !== null;
})();

export const ID: InstanceId = instanceId(programName('worker'), 0);

interface How {
  readonly run?: Run;
  readonly id?: InstanceId;
  /** Null: nowhere; by default stdout's own. */
  readonly stderr?: string | null;
  readonly credentials?: Credentials | null;
}

export class Scene {
  readonly folder = mkdtempSync(join(tmpdir(), 'captures-'));
  readonly fifos = join(this.folder, 'fifos');
  readonly log = join(this.folder, 'worker-0.log');
  readonly said: string[] = [];
  readonly warned: string[] = [];
  /** What stands between the captures and the system. */
  through: (plumbing: Plumbing) => Plumbing = (plumbing) => plumbing;
  readonly #leaks: LeakCheck;
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
    const opened = this.captures.openOutput({ run: number, id, stdout: path, stderr, credentials });
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
    const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
    return { child, ended: within(program, ended, 25_000) };
  }

  /** Runs it to its end, and moves all of it. */
  async write(text: string, path = this.log, how: How = {}): Promise<void> {
    const { stdout, close } = this.open(path, how);
    const { ended } = this.start(['printf', '%s', text], stdout);
    close();
    await ended;
    this.captures.ended(how.run ?? run(1));
  }

  /** As a daemon that ends. */
  close(done?: () => void): void {
    this.#captures?.close(done);
    this.#captures = null;
    this.#plumbing?.close();
    this.#plumbing = null;
  }
}

export function useScene(leaks: LeakCheck): () => Scene {
  const scenes: Scene[] = [];
  afterEach(async () => {
    for (const scene of scenes.splice(0)) {
      scene.close();
      rmSync(scene.folder, { recursive: true, force: true });
      await reapKeeper(scene.folder);
    }
  });
  return () => {
    const scene = new Scene(leaks);
    scenes.push(scene);
    return scene;
  };
}

/** One that was left for the next daemon is a child of this process, which is no init. */
async function reapKeeper(folder: string): Promise<void> {
  await until('the end of a keeper', () => {
    for (const pid of ownChildren()) if (loadLibc()?.childState(pid) === 'dead') loadLibc()?.reap(pid);
    // One that is about to be dead has lost its command already.
    return !ownChildren()
      .map(commandOf)
      .some((command) => command === '' || command.includes(folder));
  });
}

const ownChildren = (): number[] => allPids().filter((pid) => readStat(pid)?.ppid === process.pid);

function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return '';
  }
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
