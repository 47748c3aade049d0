/** One daemon replaced by another version of itself, and all that keeps it from being replaced. */
import { spawnSync } from 'node:child_process';
import {
  appendFileSync,
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { getPriority } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, type TestContext } from 'vitest';
import { connect } from '../../src/client/index.ts';
import type { StatusReply } from '../../src/protocol/status.ts';
import { ROOT } from './build.ts';
import { newWorld } from './life.ts';
import { steady } from './puppets.ts';
import { until } from './until.ts';
import { edit, install, replaceDaemon, withoutKoffi } from './versions.ts';
import type { World } from './world.ts';

const told = ({ daemon, instances }: StatusReply) => ({
  daemon: daemon.pid,
  instances: instances.map(({ id, pid, run, restarts }) => ({ id, pid, run, restarts })),
});

/** Without the command, which takes its time. */
const status = (world: World): Promise<StatusReply> => connect(world.socket()).status({ usage: false });

const threadsOf = (pid: number): number[] => readdirSync(`/proc/${pid}/task`).map(Number);

/** Of its session among all others; empty where there is no such thing, as for those whom init has begun in its own. */
function sessionNice(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/autogroup`, 'latin1').split(' nice ')[1] ?? '';
  } catch {
    return '';
  }
}

/** A running fleet, and another version beside it. */
async function fleet(test: TestContext, worker: object = {}): Promise<{ world: World; next: string }> {
  const world = newWorld(test, { worker: { ...steady, instances: 2, ...worker } });
  const next = install(world.dir, '9.9.9');
  await world.succeed('start');
  return { world, next };
}

describe('upgrade', { timeout: 60_000 }, () => {
  it('makes another version of the same process, and leaves the instances as they are', async (test) => {
    const { world, next } = await fleet(test);
    const before = await status(world);
    const paceBefore = sessionNice(before.daemon.pid);
    const outcome = await world.by(next, 'upgrade');
    expect(outcome).toMatchObject({ code: 0, stderr: '' });
    expect(outcome.stdout).toMatch(
      /^upgraded the daemon from \d\S+ to 9\.9\.9 in \d+ ms; 2 instances run on untouched\n$/,
    );
    const after = await status(world);
    expect(told(after)).toEqual(told(before));
    expect(after.daemon).toMatchObject({ version: '9.9.9', handovers: 1 });
    // And back: the state of this version is readable by both.
    expect((await world.succeed('upgrade', '--json')).stdout).toMatch(/"from": "9\.9\.9"/);
    expect(told(await status(world))).toEqual(told(before));
    // It is a daemon like any other.
    await connect(world.socket()).restart({ selectors: ['worker:0'] });
    const { daemon, instances } = await status(world);
    const all = [daemon.pid, ...instances.map(({ pid }) => pid ?? 0), ...threadsOf(daemon.pid)];
    expect(new Set(all.map((pid) => getPriority(pid))), 'nobody is in a hurry any more').toEqual(
      new Set([getPriority()]),
    );
    expect(sessionNice(daemon.pid)).toBe(paceBefore);
    await world.succeed('shutdown');
    expect(world.left()).toEqual([]);
  });

  it('leaves the next daemon what has been reported, and what was given up', async (test) => {
    const world = newWorld(test, {
      busy: {
        ...steady,
        command: ['bash', '-c', 'printf "X_INFLIGHT=3\\nSTATUS=at it\\nREADY=1\\n" >&3; exec sleep 1000'],
      },
      broken: { ...steady, command: ['bash', '-c', 'exit 7'], backoff: { give_up_after: 1 } },
    });
    const next = install(world.dir, '9.9.9');
    await world.succeed('start', '--no-wait');
    const client = connect(world.socket());
    await until('all have settled', async () => {
      const { instances } = await client.status({ usage: false });
      return instances.every(({ state, ready }) => ready || state === 'failed');
    });
    const before = (await status(world)).instances.map(({ uptime_ms: _, ...rest }) => rest);
    expect(before).toMatchObject([
      { message: expect.stringContaining('at it') },
      { state: 'failed', last_exit: { code: 7 } },
    ]);
    expect(await world.by(next, 'upgrade')).toMatchObject({ code: 0, stderr: '' });
    expect((await status(world)).instances).toMatchObject(before);
  });

  it('keeps whoever waits for an instance waiting', async (test) => {
    const world = newWorld(test, {
      worker: {
        ...steady,
        command: ['bash', '-c', 'until [ -e go ]; do sleep 0.05; done; echo READY=1 >&3; exec sleep 1000'],
        ready: { when: 'notify', timeout: '1m' },
        directory: '.',
      },
    });
    const next = install(world.dir, '9.9.9');
    await world.succeed('start', '--no-wait');
    const client = connect(world.socket());
    const waiting = client.start({ selectors: ['worker'] });
    const events = world.begin('events', '--follow', '-n', '100');
    await events.prints(/the daemon has started/);
    expect(await world.by(next, 'upgrade')).toMatchObject({ code: 0, stderr: '' });
    writeFileSync(join(world.dir, 'go'), '');
    expect((await waiting).instances).toMatchObject([{ id: 'worker:0', ok: true }]);
    await events.prints(/worker:0 is ready/);
    await client.shutdown({ how: 'kill' });
    expect(await events.ended).toMatchObject({ code: 0, stderr: '' });
  });

  it('goes on in the same terminal', async (test) => {
    const world = newWorld(test, {
      worker: { ...steady, instances: 2 },
      idle: { ...steady, autostart: false },
    });
    const next = install(world.dir, '9.9.9');
    const daemon = world.begin('start', '--foreground');
    const ready = ({ instances }: StatusReply) => instances.filter((one) => one.ready).length === 2;
    await until('there is a daemon', () => existsSync(join(world.runDir, 'control.sock')));
    const client = connect(world.socket());
    await until('all are ready', async () => ready(await status(world)));
    await client.stop({ selectors: ['worker:1'] });
    const before = told(await status(world));
    expect(before.daemon).toBe(daemon.child.pid);
    expect(await world.by(next, 'upgrade')).toMatchObject({ code: 0, stderr: '' });
    expect(told(await status(world)), 'what was stopped stays so').toEqual(before);
    daemon.child.kill('SIGTERM');
    expect((await daemon.ended).code).toBe(0);
    expect(world.left()).toEqual([]);
  });

  it('does nothing where it is that very build, unless told to', async (test) => {
    const { world } = await fleet(test);
    expect((await world.succeed('upgrade')).stdout).toMatch(/^the daemon is \S+ already/);
    expect((await status(world)).daemon.handovers).toBe(0);
    expect((await world.succeed('upgrade', '--force')).stdout).toMatch(
      /^replaced the daemon by the installed build of /,
    );
    expect((await status(world)).daemon.handovers).toBe(1);
  });

  it('is refused while something is not written down, which the next daemon would not know', async (test) => {
    const { world, next } = await fleet(test);
    const state = join(world.dir, 'state');
    mkdirSync(join(state, 'journal.new', 'in-the-way'), { recursive: true });
    rmSync(join(state, 'journal'));
    await world.succeed('stop', 'worker:1');
    const refused = await world.by(next, 'upgrade');
    expect(refused).toMatchObject({
      code: 6,
      stderr: expect.stringMatching(/would not know what is not written down: cannot write .*journal/),
    });
    expect((await status(world)).daemon).toMatchObject({ handovers: 0 });
    rmSync(join(state, 'journal.new'), { recursive: true });
    await until('all is written', async () => (await status(world)).daemon.warnings.length === 0);
    expect(await world.by(next, 'upgrade')).toMatchObject({ code: 0, stderr: '' });
    expect((await status(world)).instances.map(({ state }) => state)).toEqual(['running', 'stopped']);
  });

  it('is refused by a version without koffi, and to one: the pipes of what runs could not be read', async (test) => {
    const { world, next } = await fleet(test);
    withoutKoffi(next);
    expect(await world.by(next, 'upgrade')).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/ cannot take over: koffi cannot be loaded there; nothing was changed/),
    });
    expect((await status(world)).daemon.handovers).toBe(0);
    // One that is started all the same says what becomes of that.
    process.kill((await status(world)).daemon.pid, 'SIGKILL');
    await world.by(next, 'start');
    const unread = /what is written by worker:0, worker:1 goes into pipes that cannot be read here/;
    expect((await status(world)).daemon.warnings.join('\n')).toMatch(unread);
    expect(await world.by(next, 'upgrade', '--force')).toMatchObject({
      code: 6,
      stderr: expect.stringMatching(
        /cannot upgrade in place: this daemon cannot load koffi here; "kill -KILL/,
      ),
    });
    await world.by(next, 'restart', 'worker');
    expect((await status(world)).daemon.warnings.join('\n')).not.toMatch(unread);
  });

  it('only tries with --dry-run', async (test) => {
    const { world, next } = await fleet(test);
    expect((await world.by(next, 'upgrade', '--dry-run')).stdout).toMatch(
      /^version 9\.9\.9 can take over from/,
    );
    expect((await status(world)).daemon.handovers).toBe(0);
  });

  it('says that there is no daemon, and what to do', async (test) => {
    const world = newWorld(test, { worker: steady });
    expect(await world.cli('upgrade')).toMatchObject({
      code: 4,
      stderr: expect.stringMatching(/no daemon answers at .*; start one with "tsup-visor -c \S+ start"/),
    });
  });

  it('hears how an instance ended whose daemon was just being replaced', async (test) => {
    const { world, next } = await fleet(test, {
      instances: 1,
      restart: 'never',
      command: ['bash', '-c', 'echo READY=1 >&3; until [ -e end ]; do sleep 0.01; done; exit 7'],
      directory: '.',
    });
    // The next daemon ends it before it has begun to look at anything.
    edit(join(next, 'dist/daemon.cjs'), (text) => endInstance(text, join(world.dir, 'end')));
    expect(await world.by(next, 'upgrade')).toMatchObject({ code: 0, stderr: '' });
    const { instances } = await world.see('it has ended', ({ instances: [one] }) => one?.pid === null);
    expect(instances[0]?.last_exit).toMatchObject({ code: 7, signal: null });
  });
});

/** Makes the file, and waits until the process that waits for it is a zombie. */
const endInstance = (program: string, file: string): string => `
if (process.env.TSUP_VISOR_HANDOVER !== undefined) {
  const fs = require('node:fs');
  fs.writeFileSync(${JSON.stringify(file)}, '');
  const isOurZombie = (pid) => {
    try {
      return fs.readFileSync('/proc/' + pid + '/stat', 'latin1').includes(') Z ' + process.pid + ' ');
    } catch {
      return false;
    }
  };
  for (const late = Date.now() + 10000; !fs.readdirSync('/proc').some(isOurZombie) && Date.now() < late; );
}
${program}`;

describe('upgrade changes nothing and says why', { timeout: 60_000 }, () => {
  const refused = async (
    { world, next }: { world: World; next: string },
    code: number,
    why: RegExp,
    ...more: string[]
  ): Promise<void> => {
    const before = told(await status(world));
    const outcome = await world.by(next, 'upgrade', ...more);
    expect(outcome).toMatchObject({ code, stdout: '' });
    expect(outcome.stderr).toMatch(why);
    const after = await status(world);
    expect(told(after)).toEqual(before);
    expect(after.daemon.handovers).toBe(0);
    await connect(world.socket()).restart({ selectors: ['worker:0'] }); // it goes on as if nothing had been
  };

  it('when the config has mistakes', async (test) => {
    const it = await fleet(test);
    appendFileSync(join(it.world.dir, 'supervisor.yaml'), '\nprogrms: {}\n');
    await expect(it.world.by(it.next, 'upgrade')).resolves.toMatchObject({
      code: 5,
      stderr: expect.stringMatching(/^tsup-visor: \S+ has \d mistakes/),
    });
    expect((await status(it.world)).daemon.handovers).toBe(0);
  });

  it('when the config has changes that nobody has asked for', async (test) => {
    const it = await fleet(test);
    it.world.configure({ worker: { ...steady, instances: 3 } });
    await refused(it, 6, /changes that are not applied yet.*worker: instances.*"tsup-visor .*reload"/);
  });

  it('when the state is of a future format', async (test) => {
    const it = await fleet(test);
    edit(join(it.next, 'dist/daemon.cjs'), (text) => text); // it knows no more than we do
    appendFileSync(join(it.world.dir, 'state/journal'), '"format"\t99\n');
    await refused(it, 1, /cannot take over: the state is of a later version \(format 99\)/);
  });

  it('when a record of the state cannot be read', async (test) => {
    const it = await fleet(test);
    appendFileSync(join(it.world.dir, 'state/journal'), '"rolling/7"\t{"id":7,"count":0,"format":2}\n');
    await refused(it, 1, /cannot take over: cannot read what was written down of rollout 7/);
  });

  it('when the other version crashes', async (test) => {
    const it = await fleet(test);
    replaceDaemon(it.next, 'throw new Error("not built for this machine")');
    await refused(it, 1, /does not say that it can take over: Error: not built for this machine/);
  });

  it('when the other version is not there', async (test) => {
    const it = await fleet(test);
    replaceDaemon(it.next, 'require("./gone.js")');
    await refused(it, 1, /Cannot find module/);
  });

  it('when the other version knows nothing of it', async (test) => {
    const it = await fleet(test);
    replaceDaemon(it.next, 'console.log("usage: daemon --config FILE"); process.exit(2)');
    await refused(it, 1, /does not say that it can take over: usage: daemon/);
  });

  it('when the other version hangs, which is ended', async (test) => {
    const it = await fleet(test);
    replaceDaemon(it.next, 'setInterval(() => {}, 1000)');
    await refused(it, 1, /has not answered within 10 s/);
    await until('it has been ended', () => it.world.left().every((text) => !text.includes('--prove')));
  });

  it('when a hook does not end in time', async (test) => {
    const world = newWorld(test, {
      worker: {
        ...steady,
        hooks: {
          post_start: { exec: ['sh', '-c', 'until [ -e go ]; do sleep 0.05; done'], timeout: '1m' },
        },
        directory: '.',
      },
    });
    const next = install(world.dir, '9.9.9');
    await world.succeed('start', '--no-wait');
    await until('its hook runs', () => world.left().some((text) => text.includes('until')));
    const outcome = await world.by(next, 'upgrade', '--timeout', '200ms');
    expect(outcome).toMatchObject({ code: 6, stdout: '' });
    expect(outcome.stderr).toMatch(/post_start of worker:0 is under way, and would be cut off/);
    // And waits for it where it ends.
    const waiting = world.by(next, 'upgrade');
    writeFileSync(join(world.dir, 'go'), '');
    expect(await waiting).toMatchObject({ code: 0 });
    await world.see('it is ready', ({ instances: [one] }) => one?.ready === true);
    expect(existsSync(join(ROOT, 'go'))).toBe(false);
  });

  it.skipIf(process.getuid?.() !== 0)('when another user asks, whom the socket lets in', async (test) => {
    const world = newWorld(test, {});
    world.configure({ worker: steady }, { socket_mode: '0666' });
    chmodSync(world.dir, 0o711);
    await world.succeed('start');
    const body = JSON.stringify({
      node: process.execPath,
      daemon: '/nowhere/daemon.js',
      command: '/nowhere',
    });
    const ask = `require('node:http').request({ socketPath: ${JSON.stringify(world.socket())}, method: 'POST', path: '/v1/upgrade' },
      (reply) => reply.setEncoding('utf8').on('data', (text) => console.log(reply.statusCode, text))).end(${JSON.stringify(body)})`;
    const asked = spawnSync(process.execPath, ['-e', ask], {
      uid: 65534,
      gid: 65534,
      cwd: '/',
      encoding: 'utf8',
    });
    expect(asked.stdout).toMatch(/^403 .*"forbidden".*only the user of the daemon may replace it, and root/);
    expect((await status(world)).daemon.handovers).toBe(0);
  });

  it('when it cannot become the other program after all', async (test) => {
    const it = await fleet(test);
    const before = told(await status(it.world));
    const client = connect(it.world.socket());
    // A Node that proves itself once, and is gone.
    const node = join(it.world.dir, 'node');
    writeFileSync(node, `#!/bin/sh\nrm "$0"\nexec ${process.execPath} "$@"\n`, { mode: 0o755 });
    const events = it.world.begin('events', '--follow', '-n', '100');
    await events.prints(/the daemon has started/);
    const program = join(it.next, 'dist/daemon.cjs');
    await client.upgrade({ node, daemon: program, command: program });
    const gaveUp = async () => (await status(it.world)).daemon.upgrade_failed;
    expect(await until('it has tried', gaveUp)).toMatch(/cannot run \S+: .*ENOENT|no such file/);
    expect(told(await status(it.world))).toEqual(before);
    await client.restart({ selectors: ['worker:0'] });
    await events.prints(/worker:0 is ready/);
    // And the next attempt is a good one.
    expect(await it.world.by(it.next, 'upgrade')).toMatchObject({ code: 0 });
    expect((await status(it.world)).daemon.upgrade_failed).toBeUndefined();
    const { stdout } = await client.shutdown({ how: 'kill' }).then(() => events.ended);
    expect(stdout.match(/the daemon has started/g), 'nothing is told twice').toHaveLength(2);
  });

  it('and when the next daemon does not come up, where to look; the instances live on', {
    timeout: 60_000,
  }, async (test) => {
    const it = await fleet(test);
    const before = told(await status(it.world));
    edit(
      join(it.next, 'dist/daemon.cjs'),
      (text) =>
        `if (process.env.TSUP_VISOR_HANDOVER !== undefined) throw new Error("an evil start");\n${text}`,
    );
    const outcome = await it.world.by(it.next, 'upgrade');
    expect(outcome).toMatchObject({ code: 1, stdout: '' });
    expect(outcome.stderr).toMatch(
      /version 9\.9\.9 of the daemon does not answer .*; the instances run on; see \S+daemon\.log; "tsup-visor .*start"/,
    );
    expect(readFileSync(join(it.world.dir, 'logs/daemon.log'), 'utf8')).toContain('an evil start');
    await it.world.succeed('start');
    expect(told(await status(it.world)).instances).toEqual(before.instances);
  });
});
