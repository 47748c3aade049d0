/** A daemon that is not simply where the config says: the file has mistakes by now, or says another name. */
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { workingFolder } from '../../src/cli/io.ts';
import { whereabouts } from '../../src/cli/whereabouts.ts';
import { claimsFolder, marksOf } from '../../src/config/claim.ts';
import { acquireLock } from '../../src/os/lock.ts';
import { type FakeDaemon, fakeDaemon, refusal } from './fake-daemon.ts';
import { action, created, rollout, status } from './samples.ts';
import { command, terminal } from './terminal.ts';

let daemon: FakeDaemon;
let folder: string;
let reply: ReturnType<typeof status>;

beforeEach(async () => {
  reply = status();
  daemon = await fakeDaemon({
    'GET /v1/status': reply,
    'POST /v1/stop': action(),
    'POST /v1/signal': action(),
    'POST /v1/scale': action(),
    'POST /v1/start': action(),
    'POST /v1/reload': refusal(422, 'config_invalid', 'the whole report'),
    'POST /v1/restart': refusal(422, 'config_invalid', 'the whole report'),
    'POST /v1/rollouts': created(),
    'GET /v1/rollouts': { version: 1, rollouts: [rollout({ state: 'succeeded' })] },
    'GET /v1/events': (response: { end(): void }) => response.end(),
    'GET /v1/logs': {
      version: 1,
      files: [{ instance: 'worker:0', stream: 'merged', path: '/nowhere/worker-0.log' }],
    },
  });
  folder = mkdtempSync(join(tmpdir(), 'whereabouts-'));
  Object.assign(reply.daemon, { config: file() });
});
afterEach(async () => {
  await daemon.close();
  rmSync(folder, { recursive: true, force: true });
});

const file = () => join(folder, 'supervisor.yaml');
const environment = () => ({ HOME: folder, XDG_RUNTIME_DIR: folder });
const ask = (...argv: string[]) => command(argv, { cwd: folder, env: environment() });

/** As `run_dir` has it, so that the test needs no folder of the system. */
const configure = (head: string, rest = 'programs: { worker: { comand: x } }') =>
  writeFileSync(file(), `${head}\n${rest}\n`);

/** As a daemon that runs does it. */
function note(socket = daemon.socket): void {
  const config = file();
  const uid = process.getuid?.() ?? -1;
  // Root's notes are the system's: those of the test are beside its own folders only for other users.
  const notes = claimsFolder({ environment: environment(), uid, home: folder, tmp: folder });
  mkdirSync(notes, { recursive: true, mode: 0o700 });
  const path = join(notes, `test-${process.pid}`);
  // Daemons of other tests take away what belongs to nobody that lives.
  const life = acquireLock(`${path}.lock`);
  const claim = { name: 'before', pid: 4711, config, marks: marksOf(config), socket };
  writeFileSync(`${path}.json`, JSON.stringify(claim));
  afterNote = () => {
    rmSync(`${path}.json`, { force: true });
    rmSync(`${path}.lock`, { force: true });
    if (life.ok) life.value.release();
    afterNote = () => {};
  };
}
let afterNote = () => {};
afterEach(() => afterNote());

const REMARK =
  'tsup-visor: supervisor.yaml has 1 mistake, see "tsup-visor config check"; the daemon runs with the config it has\n';

test.each([
  [['status']],
  [['logs']],
  [['events']],
  [['stop', 'worker']],
  [['scale', 'worker=4']],
  [['signal', 'HUP', 'worker']],
  [['start', 'worker']],
  [['rollout', 'status']],
])('%s goes on past a mistake in the config, with a word about it', async (argv) => {
  configure(`supervisor: { run_dir: ${daemon.folder} }`);
  const { exit, err } = await ask(...argv);
  expect({ exit, err }).toEqual({ exit: 0, err: REMARK });
});

test.each([[['reload']], [['restart', 'worker']]])(
  '%s is refused by the daemon, and says no more than that',
  async (argv) => {
    configure(`supervisor: { run_dir: ${daemon.folder} }`);
    expect(await ask(...argv)).toEqual({ exit: 5, out: '', err: 'tsup-visor: the whole report\n' });
  },
);

test('a file that is no YAML any more still says where its daemon is', async () => {
  configure(`supervisor: { run_dir: ${daemon.folder} }`, '<<<<<<< HEAD\n\tprograms: [');
  const { exit, err } = await ask('stop', '--all');
  expect(exit).toBe(0);
  expect(err).toMatch(/^tsup-visor: supervisor.yaml has \d mistakes?, see "tsup-visor config check"; /);
});

test('with --socket the config is not looked at', async () => {
  configure('<<<<<<<');
  expect(await ask('--socket', daemon.socket, 'stop', 'worker')).toMatchObject({ exit: 0, err: '' });
});

test('where no daemon is to be found the mistakes are shown', async () => {
  configure(`supervisor: { run_dir: ${folder} }`);
  for (const argv of [['status'], ['start']]) {
    const { exit, err } = await ask(...argv);
    expect(exit).toBe(5);
    expect(err).toContain('unknown key "comand"');
  }
});

test('one that runs with another config is not taken for that of the broken one', async () => {
  Object.assign(reply.daemon, { config: '/srv/other/supervisor.yaml' });
  configure(`supervisor: { run_dir: ${daemon.folder} }`);
  expect((await ask('status')).exit).toBe(5);
});

test('a daemon that was started before the file became noise is found by what it noted down', async () => {
  writeFileSync(file(), 'noise');
  note();
  const { exit, err } = await ask('status');
  expect({ exit, err }).toEqual({ exit: 0, err: REMARK });
});

test.each([
  ['found in the folder', []],
  ['named', ['-c', 'supervisor.yaml']],
])('a daemon whose file is gone is found by what it noted down: %s', async (_, named) => {
  configure('');
  note();
  rmSync(file());
  const remark = `tsup-visor: ${file()} is not there any more; the daemon runs with the config it has\n`;
  for (const argv of [['status'], ['stop', 'worker'], ['scale', 'worker=4']]) {
    expect(await ask(...named, ...argv)).toMatchObject({ exit: 0, err: remark });
  }
  afterNote();
  const { exit, err } = await ask(...named, 'status');
  expect(exit).toBe(5);
  expect(err).toMatch(/cannot find (a|the) config/);
});

const renamed = () => configure('supervisor: { run_dir: new }', 'programs: { worker: { command: x } }');

test('a daemon that the file calls by another name now is asked all the same, and named', async () => {
  renamed();
  note();
  const { exit, err } = await ask('stop', 'worker');
  expect(exit).toBe(0);
  expect(err).toBe(
    `tsup-visor: no daemon is at ${folder}/new/control.sock; asking "before" at ${daemon.socket}, which runs with the same supervisor.yaml\n`,
  );
});

test('but no second one is started', async () => {
  renamed();
  note();
  expect(await ask('start')).toEqual({
    exit: 6,
    out: '',
    err: `tsup-visor: the daemon "before" (pid 4711) runs with this config file already; end it first with "tsup-visor --socket ${daemon.socket} shutdown", or give the second fleet a config file of its own\n`,
  });
  expect(daemon.asked.map(({ path }) => path)).not.toContain('/v1/start');
});

test('a daemon that comes up while one looks is not one of another name', async () => {
  renamed();
  // What is no socket at the first look, and leads to one when it is asked.
  const socket = join(folder, 'control.sock');
  symlinkSync(daemon.socket, socket);
  note(socket);
  const { io } = terminal({ cwd: folder, env: environment() });
  expect(await whereabouts(file(), socket, io)).toEqual({ socket, given: false });
});

test('a note of a daemon that answers no more, or with another config, is nothing', async () => {
  renamed();
  note();
  Object.assign(reply.daemon, { config: '/srv/other/supervisor.yaml' });
  expect((await ask('status')).exit).toBe(4);
});

test('the working folder is the one that the shell shows, if it is that', () => {
  const link = join(folder, 'link');
  symlinkSync(process.cwd(), link);
  expect(workingFolder(link)).toBe(link);
  expect(workingFolder(folder)).toBe(process.cwd());
  expect(workingFolder('/nonexistent')).toBe(process.cwd());
  expect(workingFolder('.')).toBe(process.cwd());
  expect(workingFolder(`${link}/../link`)).toBe(process.cwd());
  expect(workingFolder(undefined)).toBe(process.cwd());
});
