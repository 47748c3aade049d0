/** A small daemon as PID 1 of a world of its own: does what is said here, and prints what it saw as JSON. */
import { execFile, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { instanceId, programName, run } from '../../src/base/ids.ts';
import { createProcesses } from '../../src/os/processes.ts';
import { PLAIN } from './logging.ts';

const folder = mkdtempSync(join(tmpdir(), 'pid-one-'));
const id = instanceId(programName('worker'), 0);
const environment = { PATH: process.env.PATH ?? '' };
const exits: unknown[] = [];
const processes = createProcesses({
  runDir: folder,
  warn: (text) => exits.push(text),
  events: {
    spawned() {},
    spawnFailed: (_, stage, message) => exits.push({ stage, message }),
    exited: (run, exit) => exits.push({ run, exit }),
    tree() {},
    notified() {},
  },
});

const zombies = (): number =>
  readdirSync('/proc').filter((name) => {
    if (!/^\d+$/.test(name)) return false;
    try {
      const stat = readFileSync(`/proc/${name}/stat`, 'latin1');
      return stat.charAt(stat.lastIndexOf(')') + 2) === 'Z';
    } catch {
      return false;
    }
  }).length;

const codeOf = (script: string, detached: boolean): Promise<number | null> =>
  new Promise((resolve) => {
    spawn('sh', ['-c', script], { detached, stdio: 'ignore' }).once('exit', (code) => resolve(code));
  });

const execute = (command: readonly string[]): Promise<unknown> =>
  new Promise((resolve) => {
    const rest = { id, directory: folder, environment, credentials: null, umask: null, timeoutMs: 5000 };
    processes.execute({ ...rest, command }, resolve);
  });

async function until(fits: () => boolean): Promise<boolean> {
  for (let left = 1000; left > 0 && !fits(); left--) await new Promise((resolve) => setTimeout(resolve, 5));
  return fits();
}

let heard = '';
process.once('SIGTERM', () => {
  heard = 'TERM';
});

processes.spawn({
  run: run(1),
  id,
  command: ['sh', '-c', 'for i in 1 2 3 4 5 6 7 8 9; do (setsid sh -c "sleep 0.1; exit $i" &); done; exit 3'],
  directory: folder,
  environment,
  stdout: null,
  stderr: null,
  logging: PLAIN,
  credentials: null,
  umask: null,
  nice: null,
  limits: { resources: {}, memoryMax: null, cpuMax: null },
});
// Strangers: nobody here knows of them before they are orphans of ours.
for (let i = 0; i < 20; i++)
  execFile('sh', ['-c', '(setsid sh -c "sleep 0.05" &) ; (sh -c "sleep 0.05" &)'], () => {});
const codes = await Promise.all([
  codeOf('exit 7', true),
  codeOf('sleep 0.1; exit 8', false),
  codeOf('kill -9 $$', true),
]);
const command = await execute(['sh', '-c', 'kill -TERM 1; exit 0']);
const failing = await execute(['sh', '-c', '(setsid sleep 0.1 &); echo why >&2; exit 9']);
const clean = await until(() => zombies() === 0 && exits.length > 0);
const term = await until(() => heard === 'TERM');
const tree = processes.strays;
processes.close();
rmSync(folder, { recursive: true, force: true });
process.stdout.write(JSON.stringify({ pid: process.pid, exits, codes, command, failing, clean, term, tree }));
process.exit();
