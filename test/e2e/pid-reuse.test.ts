/**
 * The daemon beside a stranger with the pid of a run that is gone, in a pid namespace of its own: there the next pid can
 * be chosen without others, who run at the same time, having theirs used again.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { expect, it, type TestContext } from 'vitest';
import { kill } from './processes.ts';
import { steady } from './puppets.ts';
import { openScene } from './scene.ts';
import { until } from './until.ts';
import type { World } from './world.ts';

const NAMESPACE = ['--pid', '--fork', '--mount-proc', '--kill-child'];
/** Its first process takes note of every end, so that pids become free. */
const INIT = ['bash', '-c', 'echo up; while :; do sleep 1000 & wait $!; done'];
const LAST_PID = '/proc/sys/kernel/ns_last_pid';
const canChoose =
  process.getuid?.() === 0 &&
  spawnSync('unshare', [...NAMESPACE, 'bash', '-c', `cat ${LAST_PID} > ${LAST_PID}`]).status === 0;
if (!canChoose) console.warn('the reuse of a pid is not tested: this user may not choose pids');

it.skipIf(!canChoose)(
  'the reuse of a pid is guarded against: whoever has the number of a run that is gone is left alone',
  async (test) => {
    const through = await namespace(test);
    const scene = await openScene({ worker: steady }, { through });
    test.onTestFinished(() => scene.close());
    const { pid, run } = await scene.ready('worker:0');
    const { daemon } = await scene.client.status({ usage: false });
    kill(outside(scene.world, daemon.pid), 'SIGKILL');
    await until('the daemon is gone', () => seen(scene.world, daemon.pid) === undefined);
    kill(outside(scene.world, pid), 'SIGKILL');
    const stranger = await withPid(pid ?? 0, through, test);
    await scene.world.succeed('start');
    const { instances } = await scene.world.status();
    expect(instances).toMatchObject([{ state: 'running' }]);
    expect(instances[0]?.run).not.toBe(run);
    await scene.world.succeed('shutdown', '--now');
    expect(scene.world.left()).toEqual([]);
    expect(stranger.exitCode ?? stranger.signalCode, 'the stranger lives').toBeNull();
  },
);

/** What starts a command there. */
async function namespace(test: TestContext): Promise<string[]> {
  const child = begin(test, ['unshare', ...NAMESPACE, ...INIT]);
  await says(child, 'up');
  const init = readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, 'latin1').trim();
  return ['nsenter', '--target', init, '--pid', '--mount', '--'];
}

/** A process that has this number there, once that is free. */
async function withPid(pid: number, through: readonly string[], test: TestContext): Promise<ChildProcess> {
  const take = `
    while :; do
      echo $(($1 - 1)) > ${LAST_PID}
      sleep 1000 &
      if [ $! = $1 ]; then echo "has $1"; wait $!; exit; fi
      kill -9 $!; wait $! 2> /dev/null
    done`;
  const child = begin(test, [...through, 'bash', '-c', take, 'bash', String(pid)]);
  await says(child, `has ${pid}`);
  return child;
}

function begin(test: TestContext, [file = '', ...words]: readonly string[]): ChildProcess {
  const child = spawn(file, words, { stdio: ['ignore', 'pipe', 'inherit'] });
  const gone = once(child, 'exit');
  test.onTestFinished(async () => {
    child.kill('SIGKILL');
    await gone;
  });
  return child;
}

async function says(child: ChildProcess, words: string): Promise<void> {
  let text = '';
  child.stdout?.on('data', (part) => {
    text += part;
  });
  await until(`it says "${words}"`, () => text.includes(words), { everyMs: 5, seen: () => text });
}

/** The process that has this number in there, by the one that it has out here. */
const seen = ({ processes }: World, inside: number | null): number | undefined =>
  processes().find(({ pid }) => innermost(pid) === inside)?.pid;

function outside(world: World, inside: number | null): number {
  const found = seen(world, inside);
  if (found === undefined) throw new Error(`no process ${inside} in there`);
  return found;
}

/** As /proc has it; null: it is gone. */
function innermost(pid: number): number | null {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'latin1');
    return Number(/^NSpid:.*\t(\d+)$/m.exec(status)?.[1] ?? Number.NaN);
  } catch {
    return null;
  }
}
