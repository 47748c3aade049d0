/** A daemon in the test's own process, on a folder of its own, that is down and gone after the test. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Result } from '../../src/base/result.ts';
import { createDaemon, type Daemon, type Unstarted } from '../../src/daemon/daemon.ts';
import { loadLibc } from '../../src/os/libc.ts';
import type { ActionReply } from '../../src/protocol/replies.ts';
import type { InstanceStatus, StatusReply } from '../../src/protocol/status.ts';
import type { LeakCheck } from '../rig/leaks.ts';
import { within } from '../rig/within.ts';
import { type Reply, request } from './wire.ts';

export type Programs = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

const shell = (script: string): readonly string[] => ['/bin/sh', '-c', script];

/** What all programs here have in common: short limits, so that a test that goes wrong ends soon. */
const QUICK = {
  ready: { when: 'notify', timeout: '5s' },
  drain: { timeout: '20s' },
  stop: { timeout: '1s' },
  backoff: { initial: '50ms', factor: 1, max: '50ms', jitter: '0%' },
  rollout: { min_healthy_time: '50ms', healthy_deadline: '3s' },
  logs: { stdout: 'none' },
};

export const PROGRAMS = {
  steady: { ...QUICK, command: shell('echo READY=1 >&3; exec sleep 1000') },
  crashesAtOnce: { ...QUICK, command: shell('exit 7') },
  neverReady: { ...QUICK, command: shell('exec sleep 1000'), ready: { when: 'notify', timeout: 'none' } },
  ignoresTerm: { ...QUICK, command: shell('trap "" TERM; echo READY=1 >&3; while :; do sleep 0.05; done') },
} as const;

export class World {
  readonly folder = mkdtempSync(join(tmpdir(), 'daemon-'));
  readonly configFile = join(this.folder, 'supervisor.yaml');
  readonly said: string[] = [];
  #daemon: Daemon | undefined;
  #handedOver = false;
  readonly #leaks: LeakCheck;

  constructor(leaks: LeakCheck) {
    this.#leaks = leaks;
    // The daemon is this process, so what it starts inherits the mark by which leaks are found.
    Object.assign(process.env, leaks.environment);
  }

  get socket(): string {
    return join(this.folder, 'run/control.sock');
  }

  get daemon(): Daemon {
    if (this.#daemon === undefined) throw new Error('no daemon was started');
    return this.#daemon;
  }

  configure(programs: Programs, supervisor: object = {}): void {
    const folders = { name: 'test', run_dir: 'run', state_dir: 'state', log_dir: 'logs' };
    this.write(JSON.stringify({ supervisor: { ...folders, ...supervisor }, programs }));
  }

  write(config: string): void {
    writeFileSync(this.configFile, config);
  }

  create(socket?: string): Promise<Result<Daemon, Unstarted>> {
    return createDaemon({
      configFile: this.configFile,
      socket,
      echo: (text) => void this.said.push(text),
    });
  }

  /** Creates the daemon; nothing is started in it. */
  async begin(programs?: Programs, supervisor?: object): Promise<Daemon> {
    if (programs !== undefined) this.configure(programs, supervisor);
    const made = await this.create();
    if (!made.ok) throw new Error(made.error.message);
    this.#daemon = made.value;
    return made.value;
  }

  /** The daemon leaves what runs alone, and the next one takes it up. */
  async handOver(): Promise<Daemon> {
    this.daemon.leave();
    await within('the daemon to end', this.daemon.ended);
    this.#daemon = undefined;
    this.#handedOver = true;
    return this.begin();
  }

  request(method: string, path: string, body?: unknown): Promise<Reply> {
    return request(this.socket, method, path, body);
  }

  /** A request that is to be granted. */
  async ask<T>(method: string, path: string, body?: unknown): Promise<T> {
    const { status, json } = await this.request(method, path, body);
    if (status !== 200) throw new Error(`${method} ${path}: ${status} ${JSON.stringify(json)}`);
    return json as T; // whoever asks knows the route's reply
  }

  act(what: 'start' | 'stop' | 'restart', selectors: string[], more: object = {}): Promise<ActionReply> {
    return this.ask('POST', `/v1/${what}`, { selectors, ...more });
  }

  status = (): Promise<StatusReply> => this.ask('GET', '/v1/status?usage=0');

  async instance(id: string): Promise<InstanceStatus> {
    const found = (await this.status()).instances.find((instance) => instance.id === id);
    if (found === undefined) throw new Error(`no instance ${id}`);
    return found;
  }

  /** Waits until the status is as wanted; the daemon's events say when to look again. */
  see(what: string, isSo: (status: StatusReply) => boolean): Promise<StatusReply> {
    return within(
      what,
      new Promise((resolve, reject) => {
        const look = (): void => {
          this.status().then((status) => isSo(status) && resolve(status), reject);
        };
        this.daemon.follow(look);
        look();
      }),
    );
  }

  /** Kills whatever there is, if the test has not brought it down. */
  async close(): Promise<void> {
    this.#daemon?.shutDown('kill');
    if (this.#daemon !== undefined) await within('the daemon to end', this.#daemon.ended);
    this.#daemon = undefined;
    if (this.#handedOver) bury();
    for (const name of Object.keys(this.#leaks.environment)) delete process.env[name];
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** What an earlier daemon has begun are children of this very process, as no next daemon's would be. */
function bury(): void {
  const libc = loadLibc();
  for (let pid = libc?.deadChild() ?? 0; pid > 0; pid = libc?.deadChild() ?? 0) libc?.reap(pid);
}
