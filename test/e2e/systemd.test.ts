/** The exported unit under a real systemd: it starts, watches and stops the daemon, and never touches an instance. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, type TestContext } from 'vitest';
import { assignment, commandFile, commandWord } from '../../src/cli/unit/quoting.ts';
import { bootSystemd, type Systemd, whyNoSystemd } from '../rig/systemd.ts';
import { kill } from './processes.ts';
import { drainsUntilThereIs, steady } from './puppets.ts';
import { pause } from './scene.ts';
import { until } from './until.ts';
import { createWorld, type Program, type World } from './world.ts';

const why = whyNoSystemd();
if (why !== null) console.warn(`the tests with a real systemd are skipped: ${why}`);

const NASTY = `a "b" 'c' \\d %h $e ${'$'}{f} ; # ü\tg\nh`;
const NASTY_WORDS = [NASTY, ';', '$', '$$', '%', '%%', '\\', '"', "'", '#', '@x', '-y', ' '];
const UNIT = 'tsup-visor-e2e.service';

describe.skipIf(why !== null)('under systemd', { timeout: 90_000 }, () => {
  let systemd: Systemd;
  beforeAll(async () => {
    systemd = await bootSystemd();
  });
  afterAll(async () => {
    await systemd?.close();
  });

  /** `more`: settings of the service beside those that are exported. */
  async function begin(
    { onTestFinished }: TestContext,
    programs: Readonly<Record<string, Program>>,
    more = '',
  ): Promise<World> {
    const world = createWorld();
    onTestFinished(async () => {
      await systemd.ctl('kill', '--kill-whom=all', '--signal=KILL', UNIT);
      await world.close();
      await systemd.ctl('stop', UNIT);
      await systemd.ctl('reset-failed', UNIT);
    });
    world.configure(programs);
    const { stdout } = await world.succeed('export', 'systemd');
    systemd.unit(UNIT, stdout);
    systemd.unit(`${UNIT}.d/test.conf`, `[Service]\nEnvironment=TV_TEST=${world.dir} NO_COLOR=1\n${more}\n`);
    expect(await systemd.ctl('daemon-reload')).toMatchObject({ code: 0 });
    const started = await systemd.ctl('start', UNIT);
    expect(started.code, `${started.text}\n${(await systemd.ctl('status', UNIT)).text}`).toBe(0);
    return world;
  }

  const pids = (world: World): number[] =>
    world
      .ofInstances()
      .map(({ pid }) => pid)
      .sort();
  const daemonOf = (world: World): number => {
    const [daemon] = world.processes().filter(({ command }) => command.endsWith('start --foreground'));
    if (daemon === undefined) throw new Error('no daemon');
    return daemon.pid;
  };
  const isWhole = (world: World, count: number) =>
    world.see('all are ready', ({ instances }) => instances.filter(({ ready }) => ready).length === count);
  const isActive = (restarts: number) => async () => {
    const { ActiveState, NRestarts } = await systemd.show(UNIT, 'ActiveState', 'NRestarts');
    return ActiveState === 'active' && NRestarts === String(restarts);
  };

  it('is active when the daemon is in charge, tells what runs, and gives each run a group', async (test) => {
    const world = await begin(test, { worker: { ...steady, instances: 2 } });
    expect(await systemd.show(UNIT, 'ActiveState', 'Type', 'KillMode', 'NRestarts')).toEqual({
      ActiveState: 'active',
      Type: 'notify',
      KillMode: 'process',
      NRestarts: '0',
    });
    const { daemon } = await isWhole(world, 2);
    expect(daemon.warnings).toEqual([]);
    expect(daemon.tracking).toBe('cgroup');
    await until(
      'it is told',
      async () => (await systemd.show(UNIT, 'StatusText')).StatusText === '2 of 2 running',
    );
  });

  it('starts a daemon that was killed anew, and no instance notices', async (test) => {
    const world = await begin(test, { worker: { ...steady, instances: 3 } });
    await isWhole(world, 3);
    const before = pids(world);
    for (const times of [1, 2]) {
      kill(daemonOf(world), 'SIGKILL');
      await until('the next one is in charge', isActive(times));
      await isWhole(world, 3);
      expect(pids(world)).toEqual(before);
    }
  });

  it('ends a daemon that hangs, and no instance notices', async (test) => {
    const world = await begin(
      test,
      { worker: { ...steady, instances: 2 } },
      'WatchdogSec=1\nTimeoutAbortSec=1',
    );
    await isWhole(world, 2);
    const before = pids(world);
    kill(daemonOf(world), 'SIGSTOP');
    await until('the next one is in charge', isActive(1));
    await isWhole(world, 2);
    expect(pids(world)).toEqual(before);
  });

  it('reloads the config by systemctl, and says when it has mistakes', async (test) => {
    const world = await begin(test, { worker: steady });
    world.configure({ worker: steady, added: steady });
    expect(await systemd.ctl('reload', UNIT)).toMatchObject({ code: 0 });
    await world.see('the new one', ({ instances }) => instances.some(({ id }) => id === 'added:0'));
    world.configure({ worker: { ...steady, comand: 'x' } });
    expect((await systemd.ctl('reload', UNIT)).code).not.toBe(0);
    expect(await systemd.show(UNIT, 'ActiveState')).toEqual({ ActiveState: 'active' });
  });

  it('waits at a stop for the jobs, also longer than its own limit, because the daemon asks for it', async (test) => {
    const file = 'the-job-is-done';
    const job = drainsUntilThereIs(file);
    const world = await begin(test, { worker: job, steady }, 'TimeoutStopSec=1');
    await isWhole(world, 2);
    const stopping = systemd.ctl('stop', UNIT);
    await world.see('it drains', ({ instances }) => instances.some(({ state }) => state === 'draining'));
    // Twice its limit: systemd would have killed the daemon by then.
    await pause(2500);
    const { instances } = await world.status();
    expect(instances.find(({ id }) => id === 'worker:0')?.state).toBe('draining');
    writeFileSync(join(world.dir, file), '');
    expect(await stopping).toMatchObject({ code: 0 });
    expect(await systemd.show(UNIT, 'ActiveState', 'Result')).toEqual({
      ActiveState: 'inactive',
      Result: 'success',
    });
    expect(world.left()).toEqual([]);
  });

  it('leaves a daemon down that was shut down', async (test) => {
    const world = await begin(test, { worker: steady });
    await world.succeed('shutdown');
    await until('it is down', async () => (await systemd.show(UNIT, 'SubState')).SubState === 'dead');
    expect(await systemd.show(UNIT, 'ActiveState', 'NRestarts')).toEqual({
      ActiveState: 'inactive',
      NRestarts: '0',
    });
    expect(world.left()).toEqual([]);
  });

  it('is warned of in the status where a unit that somebody else has written would cut jobs', async (test) => {
    const more = 'Type=simple\nNotifyAccess=none\nKillMode=control-group\nTimeoutStopSec=7\nWatchdogSec=0';
    const world = await begin(test, { worker: steady }, more);
    await until('it answers', () => existsSync(join(world.runDir, 'control.sock')));
    const { daemon } = await world.see('it warns', ({ daemon }) => daemon.warnings.length > 0);
    expect(daemon.warnings).toEqual([
      expect.stringMatching(/^systemd gives tsup-visor-e2e.service 7s to stop .*may take 26s \(worker\)/),
      expect.stringMatching(/^tsup-visor-e2e.service has KillMode=control-group/),
    ]);
  });

  it('is given each word of a unit as it was meant', async ({ onTestFinished }) => {
    const folder = mkdtempSync(join(tmpdir(), 'tv words '));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    const said = join(folder, 'said');
    const script = `printf '%s|' "$PATH" "$VALUE" "$@" > "$0"`;
    const lines = [
      '[Service]',
      'Type=oneshot',
      `Environment=${assignment('VALUE', NASTY)}`,
      `Environment=${assignment('PATH', '/usr/bin:/bin:/opt/100% $HOME/bin')}`,
      `ExecStart=${commandFile('/bin/sh')} ${['-c', script, said, ...NASTY_WORDS].map(commandWord).join(' ')}`,
    ];
    systemd.unit('words.service', `${lines.join('\n')}\n`);
    await systemd.ctl('daemon-reload');
    const { code, text } = await systemd.ctl('start', 'words.service');
    expect(code, text).toBe(0);
    const words = ['/usr/bin:/bin:/opt/100% $HOME/bin', NASTY, ...NASTY_WORDS];
    expect(readFileSync(said, 'utf8')).toBe(words.map((word) => `${word}|`).join(''));
  });

  it('is upgraded in place: the same main process, and the watchdog does not bark', async (test) => {
    const world = await begin(test, { worker: { ...steady, instances: 2 } }, 'WatchdogSec=2');
    await isWhole(world, 2);
    const [before, daemon] = [pids(world), daemonOf(world)];
    await world.succeed('upgrade', '--force');
    await isWhole(world, 2);
    expect([pids(world), daemonOf(world)]).toEqual([before, daemon]);
    // Longer than the watchdog waits.
    await pause(2500);
    expect(await isActive(0)()).toBe(true);
    kill(daemon, 'SIGKILL');
    await until('the next one is in charge', isActive(1));
    expect(pids(world)).toEqual(before);
  });

  it('goes on while systemd itself is executed anew', async (test) => {
    const world = await begin(test, { worker: { ...steady, instances: 2 } });
    await isWhole(world, 2);
    const [before, daemon] = [pids(world), daemonOf(world)];
    expect(await systemd.ctl('daemon-reexec')).toMatchObject({ code: 0 });
    await until('it is up', isActive(0));
    expect([pids(world), daemonOf(world)]).toEqual([before, daemon]);
    kill(daemon, 'SIGKILL');
    await until('the next one is in charge', isActive(1));
    expect(pids(world)).toEqual(before);
  });
});
