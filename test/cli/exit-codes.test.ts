/** What a command's exit code says. */
import { chmodSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { ERROR_KINDS, type ErrorKind, EXIT } from '../../src/protocol/errors.ts';
import { type Answer, type FakeDaemon, fakeDaemon, refusal } from './fake-daemon.ts';
import { action, created, draining, instance, rollout, status } from './samples.ts';
import { command } from './terminal.ts';

let daemon: FakeDaemon | undefined;

afterEach(async () => {
  await daemon?.close();
  daemon = undefined;
});

async function ask(script: Readonly<Record<string, Answer>>, ...argv: string[]) {
  daemon = await fakeDaemon(script);
  return command(['--socket', daemon.socket, ...argv]);
}

const KINDS = Object.keys(ERROR_KINDS) as ErrorKind[]; // the keys of the table itself

test.each(KINDS)(
  'a daemon that answers %s gives its exit code, its sentence and its hint on stderr',
  async (kind) => {
    const { http, exit } = ERROR_KINDS[kind];
    const result = await ask(
      { 'POST /v1/stop': refusal(http, kind, 'no such thing', 'try another') },
      'stop',
      'x',
    );
    expect(result).toEqual({ exit, out: '', err: 'tsup-visor: no such thing; try another\n' });
  },
);

test('after the lines of a report the hint has a line of its own', async () => {
  const report = 'x.yaml has 1 mistake\nx.yaml:1:1: wrong\n   1 | x\n     | ^';
  const wrong = refusal(422, 'config_invalid', report, 'nothing was changed');
  const { err } = await ask({ 'POST /v1/restart': wrong }, 'restart', 'x');
  expect(err).toBe(`tsup-visor: ${report}\nnothing was changed\n`);
});

test('a kind of error that only a newer daemon knows is a failure', async () => {
  const result = await ask({ 'GET /v1/status': refusal(418, 'teapot', 'it is short and stout') }, 'status');
  expect(result.exit).toBe(EXIT.failed);
});

test('where no daemon answers the exit code is 4 and the next step is named', async () => {
  const result = await command(['--socket', '/nonexistent/control.sock', 'status']);
  expect(result).toEqual({
    exit: EXIT.noDaemon,
    out: '',
    err: 'tsup-visor: no daemon answers at /nonexistent/control.sock; start one with "tsup-visor --socket /nonexistent/control.sock start"\n',
  });
});

test('where a daemon was killed it is said that its instances may run on, and a shutdown is not done', async () => {
  daemon = await fakeDaemon({});
  const socket = await socketOfTheDead(daemon.folder);
  const err = `tsup-visor: no daemon answers at ${socket}; the last one did not end in good order, and what it ran may run on: "tsup-visor --socket ${socket} start" takes care of that\n`;
  expect(await command(['--socket', socket, 'status'])).toEqual({ exit: EXIT.noDaemon, out: '', err });
  expect(await command(['--socket', socket, 'shutdown'])).toEqual({ exit: EXIT.noDaemon, out: '', err });
});

/** A server takes away the socket that it has made, unless that has another name by then. */
async function socketOfTheDead(folder: string): Promise<string> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(join(folder, 'alive'), resolve));
  renameSync(join(folder, 'alive'), join(folder, 'dead'));
  await new Promise((resolve) => server.close(resolve));
  return join(folder, 'dead');
}

test('a resume that has failed again by the time of the answer exits with 1', async () => {
  const paused = rollout({ state: 'paused', reason: 'worker:1 exited with code 1' });
  const script = {
    'GET /v1/rollouts': { version: 1, rollouts: [paused] },
    'POST /v1/rollouts/7/resume': { version: 1, rollout: paused },
    'POST /v1/rollouts/7/pause': { version: 1, rollout: paused },
  };
  expect((await ask(script, 'rollout', 'resume')).exit).toBe(EXIT.failed);
  await daemon?.close();
  expect((await ask(script, 'rollout', 'pause')).exit).toBe(EXIT.done);
});

test.each(['restart', 'rolling-restart'])('%s without a selector says what to name', async (name) => {
  const { exit, err } = await command([name]);
  expect({ exit, err }).toEqual({
    exit: EXIT.usage,
    err: "tsup-visor: no SELECTOR is given; name programs or instances, or '*' for all\n",
  });
});

test('a file that is no socket counts as no daemon', async () => {
  daemon = await fakeDaemon({});
  const file = join(daemon.folder, 'plain');
  writeFileSync(file, '');
  expect((await command(['--socket', file, 'status'])).exit).toBe(EXIT.noDaemon);
});

test.skipIf(process.getuid?.() === 0)('a socket that may not be opened names the permission', async () => {
  daemon = await fakeDaemon({ 'GET /v1/status': status() });
  chmodSync(daemon.socket, 0o000);
  const result = await command(['--socket', daemon.socket, 'status']);
  expect(result.exit).toBe(EXIT.noDaemon);
  expect(result.err).toContain('permission denied');
});

test('a daemon that hangs up before it has answered is no daemon', async () => {
  const result = await ask({ 'GET /v1/status': (response) => response.destroy() }, 'status');
  expect(result.exit).toBe(EXIT.noDaemon);
  expect(result.err).toContain('went away before it had answered');
  expect(result.err).toMatch(/"tsup-visor .* start" brings it back/);
});

test('a daemon of another protocol is told apart, with what to do', async () => {
  const result = await ask({ 'GET /v1/status': { ...status(), version: 2 } }, 'status');
  expect(result.exit).toBe(EXIT.failed);
  expect(result.err).toContain('the daemon speaks version 2 of the protocol and this client version 1');
  expect(result.err).toMatch(/"tsup-visor .*upgrade" makes the daemon \S+, and no instance notices/);
});

test('something that is no daemon at all is told apart', async () => {
  const result = await ask({ 'GET /v1/status': (response) => response.end('<html>') }, 'status');
  expect(result.exit).toBe(EXIT.failed);
  expect(result.err).toContain('does not speak as a tsup-visor daemon');
});

const SOON = '2026-02-01T00:00:00.000Z';

test.each([
  ['everything runs and is ready', [instance()], EXIT.done],
  ['an operator has stopped it', [instance({ state: 'stopped', wanted: 'down' })], EXIT.done],
  ['it has finished, as its config allows', [instance({ state: 'exited', ready: false })], EXIT.done],
  ['it is not ready yet', [instance({ state: 'starting', ready: false })], EXIT.degraded],
  ['it runs but is not ready', [instance({ ready: false })], EXIT.degraded],
  ['it is tried again later', [instance({ state: 'backoff', ready: false })], EXIT.degraded],
  ['it has been given up', [instance({ state: 'failed', ready: false })], EXIT.degraded],
  ['it drains for a rollout', [instance(), draining({ id: 'worker:1' })], EXIT.degraded],
  ['it runs but is not healthy', [instance({ healthy: false })], EXIT.degraded],
  ['it waits for its time', [instance({ state: 'waiting', ready: false, next_run: SOON })], EXIT.done],
  ['its time has come', [instance({ state: 'starting', ready: false, next_run: SOON })], EXIT.done],
  ['its timely run fails', [instance({ state: 'backoff', ready: false, next_run: SOON })], EXIT.degraded],
  ['it waits for another', [instance({ state: 'waiting', ready: false, waits_for: 'redis' })], EXIT.degraded],
  [
    'its time has come and it waits for another',
    [instance({ state: 'waiting', ready: false, waits_for: 'redis', next_run: SOON })],
    EXIT.degraded,
  ],
  ['there is nothing', [], EXIT.done],
] as const)('status, when %s', async (_, instances, exit) => {
  expect((await ask({ 'GET /v1/status': status(instances) }, 'status')).exit).toBe(exit);
});

test.each([
  [['start', 'worker'], 'POST /v1/start'],
  [['stop', 'worker'], 'POST /v1/stop'],
  [['restart', '--keep-config', 'worker'], 'POST /v1/restart'],
] as const)('%s fails with 1 when an instance did not get there, and says which', async (argv, route) => {
  const bad = {
    id: 'worker:1',
    state: 'failed',
    ok: false,
    already: false,
    message: 'worker:1 exited with code 3',
  };
  const reply = { ...action(), instances: [...action().instances.slice(0, 1), bad] };
  const result = await ask({ [route]: reply }, ...argv);
  expect(result.exit).toBe(EXIT.failed);
  expect(result.out).toContain('worker:1 exited with code 3');
});

test.each([
  ['succeeded', EXIT.done],
  ['paused', EXIT.failed],
  ['failed', EXIT.failed],
  ['aborted', EXIT.failed],
  ['reverted', EXIT.failed],
] as const)('a rolling restart that ends %s', async (state, exit) => {
  const ended = rollout({ state, reason: state === 'succeeded' ? null : 'worker:1 exited with code 1' });
  const script = {
    'POST /v1/rollouts': created(),
    'GET /v1/rollouts/7': { version: 1, rollout: ended },
    'GET /v1/events': (response: { end(): void }) => response.end(),
  };
  expect((await ask(script, 'rolling-restart', 'worker')).exit).toBe(exit);
});

test.each([
  [['statsu'], 'status'],
  [['status', '--jsn'], '--json'],
  [['start', '--forground'], '--foreground'],
  [['rollout', 'pasue'], 'pause'],
])('wrong usage (%s) exits with 2 and offers the likely word', async (argv, likely) => {
  const result = await command(argv);
  expect(result.exit).toBe(EXIT.usage);
  expect(result.out).toBe('');
  expect(result.err).toMatch(/^tsup-visor: /);
  expect(result.err).toContain(likely);
});

test.each([
  [['frob', '--help'], 'frob'],
  [['--help', 'frob'], 'frob'],
  [['help', 'frob'], 'frob'],
  [['-c', 'x', 'frob', '-h'], 'frob'],
  [['rollout', 'frob', '--help'], 'frob'],
  [['help', 'config', 'frob'], 'frob'],
])('help on a command that is not there (%s) says so and exits with 2', async (argv, name) => {
  expect(await command(argv)).toEqual({
    exit: EXIT.usage,
    out: '',
    err: `tsup-visor: unknown command '${name}'\n`,
  });
});

test.each([
  [['rollout', '--help']],
  [['help', 'rollout']],
  [['help', 'config', 'check']],
  [['-c', 'frob', 'stop', '--help']],
  [['logs', 'frob', '--help']],
])('help on one that is there (%s) exits with 0', async (argv) => {
  expect(await command(argv)).toMatchObject({ exit: EXIT.done, err: '' });
});

test.each([
  [['status'], { code: 4, kind: 'no_daemon', message: 'no daemon answers at /nonexistent' }],
  [['stop'], { code: 2, kind: 'usage', hint: 'name programs or instances, or give --all' }],
  [['statsu'], { code: 2, kind: 'usage', message: "unknown command 'statsu'", hint: 'Did you mean status?' }],
  [['status', '--nope'], { code: 2, kind: 'usage', message: "unknown option '--nope'" }],
  [['update'], { code: 2, message: 'unknown command "update"; here it is "tsup-visor reload"' }],
  [
    [],
    {
      code: 2,
      kind: 'usage',
      message: 'no command is given',
      hint: 'see "tsup-visor --help"',
    },
  ],
])('with --json an error is one object in one line (%s)', async (argv, error) => {
  const { out, err } = await command(['--json', '--socket', '/nonexistent', ...argv]);
  expect({ out, lines: err.split('\n').length }).toEqual({ out: '', lines: 2 });
  expect(JSON.parse(err)).toMatchObject({ error });
});

test('with --json what the daemon refuses bears its own kind', async () => {
  const wrong = refusal(404, 'no_match', 'nothing is called "x"', 'see "tsup-visor status"');
  const { exit, err } = await ask({ 'POST /v1/stop': wrong }, '--json', 'stop', 'x');
  expect(exit).toBe(EXIT.usage);
  const hint = `see "tsup-visor --socket ${daemon?.socket} status"`;
  expect(JSON.parse(err)).toEqual({
    error: { code: 2, kind: 'no_match', message: 'nothing is called "x"', hint },
  });
});

test.each([
  ['update', 'tsup-visor reload'],
  ['reread', 'tsup-visor reload --dry-run'],
  ['ps', 'tsup-visor status'],
])('%s, as another supervisor has it, exits with 2 and names ours', async (word, ours) => {
  expect(await command([word])).toEqual({
    exit: EXIT.usage,
    out: '',
    err: `tsup-visor: unknown command "${word}"; here it is "${ours}"\n`,
  });
});

test('reload of a single program exits with 2 and names what does that', async () => {
  const { exit, err } = await command(['reload', 'worker']);
  expect(exit).toBe(EXIT.usage);
  expect(err).toContain('"tsup-visor rolling-restart"');
});

test.each([
  [[]],
  [['stop']],
  [['stop', '--all', 'worker']],
  [['rolling-restart']],
  [['start', '--timeout', 'soon']],
  [['logs', '-n', 'many']],
  [['rolling-restart', 'worker', '--max-parallel', '0']],
  [['status', '--watch']],
])('wrong usage exits with 2: %s', async (argv) => {
  const result = await command(argv);
  expect(result).toMatchObject({ exit: EXIT.usage, out: '' });
  expect(result.err).not.toBe('');
});

test.each([[['--help']], [['help']], [['status', '--help']], [['--version']], [['version']]])(
  '%s exits with 0 and answers on stdout',
  async (argv) => {
    const result = await command(argv);
    expect(result).toMatchObject({ exit: EXIT.done, err: '' });
    expect(result.out).not.toBe('');
  },
);

test('a config with mistakes exits with 5 and shows each at its place', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'tsup-visor-cli-'));
  try {
    writeFileSync(join(folder, 'supervisor.yaml'), 'programs:\n  worker:\n    comand: node x.js\n');
    const result = await command(['config', 'check'], { cwd: folder });
    expect(result).toMatchObject({ exit: EXIT.configInvalid, out: '' });
    expect(result.err).toContain('supervisor.yaml:3:5');
    expect(result.err).toContain('did you mean "command"');
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('a config that is not there exits with 5 and says where was looked', async () => {
  const result = await command(['-c', '/nonexistent/supervisor.yaml', 'status']);
  expect(result.exit).toBe(EXIT.configInvalid);
  expect(result.err).toContain('/nonexistent/supervisor.yaml');
});

test('a shutdown where no daemon runs is done already', async () => {
  const result = await command(['--socket', '/nonexistent/control.sock', 'shutdown']);
  expect(result.exit).toBe(EXIT.done);
  expect(result.err).toContain('nothing to shut down');
});
