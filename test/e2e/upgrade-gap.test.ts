/** What happens while no daemon is there, because one becomes the next: none of it is lost, and nobody is turned away. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it, type TestContext } from 'vitest';
import { connect } from '../../src/client/index.ts';
import { ROOT } from './build.ts';
import { newWorld } from './life.ts';
import { drainsUntilThereIs, steady } from './puppets.ts';
import { until } from './until.ts';
import { edit, install } from './versions.ts';
import type { Outcome, Program, World } from './world.ts';

/** The next daemon makes the file `gap` as the first thing, and does nothing else before there is `go-on`. */
const waitingInTheGap = (program: string, dir: string): string => `
if (process.env.TSUP_VISOR_HANDOVER !== undefined) {
  const { existsSync, writeFileSync } = require('node:fs');
  writeFileSync(${JSON.stringify(join(dir, 'gap'))}, '');
  while (!existsSync(${JSON.stringify(join(dir, 'go-on'))})) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10);
}
${program}`;

interface Gap {
  readonly world: World;
  /** There is a file of this name. */
  made(name: string): Promise<unknown>;
  /** Lets the next daemon come up; answers with what the command has said. */
  goOn(): Promise<Outcome>;
}

/** A fleet whose daemon is just away. */
async function inTheGap(
  test: TestContext,
  programs: Readonly<Record<string, Program>>,
  where = 'dist/daemon.cjs',
): Promise<Gap> {
  const world = newWorld(test, programs);
  const next = install(world.dir, '9.9.9');
  edit(join(next, where), (text) => waitingInTheGap(text, world.dir));
  const made = (name: string) => until(`there is ${name}`, () => existsSync(join(world.dir, name)));
  test.onTestFinished(() => writeFileSync(join(world.dir, 'go-on'), ''));
  await world.succeed('start', '--no-wait');
  const upgrade = world.by(next, 'upgrade');
  await made('gap');
  return {
    world,
    made,
    goOn() {
      writeFileSync(join(world.dir, 'go-on'), '');
      return upgrade;
    },
  };
}

const inGap = (script: string): Program => ({
  ...steady,
  directory: '.',
  restart: 'never',
  ready: { when: 'notify', timeout: '1m' },
  command: ['bash', '-c', `until [ -e gap ]; do sleep 0.02; done; ${script}`],
});

it('what programs report and write is heard', { timeout: 60_000 }, async (test) => {
  const datagram = `"${process.execPath}" "${join(ROOT, 'test/rig/sends-datagram.mjs')}"`;
  const lines = 'for i in {1..2000}; do echo "line $i of $(printf %200s)"; done';
  const gap = await inTheGap(test, {
    line: inGap('printf "STATUS=by line\\nREADY=1\\n" >&3; touch line-said; exec sleep 1000'),
    datagram: inGap(`${datagram} READY=1 "STATUS=by datagram"; touch datagram-said; exec sleep 1000`),
    writer: inGap(`echo READY=1 >&3; ${lines}; touch written; exec sleep 1000`),
    dying: inGap('echo READY=1 >&3; echo last words; touch dead; exit 7'),
  });
  for (const name of ['line-said', 'datagram-said', 'written', 'dead']) await gap.made(name);
  expect(await gap.goOn()).toMatchObject({ code: 0, stderr: '' });
  const { world } = gap;
  const { instances } = await world.see('all have settled', (status) =>
    // It is ready for a moment, too, where it has not quite ended when the next daemon looks.
    status.instances.every(({ id, ready, last_exit }) => (id === 'dying:0' ? last_exit !== null : ready)),
  );
  const [line, dgram, writer, dying] = instances;
  expect(line).toMatchObject({ ready: true, message: 'by line', restarts: 0 });
  expect(dgram).toMatchObject({ ready: true, message: 'by datagram', restarts: 0 });
  expect(writer).toMatchObject({ ready: true, restarts: 0 });
  expect(dying).toMatchObject({ last_exit: { code: 7, signal: null } });
  const log = (id: string) =>
    readFileSync(join(world.dir, 'logs', `${id}.log`), 'utf8')
      .trimEnd()
      .split('\n');
  await until('all is in the log', () => log('writer-0').length >= 2000);
  expect(log('writer-0').map((text) => Number(text.split(' ')[1]))).toEqual(
    Array.from({ length: 2000 }, (_, i) => i + 1),
  );
  expect(log('dying-0')).toEqual(['last words']);
});

it('who asks waits, and nobody starts a second daemon', { timeout: 60_000 }, async (test) => {
  const gap = await inTheGap(test, { worker: { ...steady, instances: 2 } });
  const { world } = gap;
  const asked = [world.cli('status', '--json'), world.cli('start'), world.cli('signal', 'CONT', 'worker')];
  const foreground = world.cli('start', '--foreground');
  // The one that would be a daemon is told at once that there is one; the others wait.
  expect(await foreground).toMatchObject({
    code: 6,
    stderr: expect.stringMatching(/another daemon \(pid \d+\) runs with/),
  });
  let isAnswered = false;
  for (const each of asked) each.then(() => (isAnswered = true));
  expect(isAnswered).toBe(false);
  expect(await gap.goOn()).toMatchObject({ code: 0 });
  for (const outcome of await Promise.all(asked)) expect(outcome).toMatchObject({ code: 0, stderr: '' });
  expect(world.ofInstances()).toHaveLength(2);
});

it('who ends the daemon before it has loaded its program has it drain what it takes up', {
  timeout: 60_000,
}, async (test) => {
  const worker = { ...drainsUntilThereIs('done'), instances: 2 };
  const gap = await inTheGap(test, { worker }, 'dist/daemon/main.cjs');
  const { world } = gap;
  const log = () => readFileSync(join(world.dir, 'logs/daemon.log'), 'utf8');
  process.kill(Number(/\(pid (\d+), /.exec(log())?.[1]), 'SIGTERM'); // it is the same process all along
  const outcome = gap.goOn();
  await until('it drains them', () => log().match(/worker:\d is draining/g)?.length === 2);
  expect(log()).not.toContain('the daemon has ended');
  writeFileSync(join(world.dir, 'done'), '');
  await outcome;
  await until('it has ended', () => log().includes('the daemon has ended'));
  await until('nothing is left', () => world.left().length === 0);
});

it('a rolling restart goes on where it was, and who watches it sees its end', {
  timeout: 60_000,
}, async (test) => {
  const worker = { ...drainsUntilThereIs('done'), instances: 2 };
  const world = newWorld(test, { worker });
  const next = install(world.dir, '9.9.9');
  await world.succeed('start');
  const client = connect(world.socket());
  const before = (await client.status({ usage: false })).instances.map(({ run }) => run);
  const rolling = world.begin('rolling-restart', 'worker');
  const draining = async () =>
    (await client.status({ usage: false })).instances.some(({ state }) => state === 'draining');
  await until('the first one drains', draining);
  expect(await world.by(next, 'upgrade')).toMatchObject({ code: 0, stderr: '' });
  expect(await draining()).toBe(true);
  writeFileSync(join(world.dir, 'done'), '');
  expect(await rolling.ended).toMatchObject({ code: 0 });
  const after = (await client.status({ usage: false })).instances;
  expect(after.map(({ restarts }) => restarts)).toEqual([1, 1]);
  expect(after.every(({ run }) => !before.includes(run))).toBe(true);
});
