/** The real command under a supervisor that listens as systemd does. */
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, type TestContext } from 'vitest';
import { connect } from '../../src/client/index.ts';
import { canListen, listenAt, type OuterSupervisor } from '../rig/outer-supervisor.ts';
import { kill } from './processes.ts';
import { drainsUntilThereIs, steady } from './puppets.ts';
import { until } from './until.ts';
import { type Begun, type Circumstances, createWorld, type Program, type World } from './world.ts';

interface Stage {
  readonly world: World;
  readonly outer: OuterSupervisor;
  readonly command: Begun;
  says(word: string | RegExp): Promise<string>;
}

interface Setting {
  readonly programs: Readonly<Record<string, Program>>;
  readonly socket?: string;
  readonly circumstances?: Circumstances;
  readonly words?: readonly string[];
}

let sockets = 0;

function raise({ onTestFinished }: TestContext, setting: Setting): Stage {
  const { programs, circumstances = {}, words = ['start', '--foreground'] } = setting;
  const outer = listenAt(setting.socket ?? `@tv-outer-${process.pid}-${++sockets}`);
  onTestFinished(() => outer.close());
  const environment = { ...circumstances.environment, NOTIFY_SOCKET: outer.socket };
  const world = createWorld({ ...circumstances, environment });
  onTestFinished(() => world.close());
  world.configure(programs);
  const command = world.begin(...words);
  const says = (word: string | RegExp) =>
    until(`it says ${word}`, () => outer.words().find((said) => said.match(word) !== null), {
      seen: () => outer.words().join('\n'),
    });
  return { world, outer, command, says };
}

const rm = (path: string): void => rmSync(path, { force: true });
const pidOf = ({ command }: Stage): number => command.child.pid ?? 0;

describe
  .skipIf(!canListen)
  .concurrent('the daemon in the foreground tells its supervisor', { timeout: 90_000 }, () => {
    it('that it is in charge when it answers and has begun what is to begin, and how many run', async (test) => {
      const stage = raise(test, {
        programs: { worker: { ...steady, instances: 3 }, other: { ...steady, autostart: false } },
      });
      await stage.says('READY=1');
      // From this moment on, without a wait.
      const { instances } = await connect(stage.world.socket()).status({ usage: false });
      expect(instances.filter(({ wanted }) => wanted === 'up')).toHaveLength(3);
      await stage.says(/^STATUS=3 of 3 running$/);
      expect(stage.outer.words().some((word) => word.startsWith('WATCHDOG'))).toBe(false);
      await stage.world.succeed('stop', 'worker:2');
      await stage.says(/^STATUS=2 of 2 running$/);
    });

    it('around a reload, and not at one that is refused', async (test) => {
      const stage = raise(test, { programs: { worker: steady } });
      await stage.says('READY=1');
      await stage.world.succeed('reload');
      const at = () => stage.outer.messages().findIndex(([first]) => first === 'RELOADING=1');
      expect(stage.outer.messages()[at()]?.[1]).toMatch(/^MONOTONIC_USEC=\d+$/);
      expect(stage.outer.messages()[at() + 1]).toEqual(['READY=1']);
      stage.world.configure({ worker: { ...steady, comand: 'x' } });
      expect((await stage.world.cli('reload')).code).toBe(5);
      expect(stage.outer.words().filter((word) => word === 'RELOADING=1')).toHaveLength(1);
    });

    it('that it ends and needs more time, while jobs are under way; no job is cut', async (test) => {
      const stage = raise(test, { programs: {} });
      const file = join(stage.world.dir, 'go');
      await stage.says('READY=1');
      stage.world.configure({ worker: drainsUntilThereIs(file) });
      await stage.world.succeed('reload');
      await stage.says(/^STATUS=1 of 1 running$/);
      kill(pidOf(stage), 'SIGTERM');
      await stage.says('STOPPING=1');
      await stage.says(/^EXTEND_TIMEOUT_USEC=\d+$/);
      await stage.says(/^STATUS=ending: 1 left, 1 draining$/);
      writeFileSync(file, '');
      expect(await stage.command.ended).toMatchObject({ code: 0 });
    });

    it('that it lives, at half of the time that it was given', async (test) => {
      const circumstances = {
        through: ['sh', '-c', 'WATCHDOG_PID=$$ exec "$0" "$@"'],
        environment: { WATCHDOG_USEC: '200000' },
      };
      const stage = raise(test, { programs: { worker: steady }, circumstances });
      const beats = () => stage.outer.words().filter((word) => word === 'WATCHDOG=1').length;
      await until('ten beats', () => beats() >= 10);
    });

    it('nothing of a watchdog that is meant for another process, and of the outer world nothing to its instances', async (test) => {
      const stage = raise(test, {
        programs: {
          worker: { ...steady, command: ['bash', '-c', 'env > env.txt; echo READY=1 >&3; exec sleep 1000'] },
        },
        circumstances: { environment: { WATCHDOG_USEC: '200000', WATCHDOG_PID: '1' } },
      });
      await stage.says(/^STATUS=1 of 1 running$/);
      const given = readFileSync(join(stage.world.dir, 'env.txt'), 'utf8').split('\n');
      expect(given.filter((line) => /^WATCHDOG_/.test(line))).toEqual([]);
      expect(given.find((line) => line.startsWith('NOTIFY_SOCKET='))).not.toContain(stage.outer.socket);
      expect(stage.outer.words()).not.toContain('WATCHDOG=1');
    });

    it('whatever becomes of the one who listens', async (test) => {
      const stage = raise(test, {
        programs: { worker: steady },
        socket: `/tmp/tv-outer-${process.pid}.sock`,
      });
      test.onTestFinished(() => rm(stage.outer.socket));
      await stage.says('READY=1');
      rm(stage.outer.socket);
      await stage.world.succeed('reload');
      await stage.world.succeed('stop', 'worker');
      const { daemon } = await stage.world.status();
      expect(daemon.warnings).toEqual([
        expect.stringContaining('cannot tell the supervisor of this daemon how it is'),
      ]);
      await stage.world.succeed('shutdown');
      expect(await stage.command.ended).toMatchObject({ code: 0 });
    });

    it('in the background nothing: whoever listens there is somebody else', async (test) => {
      const stage = raise(test, { programs: { worker: steady }, words: ['start'] });
      expect(await stage.command.ended).toMatchObject({ code: 0 });
      await stage.world.succeed('shutdown');
      expect(stage.outer.words()).toEqual([]);
    });
  });
