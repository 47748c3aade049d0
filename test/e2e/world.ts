/** A folder of its own for one test, in which the built command runs as a user would run it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import type { InstanceStatus, StatusReply } from '../../src/protocol/status.ts';
import { ROOT } from './build.ts';
import { endMarked, type Found, marked } from './processes.ts';
import { until } from './until.ts';

export interface Outcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A program as the config file has it, or anything that should be refused. */
export type Program = Readonly<Record<string, unknown>>;

export interface World {
  readonly dir: string;
  readonly runDir: string;
  /** Writes the config; the file is the same at each call, so this is how a deploy looks. */
  configure(programs: Readonly<Record<string, Program>>, more?: Program): void;
  /** Runs the command to its end. */
  cli(...args: string[]): Promise<Outcome>;
  /** The same, of another version: `home` is the folder of its package. */
  by(home: string, ...args: string[]): Promise<Outcome>;
  /** Starts the command and leaves it to the test. */
  begin(...args: string[]): Begun;
  /** Runs the command and fails with everything that it said unless it ends with 0. */
  succeed(...args: string[]): Promise<Outcome>;
  status(): Promise<StatusReply>;
  instance(id: string): Promise<InstanceStatus>;
  /** Waits until the status is as wanted. */
  see(what: string, isSo: (status: StatusReply) => boolean, timeoutMs?: number): Promise<StatusReply>;
  /** Living processes of this world: the daemon, the instances, and whatever came of them. */
  processes(): Found[];
  /** The same, to be shown when there should be none. */
  left(): string[];
  /** Of these, those that belong to an instance. */
  ofInstances(): Found[];
  /** Of these, those that belong to this run. */
  ofRun(run: number | null): string[];
  socket(): string;
  close(): Promise<void>;
}

export interface Begun {
  readonly child: ChildProcess;
  readonly ended: Promise<Outcome>;
  /** Waits for a line on stdout that matches. */
  prints(pattern: RegExp): Promise<string>;
}

export interface Circumstances {
  /** A command that starts ours: `unshare`, say. */
  readonly through?: readonly string[];
  /** Beside what the test itself has. */
  readonly environment?: Readonly<Record<string, string>>;
}

export function createWorld({ through = [], environment = {} }: Circumstances = {}): World {
  const dir = mkdtempSync(join(tmpdir(), 'tv-e2e-'));
  const config = join(dir, 'supervisor.yaml');
  const runDir = join(dir, 'run');
  const mark = `TV_TEST=${dir}`;
  const env = { ...process.env, TV_TEST: dir, NO_COLOR: '1', ...environment };

  const begin = (...args: string[]): Begun => beginBy(ROOT, ...args);
  const beginBy = (home: string, ...args: string[]): Begun => {
    const command = [...through, process.execPath, join(home, 'bin/tsup-visor.js'), '-c', config, ...args];
    const [file = '', ...rest] = command;
    const child = spawn(file, rest, { cwd: dir, env, stdio: ['ignore', 'pipe', 'pipe'] });
    return listen(child, args.join(' '));
  };
  const cli = (...args: string[]): Promise<Outcome> => begin(...args).ended;
  const status = async (): Promise<StatusReply> => {
    const { stdout, stderr } = await cli('status', '--json');
    if (stdout === '') throw new Error(`no status: ${stderr}`);
    return JSON.parse(stdout) as StatusReply; // what the command promises; the tests look at the rest
  };
  const processes = (): Found[] => marked(mark);

  return {
    dir,
    runDir,
    configure(programs, more = {}) {
      const supervisor = {
        name: 'e2e',
        run_dir: runDir,
        state_dir: join(dir, 'state'),
        log_dir: join(dir, 'logs'),
      };
      writeFileSync(config, JSON.stringify({ supervisor: { ...supervisor, ...more }, programs }, null, 2));
    },
    cli,
    by: (home, ...args) => beginBy(home, ...args).ended,
    begin,
    async succeed(...args) {
      const outcome = await cli(...args);
      if (outcome.code !== 0)
        throw new Error(`${args.join(' ')}: ${JSON.stringify(outcome, null, 2)}\n${logs(dir)}`);
      return outcome;
    },
    status,
    async instance(id) {
      const found = (await status()).instances.find((instance) => instance.id === id);
      if (found === undefined) throw new Error(`no instance ${id}`);
      return found;
    },
    async see(what, isSo, timeoutMs = 15_000) {
      let last: StatusReply | undefined;
      const look = async () => {
        last = await status();
        return isSo(last) ? last : undefined;
      };
      return until(what, look, { timeoutMs, everyMs: 100, seen: () => JSON.stringify(last, null, 1) });
    },
    processes,
    left: () => processes().map(shown),
    ofRun: (run) =>
      processes()
        .filter((found) => found.environment.includes(`TSUP_VISOR_RUN=${run}\0`))
        .map(shown),
    ofInstances: () => processes().filter((found) => found.environment.includes('TSUP_VISOR_RUN=')),
    socket() {
      const name = readdirSync(runDir).find((entry) => /^[^.].*\.sock$/.test(entry)); // no half-made one
      if (name === undefined) throw new Error(`no socket among ${readdirSync(runDir)}`);
      return join(runDir, name);
    },
    async close() {
      if (processes().length > 0) await Promise.race([cli('shutdown', '--now'), pause(3000)]).catch(() => {});
      await endMarked(mark);
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

const shown = ({ pid, command }: Found): string => `${pid} ${command}`;

const pause = (ms: number): Promise<void> => new Promise((done) => setTimeout(done, ms));

function listen(child: ChildProcess, what: string): Begun {
  const text = { stdout: '', stderr: '' };
  const gather = (stream: Readable | null, key: keyof typeof text) =>
    stream?.setEncoding('utf8').on('data', (chunk: string) => {
      text[key] += chunk;
    });
  gather(child.stdout, 'stdout');
  gather(child.stderr, 'stderr');
  // `exit`, not `close`: were the daemon to keep our pipe, the test would wait for it.
  const closed = once(child, 'close');
  const ended = once(child, 'exit').then(async ([code]): Promise<Outcome> => {
    await Promise.race([closed, pause(200)]);
    // A test that was held up itself has not looked yet: what was written is read in the next turns of the loop.
    for (let turns = 2; turns > 0; turns--) await new Promise(setImmediate);
    return { code, ...text };
  });
  const prints = (pattern: RegExp): Promise<string> =>
    until(`${what} prints ${pattern}`, () => text.stdout.split('\n').find((line) => pattern.test(line)), {
      seen: () => text.stdout + text.stderr,
    });
  return { child, ended, prints };
}

/** What daemon and instances have written, for the message of a failing test. */
function logs(dir: string): string {
  const folder = join(dir, 'logs');
  if (!existsSync(folder)) return '';
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => `--- ${entry.name}\n${readFileSync(join(folder, entry.name), 'utf8').slice(-2000)}`)
    .join('\n');
}
