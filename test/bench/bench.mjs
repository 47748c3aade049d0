/**
 * The figures of the README, each beside those of the peers in the same run:
 *   npm run build && node test/bench/bench.mjs [start|restart-latency|status|idle|levels|shutdown|rolling|double-failure|load|logs|all] [--quick] [--only NAME]
 * supervisord, runit and daemontools take part where they are installed (Debian: supervisor, runit, daemontools); pm2 is installed into a
 * temporary folder. Everything runs in that folder, and is ended by pid and removed at the end. It is in memory where
 * there is such a place: what a disk takes to make a file (0.02 to 1.5 ms on one and the same, by folder) is not the
 * supervisors' doing.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Pm2, Runit, Supervisord, TsupVisor } from './contenders.mjs';
import { doubleFailure } from './double-failure.mjs';
import { levels, shutdown } from './fleets.mjs';
import { load } from './load.mjs';
import { logs } from './logs.mjs';
import { cpuMs, median, memory, msBetween, now, pause, percentile } from './measure.mjs';
import { rolling } from './rolling.mjs';
import { print } from './table.mjs';
import { compile, Ticks } from './ticks.mjs';

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: { quick: { type: 'boolean', default: false }, only: { type: 'string', multiple: true } },
});
const MEMORY = '/dev/shm';
const dir = mkdtempSync(join(existsSync(MEMORY) ? MEMORY : tmpdir(), 'tv-bench-'));
const tick = compile('tick', dir);
const pm2 = installed();
const all = contenders();
const rounds = options.quick ? 1 : 3;

const BENCHES = {
  start,
  'restart-latency': restartLatency,
  status,
  idle,
  levels: () => levels(dir, tick, new Ticks(join(dir, 'levels.ticks')), rounds),
  shutdown: () => shutdown(dir, tick, new Ticks(join(dir, 'shutdown.ticks')), rounds),
  rolling: () => rolling(dir, options.quick ? 6 : 20, wantedRoller),
  'double-failure': () => doubleFailure(dir, options.quick ? 200 : 2000),
  load: () => load(options.quick ? 5 : 31),
  logs: () => logs(dir, rounds, options.quick, pm2 ?? null, wanted),
};
const which = positionals[0] ?? 'all';
if (which !== 'all' && !(which in BENCHES)) {
  console.error(`cannot measure "${which}": it is all or one of ${Object.keys(BENCHES).join(', ')}`);
  process.exit(2);
}
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.on(signal, async () => {
    await cleanUp();
    process.exit(1);
  });
}
try {
  console.log(
    `node ${process.version}, ${availableParallelism()} cores, ${rounds} rounds; lower is better everywhere`,
  );
  for (const [name, bench] of Object.entries(BENCHES)) if (which === 'all' || which === name) await bench();
  console.log(`\nagain: npm run build && node test/bench/bench.mjs ${process.argv.slice(2).join(' ')}`);
} finally {
  await cleanUp();
}

async function cleanUp() {
  for (const contender of all) await contender.stop();
  rmSync(dir, { recursive: true, force: true });
}

function contenders() {
  const place = (name) => {
    const ticks = new Ticks(join(dir, `${name}.ticks`));
    return [join(dir, name), [tick, ticks.file], ticks];
  };
  const list = [new TsupVisor(...place('ours')), new TsupVisor(...place('foreground'), true)];
  if (Supervisord.exists()) list.push(new Supervisord(...place('supervisord')));
  if (Runit.exists()) list.push(new Runit(...place('runit')));
  if (pm2 !== undefined) list.push(new Pm2(...place('pm2'), pm2));
  return list.filter((contender) => wanted(contender.name));
}

/** Where pm2 is; undefined where it is not asked for, or not to be had. */
function installed() {
  if (!wanted('pm2')) return undefined;
  try {
    return Pm2.install(process.env.BENCH_PM2_DIR ?? join(dir, 'npm'));
  } catch {
    console.error('pm2 cannot be installed, and is left out');
    return undefined;
  }
}

function wanted(name) {
  return options.only === undefined || options.only.includes(name);
}

/** By the beginning of its name: `--only tsup-visor` takes all of ours. */
function wantedRoller(name) {
  return options.only === undefined || options.only.some((only) => name.startsWith(only));
}

/** Runs `body` while `contender` supervises `count` instances; what fails is shown as such and stops nothing else. */
async function supervising(contender, count, body) {
  contender.ticks.clear();
  contender.prepare(count);
  const launched = now();
  try {
    contender.launch();
    const begun = await contender.ticks.wait(count);
    return await body({ launched, begun });
  } catch (error) {
    console.error(`${contender.name}: ${error.message}`);
    return undefined;
  } finally {
    await contender.stop();
  }
}

/** From starting the daemon to the first instruction of the last instance. */
async function start() {
  for (const count of options.quick ? [200] : [200, 500]) {
    const times = new Map(all.map((contender) => [contender.name, []]));
    for (let round = 0; round < rounds; round++) {
      for (const contender of all) {
        const ms = await supervising(contender, count, ({ launched, begun }) =>
          Math.max(...begun.map(({ ns }) => msBetween(launched, ns))),
        );
        if (ms !== undefined) times.get(contender.name).push(ms);
      }
    }
    print(
      `start to the first instruction of the last of ${count} instances (ms)`,
      [...times].map(([name, ms]) => ({
        name,
        median: median(ms),
        best: Math.min(...ms),
        worst: Math.max(...ms),
      })),
    );
  }
}

/** From kill -9 of an instance to the first instruction of its replacement. */
async function restartLatency() {
  const kills = options.quick ? 30 : 100;
  const rows = [];
  for (const contender of all.filter((it) => !it.foreground)) {
    // Thirty in turn, 40 ms apart: each has lived for more than a second, which runit asks for before it restarts at once.
    await supervising(contender, 30, async ({ begun }) => {
      await pause(1500);
      const pids = begun.map(({ pid }) => pid);
      const times = [];
      for (let n = 0; n < kills; n++) {
        const killed = now();
        process.kill(pids[n % 30], 'SIGKILL');
        const [next] = await contender.ticks.wait(1, 10_000);
        times.push(msBetween(killed, next.ns));
        pids[n % 30] = next.pid;
        await pause(40);
      }
      rows.push({
        name: contender.name,
        median: median(times),
        p99: percentile(times, 0.99),
        worst: Math.max(...times),
      });
    });
  }
  print('kill -9 to the first instruction of the replacement (ms)', rows);
}

/**
 * The command that shows 200 instances, beside Node that does nothing. One contender after another, each with a bare
 * Node in turn: the processes of the others would be looked through as well.
 */
async function status() {
  const tries = options.quick ? 5 : 31;
  const rows = [];
  for (const contender of all.filter((it) => !it.foreground)) {
    await supervising(contender, 200, async () => {
      await pause(3000);
      const [command, args] = contender.status;
      const bare = [];
      const times = [];
      for (let n = 0; n < tries; n++) {
        bare.push(timed(process.execPath, ['-e', '0'], process.env));
        times.push(timed(command, args, contender.env));
      }
      rows.push({
        name: contender.name,
        median: median(times),
        best: Math.min(...times),
        'node -e 0': median(bare),
        'times node': median(times) / median(bare),
      });
    });
  }
  print('status with 200 instances (ms)', rows);
}

function timed(command, args, env) {
  const began = now();
  const { stdout } = spawnSync(command, args, { env, maxBuffer: 1e8 });
  const ms = msBetween(began, now());
  if (command !== process.execPath && stdout.length < 2000) console.error(`${command}: ${stdout}`);
  return ms;
}

/** What the daemon costs while nothing happens. */
async function idle() {
  const seconds = options.quick ? 5 : 20;
  const settle = options.quick ? 10_000 : 20_000;
  const rows = [];
  for (const contender of all.filter((it) => !it.foreground)) {
    const measured = [];
    for (const count of [200, 400]) {
      measured.push(
        await supervising(contender, count, async () => {
          await pause(2000); // pm2 is still busy when its last instance has begun
          const pids = await contender.daemons();
          await pause(settle); // until V8 has given back what the start, and this question, took
          const sum = (of) => pids.reduce((total, pid) => total + of(pid), 0);
          const before = sum(cpuMs);
          if (count === 200) await pause(seconds * 1000);
          return {
            cpu: sum(cpuMs) - before,
            rss: sum((pid) => memory(pid).rss),
            anon: sum((pid) => memory(pid).anon),
          };
        }),
      );
    }
    const [few, many] = measured;
    if (few === undefined || many === undefined) continue;
    rows.push({
      name: contender.name,
      [`cpu ms in ${seconds} s`]: few.cpu,
      'rss MiB': few.rss / 1024,
      'own MiB': few.anon / 1024,
      'KiB more each': (many.rss - few.rss) / 200,
      'own KiB more each': (many.anon - few.anon) / 200,
    });
  }
  print('the daemon, idle, with 200 instances', rows);
}
