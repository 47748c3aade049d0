/** Logs line by line, of real programs under a real daemon: whoever is killed or replaced, each line is there once. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, type TestContext } from 'vitest';
import { filesOf } from '../logs/put-aside.ts';
import { kill } from './processes.ts';
import { until } from './until.ts';
import { createWorld, type World } from './world.ts';

function newWorld({ onTestFinished }: TestContext): World {
  const world = createWorld();
  onTestFinished(() => world.close());
  return world;
}

/** Numbered lines of many lengths, in writes that tear them; the last one has no end. */
const WRITER = `
  const { writeSync } = require('node:fs');
  let n = 0;
  let isOver = false;
  process.on('SIGTERM', () => { isOver = true; });
  const turn = () => {
    const text = Array.from({ length: 20 }, () => n + ' ' + 'x'.repeat((n++ * 7919) % 300)).join('\\n') + '\\n';
    const middle = Math.floor(text.length / 2);
    writeSync(1, text.slice(0, middle));
    writeSync(1, text.slice(middle));
    if (isOver) writeSync(1, 'last ' + n);
    else setTimeout(turn, 5);
  };
  turn();
`;

function fault(lines: readonly string[]): string | null {
  const wrong = lines.findIndex((line, n) => line !== `${n} ${'x'.repeat((n * 7919) % 300)}`);
  return wrong === lines.length - 1 && lines.at(-1) === `last ${wrong}`
    ? null
    : `line ${wrong}: ${lines[wrong]}`;
}

const textOf = (path: string): string => Buffer.concat(filesOf(path)).toString();
const lengthOf = (path: string): number => filesOf(path).reduce((sum, { length }) => sum + length, 0);

describe.concurrent('logs line by line', () => {
  it('have each line once, whole and in order, although the daemon is killed, and replaced in its place', async (test) => {
    const world = newWorld(test);
    const command = [process.execPath, '-e', WRITER];
    world.configure({
      times: { command, logs: { timestamps: true, max_size: '1MB', keep: 1000 } },
      objects: { command, logs: { format: 'json', max_size: '1MB', keep: 1000 } },
    });
    await world.succeed('start');
    const log = (name: string) => join(world.dir, `logs/${name}-0.log`);
    for (let i = 0; i < 4; i++) {
      const length = lengthOf(log('times'));
      await until('more output', () => lengthOf(log('times')) > length);
      if (i === 2) await world.succeed('upgrade', '--force');
      else {
        kill((await world.status()).daemon.pid, 'SIGKILL');
        await world.succeed('start');
      }
    }
    await world.succeed('shutdown');
    const times = textOf(log('times')).split('\n').slice(0, -1);
    expect(times.every((line) => /^\d{4}-\d\d-\d\dT[\d:.]+Z /.test(line))).toBe(true);
    expect(fault(times.map((line) => line.slice(25)))).toBeNull();
    const objects = textOf(log('objects')).split('\n').slice(0, -1);
    expect(fault(objects.map((line) => JSON.parse(line).message))).toBeNull();
    expect(readdirSync(join(world.runDir, 'logs'))).toEqual([]);
  }, 90_000);

  it('find a program ready by what it says, and not by what is put around it', async (test) => {
    const world = newWorld(test);
    const command = ['/bin/sh', '-c', 'echo time message; sleep 0.2; echo now it works; exec sleep 60'];
    const ready = { when: { log: '/^now/' } };
    world.configure({
      times: { command, ready, logs: { timestamps: true } },
      objects: { command, ready, logs: { format: 'json' } },
    });
    await world.succeed('start');
    expect((await world.status()).instances.map(({ ready }) => ready)).toEqual([true, true]);
    await world.succeed('shutdown', '--now');
  }, 60_000);

  it('go to the stdout of the daemon under the name of their instance, where that is wanted', async (test) => {
    const world = newWorld(test);
    const command = ['/bin/sh', '-c', 'echo one; echo two >&2; printf last; exit 0'];
    world.configure({
      plain: { command, restart: 'never', logs: { stdout: 'inherit' } },
      objects: { command, restart: 'never', logs: { stdout: 'inherit', format: 'json' } },
    });
    const begun = world.begin('start', '--foreground');
    await until('their ends', async () => {
      const { instances } = await world.status().catch(() => ({ instances: [] }));
      return instances.length === 2 && instances.every(({ state }) => state === 'exited');
    });
    await world.succeed('shutdown');
    const { stdout } = await begun.ended;
    const lines = stdout.split('\n');
    for (const line of ['plain:0 | one', 'plain:0 | two', 'plain:0 | last']) expect(lines).toContain(line);
    const objects = lines.filter((line) => line.startsWith('{')).map((line) => JSON.parse(line));
    expect(objects.map(({ stream, message }) => `${stream} ${message}`).sort()).toEqual([
      'stderr two',
      'stdout last',
      'stdout one',
    ]);
  }, 60_000);

  it('hold up nobody else where nobody reads that stdout', async (test) => {
    const world = newWorld(test);
    const chatty = ['/bin/sh', '-c', 'while :; do echo what nobody reads; done'];
    const quiet = ['/bin/sh', '-c', 'while :; do echo line; sleep 0.05; done'];
    world.configure({
      chatty: { command: chatty, instances: 4, logs: { stdout: 'inherit' } },
      quiet: { command: quiet, logs: { timestamps: true } },
    });
    const begun = world.begin('start', '--foreground');
    await begun.prints(/^chatty:3 \| what/);
    begun.child.stdout?.pause();
    // Each of them waits: its pipe is full.
    const waits = (pid: number) => readFileSync(`/proc/${pid}/wchan`, 'utf8').includes('pipe');
    await world.see('they wait', ({ instances }) =>
      instances.every(({ program, pid }) => program === 'quiet' || (pid !== null && waits(pid))),
    );
    await world.succeed('scale', 'chatty=1', '--timeout', '30s');
    const log = join(world.dir, 'logs/quiet-0.log');
    const length = lengthOf(log);
    await until('more of the quiet one', () => lengthOf(log) > length);
    begun.child.stdout?.resume();
    await world.succeed('shutdown', '--now');
    expect((await begun.ended).code).toBe(0);
  }, 60_000);
});
