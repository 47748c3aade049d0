/** What instances write, while the daemon is killed again and again, and where their log cannot be written. */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, type TestContext } from 'vitest';
import { kill } from './processes.ts';
import { until } from './until.ts';
import { createWorld, type World } from './world.ts';

function newWorld({ onTestFinished }: TestContext): World {
  const world = createWorld();
  onTestFinished(() => world.close());
  return world;
}

const KILLS = 5;

/** About 2 MB a second in numbered lines of 100 bytes; it ends with a last one when it is asked to. */
const WRITER = `
  const { writeSync } = require('node:fs');
  let n = 0;
  let isOver = false;
  const began = Date.now();
  process.on('SIGTERM', () => { isOver = true; });
  const turn = () => {
    while (n < (Date.now() - began) * 20) writeSync(1, String(n++).padEnd(99, '.') + '\\n');
    if (isOver) writeSync(1, 'last ' + n + '\\n');
    else setTimeout(turn, 2);
  };
  turn();
`;

/** What is not as it should be; null: every line is there, once and in order. */
function fault(text: string): string | null {
  const lines = text.split('\n').slice(0, -1);
  const last = lines.pop();
  const wrong = lines.findIndex((line, n) => line !== String(n).padEnd(99, '.'));
  if (wrong >= 0) return `line ${wrong} is ${lines[wrong]}`;
  return last === `last ${lines.length}` ? null : `${lines.length} lines, and then ${last}`;
}

describe.concurrent('the output of instances', () => {
  it('is in their logs line by line, once and in order, although the daemon is killed while they write', async (test) => {
    const world = newWorld(test);
    world.configure({
      writer: { command: [process.execPath, '-e', WRITER], instances: 2, drain: { timeout: '60s' } },
    });
    await world.succeed('start');
    const log = (n: number) => join(world.dir, `logs/writer-${n}.log`);
    for (let i = 0; i < KILLS; i++) {
      const { pid } = (await world.status()).daemon;
      const size = statSync(log(0)).size;
      await until('more output', () => statSync(log(0)).size > size);
      kill(pid, 'SIGKILL');
      await world.succeed('start');
    }
    // And once while they end, so that their last words come when nobody is there.
    const { daemon, instances } = await world.status();
    kill(daemon.pid, 'SIGKILL');
    for (const { pid } of instances) kill(pid ?? -1, 'SIGTERM');
    await until('their end', () => world.left().length === 0);
    await world.succeed('start');
    await until('their last words', () => [0, 1].every((n) => /^last /m.test(readFileSync(log(n), 'utf8'))));
    await world.succeed('shutdown', '--now');
    for (const n of [0, 1]) {
      const text = readFileSync(log(n), 'utf8');
      // A new run has begun since, with its own lines.
      const end = text.indexOf('\n', text.indexOf('last ')) + 1;
      expect(fault(text.slice(0, end))).toBeNull();
    }
    expect(readdirSync(join(world.runDir, 'logs'))).toEqual([]);
  }, 90_000);

  it('is dropped and counted where its log cannot be written, and no program waits for that', async (test) => {
    const world = newWorld(test);
    const done = join(world.dir, 'done');
    const go = join(world.dir, 'go');
    const script = `until [ -e ${go} ]; do sleep 0.01; done; head -c 3000000 /dev/zero; touch ${done}; exec sleep 1000`;
    world.configure({ writer: { command: ['sh', '-c', script] } });
    await world.succeed('start');
    const log = join(world.dir, 'logs/writer-0.log');
    rmSync(log);
    mkdirSync(log);
    writeFileSync(go, '');
    await until('all to be written', () => existsSync(done));
    const { daemon } = await world.see(
      'all of it to be counted',
      ({ instances }) => instances[0]?.logs?.dropped_bytes === 3_000_000,
    );
    const sentence = `cannot write to ${log}: illegal operation on a directory; what comes is dropped and counted`;
    expect(daemon.warnings).toContain(`${sentence}, 3000000 bytes so far`);
    const told = async () => {
      const { stdout } = await world.succeed('events', '--json');
      const events: Record<string, unknown>[] = stdout
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line));
      return events.filter(({ type }) => type === 'log');
    };
    const failing = { path: log, of: 'writer:0', state: 'failing', why: 'illegal operation on a directory' };
    expect(await told()).toMatchObject([{ ...failing, dropped_bytes: 0, message: sentence }]);
    rmSync(log, { recursive: true });
    await world.succeed('shutdown', '--now');
    expect(readFileSync(join(world.dir, 'logs/daemon.log'), 'utf8').split(sentence)).toHaveLength(2);
  });

  it('of a life of milliseconds is there when its end is told', async (test) => {
    const world = newWorld(test);
    world.configure({ short: { command: ['echo', 'words'], restart: 'never' } });
    await world.cli('start');
    await world.see('its end', ({ instances }) => instances[0]?.state === 'exited');
    expect((await world.succeed('logs', 'short')).stdout).toBe('words\n');
  });
});
