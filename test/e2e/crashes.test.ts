/** A thousand crashes, each of which leaves two grandchildren behind: afterwards the daemon is as it was. */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ROOT } from './build.ts';
import { kill } from './processes.ts';
import { steady } from './puppets.ts';
import { openScene, pause, type Scene } from './scene.ts';
import { until } from './until.ts';

const CRASHES = 1000;
/** What a daemon comes to have once, whatever happens afterwards: compiled code, buffers, and the heap that it likes. */
const WARM_UP = 100;
const INSTANCES = 10;
const MEGABYTE = 1024 * 1024;

const crashing = {
  ...steady,
  instances: INSTANCES,
  autostart: false,
  backoff: 'none',
  ready: { when: 'spawned' },
  command: [join(ROOT, 'test/fixtures/crashes-leaving-two-grandchildren.sh')],
};

/** In a world without cgroup v2, where the daemon has sessions and marks only. */
const WITHOUT_CGROUPS = ['unshare', '--mount', 'sh', '-c', 'umount -l -a -t cgroup2; exec "$0" "$@"'];
const canHide = spawnSync('unshare', ['--mount', 'true']).status === 0;
if (!canHide) console.warn('the crashes without cgroups are skipped: nothing can be unmounted here');

describe.concurrent('a thousand crashes that leave a grandchild in its own group and one in its own session', () => {
  for (const [how, through] of [
    ['whatever there is', []],
    ['sessions', WITHOUT_CGROUPS],
  ] as const) {
    it.skipIf(through.length > 0 && !canHide)(
      `leave no process, descriptor or timer, and 5 MB at most (tracked by ${how})`,
      { timeout: 180_000 },
      async ({ onTestFinished }) => {
        const confession = join(tmpdir(), `tv-confession-${process.pid}-${through.length}`);
        onTestFinished(() => rmSync(confession, { force: true }));
        const environment = {
          NODE_OPTIONS: `--require ${join(ROOT, 'test/rig/confesses.cjs')}`,
          CONFESS_TO: confession,
        };
        const scene = await openScene({ crashing, idle: steady }, { through, environment });
        onTestFinished(() => scene.close());
        await scene.ready('idle:0');
        const { daemon } = await scene.client.status();
        if (through.length > 0) expect(daemon.tracking).toBe('session');
        await crash(scene, WARM_UP);
        const before = await look(scene, daemon.pid, confession);
        await crash(scene, CRASHES);
        let after = before;
        const isAsBefore = async () => {
          after = await look(scene, daemon.pid, confession);
          return moreOf(after, before).length === 0 && after.bytes - before.bytes < 5 * MEGABYTE;
        };
        const seen = () => [...moreOf(after, before), `${after.bytes - before.bytes} bytes`].join('\n');
        // On a busy machine the threads that give memory back come late.
        await until('nothing more is there than before', isAsBefore, { timeoutMs: 30_000, seen });
        await scene.world.succeed('shutdown');
        expect(scene.world.left()).toEqual([]);
      },
    );
  }
});

/** So many more crashes, and then a stop. */
async function crash({ log, client }: Scene, count: number): Promise<void> {
  const crashes = (): number => log.of('exited').filter(({ exit }) => exit.signal === 'SIGKILL').length;
  const wanted = crashes() + count;
  await client.start({ selectors: ['crashing'], wait: false });
  await until(`${count} crashes`, () => crashes() >= wanted, {
    timeoutMs: 150_000,
    seen: () => `${crashes()} of ${wanted}`,
  });
  await client.stop({ selectors: ['crashing'], now: true });
}

interface Look {
  /** Processes of the test, resources and descriptors of the daemon: by what they are. */
  readonly things: readonly string[];
  readonly bytes: number;
}

/** What there is when nothing happens and the daemon's garbage has been collected. */
async function look({ world }: Scene, pid: number, confession: string): Promise<Look> {
  rmSync(confession, { force: true });
  kill(pid, 'SIGUSR2');
  await until('the daemon has looked into itself', () => existsSync(confession));
  const resources: string[] = JSON.parse(readFileSync(confession, 'utf8'));
  await pause(300); // V8 gives pages back in a thread of its own
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return {
    things: [...world.left(), ...resources, ...descriptors(pid)],
    bytes: Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1]) * 1024,
  };
}

/** What each leads to, without the number that tells it from others of its kind. */
const descriptors = (pid: number): string[] =>
  readdirSync(`/proc/${pid}/fd`).map((name) =>
    readlinkSync(`/proc/${pid}/fd/${name}`).replace(/:\[\d+\]$/, ''),
  );

function moreOf(after: Look, before: Look): string[] {
  const left = [...before.things];
  return after.things.filter((thing) => {
    const at = left.indexOf(thing);
    if (at >= 0) left.splice(at, 1);
    return at < 0;
  });
}
