import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { heeds, READY, steady } from './keys/row.ts';
import { ended, follow, type Life, newWorld, started, starting } from './life.ts';
import { kill } from './processes.ts';
import { until } from './until.ts';

const linesOf = (file: string): string[] =>
  existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n') : [];

const states = async ({ instances }: Life): Promise<string[]> =>
  (await instances()).map(({ id, state }) => `${id} ${state}`);

describe.concurrent('as people use it', () => {
  it('hooks run around the process in their order, and know what they are run for', async (test) => {
    const write = `sh -c 'echo "$TSUP_VISOR_HOOK of $TSUP_VISOR_INSTANCE" >> diary'`;
    const { world } = await started(test, (directory) => ({
      worker: {
        ...steady,
        directory,
        command: heeds(`echo begins >> diary; ${READY}`, { TERM: 'echo ends >> diary; exit 0' }),
        hooks: { pre_start: write, post_start: write, pre_drain: write, post_stop: write },
      },
    }));
    await world.succeed('stop', 'worker');
    expect(linesOf(join(world.dir, 'diary'))).toEqual([
      'pre_start of worker:0',
      'begins',
      'post_start of worker:0',
      'pre_drain of worker:0',
      'ends',
      'post_stop of worker:0',
    ]);
  });

  it('a user who does not exist is named by start and status, and nothing is run as anybody else', async (test) => {
    const world = newWorld(test, {
      worker: { ...steady, user: 'www-nobody-has', backoff: { initial: '1h', max: '1h' } },
    });
    const sentence = 'cannot start worker:0: user "www-nobody-has" does not exist';
    const start = await world.cli('start');
    expect(start.code).toBe(1);
    expect(start.stdout + start.stderr).toContain(sentence);
    const status = await world.cli('status');
    expect(status.code).toBe(3);
    expect(status.stdout).toContain(sentence);
    expect(world.ofInstances()).toEqual([]);
    follow(test, world);
  });

  it('scale goes up, to none, and back', async (test) => {
    const life = await started(test, { worker: steady });
    const before = await life.instance('worker:0');
    await life.world.succeed('scale', 'worker=3');
    expect(await states(life)).toEqual(['worker:0 running', 'worker:1 running', 'worker:2 running']);
    expect(await life.instance('worker:0')).toMatchObject({ run: before.run });
    await life.world.succeed('scale', 'worker=0');
    expect(await states(life)).toEqual([]);
    expect(life.world.ofInstances()).toEqual([]);
    for (const gone of life.log.of('gone')) expect(gone).toMatchObject({ drained: true, killed: false });
    await life.world.succeed('scale', 'worker=1');
    expect(await states(life)).toEqual(['worker:0 running']);
  });

  it('what was scaled outlives the daemon, and gives way to another number in the config', async (test) => {
    const life = await started(test, { worker: steady });
    const { world } = life;
    await world.succeed('scale', 'worker=2');
    const two = ['worker:0 running', 'worker:1 running'];
    const before = await life.instances();
    const { pid } = (await life.client.status()).daemon;
    kill(pid, 'SIGKILL');
    await ended(pid);
    expect((await world.succeed('start')).stdout).toContain('took over 2 running instances (worker:0-1)');
    expect((await life.instances()).map((it) => it.pid)).toEqual(before.map((it) => it.pid));
    const told = 'took over 2 running instances: worker:0, worker:1';
    expect((await world.succeed('events')).stdout).toContain(`the daemon has started, and ${told}`);
    expect(readFileSync(join(world.dir, 'logs', 'daemon.log'), 'utf8')).toContain(` ${told}`);
    await world.succeed('shutdown');
    expect((await world.succeed('start')).stdout).not.toContain('took over');
    expect(await states(life)).toEqual(two);
    expect((await world.succeed('reload')).stdout).toMatch(/nothing to change/);
    expect(await states(life)).toEqual(two);
    world.configure({ worker: { ...steady, instances: 3 } });
    await world.succeed('reload');
    expect(await states(life)).toEqual([...two, 'worker:2 running']);
  });

  it('signal goes to the leader alone, and with --tree to all of its processes', async (test) => {
    const note = (who: string) => ({ HUP: `echo ${who} >> heard` });
    const child = heeds('echo >&7', note('child')).map((word) => `'${word}'`);
    // Ready when both listen.
    const begin = `exec 7> >(read -r _; ${READY}); ${child.join(' ')} 3>&- & exec 7>&-`;
    const { world, instance } = await started(test, (directory) => ({
      worker: { ...steady, directory, command: heeds(begin, note('leader')) },
    }));
    const heard = (): string[] => linesOf(join(world.dir, 'heard'));
    await world.succeed('signal', 'HUP', 'worker');
    await until('it is heard', () => heard().length === 1);
    await world.succeed('signal', 'hup', 'worker', '--tree');
    await until('both have heard', () => heard().length === 3);
    expect(heard()[0]).toBe('leader');
    expect(heard().slice(1).sort()).toEqual(['child', 'leader']);
    expect(await instance('worker:0')).toMatchObject({ restarts: 0, state: 'running' });
  });

  it('an essential instance that is given up ends a daemon in the foreground with exit code 1', async (test) => {
    const { world, start, see, tell } = await starting(
      test,
      { vital: { ...steady, essential: true, backoff: { give_up_after: 1 } }, other: steady },
      '--foreground',
    );
    for (const id of ['vital:0', 'other:0']) await see(id, 'it is ready', ({ ready }) => ready);
    await tell('vital:0', 'SIGUSR1');
    const { code, stderr } = await start.ended;
    expect(code).toBe(1);
    expect(stderr).toMatch(/vital:0, which is essential, exited with code 7/);
    expect(world.left()).toEqual([]);
  });

  it('why a daemon in the background ended is told by the commands after it', async (test) => {
    const { world, see, tell, client } = await started(test, {
      vital: { ...steady, essential: true, backoff: { give_up_after: 1 } },
    });
    await see('vital:0', 'it is ready', ({ ready }) => ready);
    const { pid } = (await client.status()).daemon;
    await tell('vital:0', 'SIGUSR1');
    await ended(pid);
    const { code, stderr } = await world.cli('status');
    expect(code).toBe(4);
    expect(stderr).toMatch(/the last one ended at .*: vital:0, which is essential, exited with code 7/);
    expect(stderr).toContain(join(world.dir, 'logs', 'daemon.log'));
    expect(stderr).toContain('start"');
    await world.succeed('start');
    await world.succeed('shutdown');
    expect((await world.cli('status')).stderr).not.toContain('the last one');
  });

  it('a program that is not there yet is started when it appears, with nobody asking', async (test) => {
    const world = newWorld(test, {
      worker: {
        ...steady,
        command: './release/worker',
        backoff: { initial: '50ms', factor: 1, max: '50ms', give_up_after: 'none' },
      },
    });
    await world.succeed('start', '--no-wait');
    const { see, log } = follow(test, world);
    const missing = await see(
      'worker:0',
      'it waits',
      ({ state, restarts }) => state === 'backoff' && restarts > 1,
    );
    expect(missing).toMatchObject({ pid: null, ready: false });
    expect(missing.message).toMatch(/^cannot start worker:0: cannot find the program \.\/release\/worker/);
    deploy(join(world.dir, 'release'));
    await log.sees('it is ready', (it) => it.type === 'ready');
    expect((await world.cli('status')).code).toBe(0);
  });
});

/** As a deploy does it: all of it is there in one moment. */
function deploy(folder: string): void {
  const fresh = `${folder}.new`;
  mkdirSync(fresh);
  writeFileSync(join(fresh, 'worker'), `#!/bin/sh\n${READY}\nexec sleep 1000\n`, { mode: 0o755 });
  renameSync(fresh, folder);
}
