/**
 * What it takes to keep logs, beside the peers in the same run: bytes a second and processor time with one writer and
 * with four; what timestamps and JSON add; whether `status` still answers; many that write little; a stalled follower.
 */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { connect } from '../../dist/client.js';
import { bytesIn, keepers, tsupVisor } from './log-keepers.mjs';
import { median, memory, msBetween, now, pause, percentile, waitFor } from './measure.mjs';
import { cpuOf, LINE_BYTES, Pouring, pouring, throughput } from './pouring.mjs';
import { print } from './table.mjs';

const WRITTEN_BYTES = 256 * 1000 * 1024;
const MANY = 500;
const LINES_A_SECOND = 10;
const MIB = 1024 ** 2;

/**
 * `pm2`: where it is, or null. `wanted(name)`: whether this contender is asked for, and which of our own figures:
 * `--only formats --only many` takes two of them.
 */
export async function logs(dir, rounds, isQuick, pm2, wanted) {
  const pour = new Pouring(dir);
  const seconds = isQuick ? 10 : 60;
  const most = { bytes: 4e9 }; // should it not be stopped: not without end
  const own = {
    formats: () => formats(pour.place({ bytes: WRITTEN_BYTES }), rounds),
    answers: () => answers(pour.place(most), isQuick ? 30 : 100),
    many: () => manyWriters(pour.place(little(seconds)), seconds),
    follower: () => stalledFollower(pour.place({ ...most, bytes: 20e9, rate: 200e6 }), seconds),
  };
  await flatOut(pour.place({ bytes: WRITTEN_BYTES }), rounds, pm2, wanted);
  for (const [name, bench] of Object.entries(own)) if (wanted(name)) await bench();
}

async function flatOut(place, rounds, pm2, wanted) {
  const taking = keepers(place, pm2).filter(({ name }) => wanted(name));
  if (taking.length === 0) return;
  const values = new Map(taking.map((contender) => [contender, { 1: [], 4: [] }]));
  for (let round = 0; round < rounds; round++) {
    for (const contender of taking.filter(({ rounds: most = rounds }) => round < most)) {
      for (const count of [1, 4]) {
        const value = await throughput(contender, count, WRITTEN_BYTES);
        if (value !== undefined) values.get(contender)[count].push(value);
      }
    }
  }
  print(
    `${WRITTEN_BYTES / MIB} MiB a writer in writes of 4000 bytes, rotated at 50 MB, until all is in the logs`,
    taking.map((contender) => ({
      name: contender.name,
      ...columns(values.get(contender)[1], 'one writer'),
      ...columns(values.get(contender)[4], 'four'),
    })),
  );
}

const columns = (values, name) => ({
  [`${name}: MB/s`]: median(values.map(({ megabytes }) => megabytes)),
  [`${name}: CPU s/GiB`]: median(values.map(({ cpuPerGib }) => cpuPerGib)).toFixed(2),
});

/** What a look at each line adds. */
async function formats(place, rounds) {
  const rows = [];
  for (const [name, keys] of Object.entries({
    raw: {},
    timestamps: { timestamps: true },
    json: { format: 'json' },
  })) {
    const contender = tsupVisor(place, name, keys);
    const lineBytes = await longerLine(contender);
    if (lineBytes === undefined) continue;
    const values = [];
    for (let round = 0; round < rounds; round++) {
      const value = await throughput(contender, 1, WRITTEN_BYTES, lineBytes);
      if (value !== undefined) values.push(value);
    }
    rows.push({ name, ...columns(values, 'one writer') });
  }
  print('the same, by format: lines of 100 bytes, as they come from the program', rows);
}

/** What becomes of a line of 100 bytes. */
function longerLine(contender) {
  return pouring(contender, 1, async ({ go }) => {
    await go();
    await waitFor('a line', () => bytesIn(contender.logs) > 10 * LINE_BYTES);
    return readFileSync(join(contender.logs, 'worker-0.log')).indexOf('\n') + 1;
  });
}

/** What whoever asks waits for while four programs write as fast as they can. */
async function answers(place, tries) {
  const contender = tsupVisor(place, 'answers');
  const rows = [];
  await pouring(contender, 4, async ({ go }) => {
    const client = connect(join(contender.dir, 'run/control.sock'));
    for (const name of ['nobody writes', 'four write as fast as they can']) {
      const times = [];
      for (let n = 0; n < tries; n++) {
        await pause(20);
        const began = now();
        await client.status();
        times.push(msBetween(began, now()));
      }
      rows.push({
        name,
        median: median(times),
        p99: percentile(times, 0.99),
        worst: Math.max(...times),
      });
      await go();
      await pause(500);
    }
  });
  print('the answer to "status", over the socket (ms)', rows);
}

const little = (seconds) => ({
  bytes: seconds * LINES_A_SECOND * LINE_BYTES,
  chunk: LINE_BYTES,
  rate: LINES_A_SECOND * LINE_BYTES,
});

async function manyWriters(place, seconds) {
  const contender = tsupVisor(place, 'many');
  const all = MANY * seconds * LINES_A_SECOND * LINE_BYTES;
  const row = await pouring(contender, MANY, async ({ pids, go }) => {
    await pause(5000); // the start is over
    const before = cpuOf(pids);
    await go();
    await pause(seconds * 1000);
    const cpuMs = cpuOf(pids) - before;
    const { rss } = memory(pids[0]);
    await waitFor('the last lines', () => bytesIn(contender.logs) >= all, 10_000);
    return {
      name: 'tsup-visor',
      'CPU, % of a core': (cpuMs / (seconds * 1000)) * 100,
      'rss MiB': rss / 1024,
      'lines missing': (all - bytesIn(contender.logs)) / LINE_BYTES,
    };
  });
  print(
    `${MANY} instances that write ${LINES_A_SECOND} lines a second each, for ${seconds} s`,
    row === undefined ? [] : [row],
  );
}

/** Beside a writer of 200 MB a second. */
async function stalledFollower(place, seconds) {
  const contender = tsupVisor(place, 'stalled');
  const row = await pouring(contender, 1, async ({ pids, go }) => {
    const [node, [bin, c, file]] = contender.status;
    const follower = spawn(node, [bin, c, file, 'logs', '-f'], { env: contender.env, stdio: 'ignore' });
    try {
      await go();
      await pause(10_000); // it has what it needs for this
      follower.kill('SIGSTOP');
      const before = memory(pids[0]).rss;
      let most = before;
      for (let n = 0; n < seconds; n++) {
        await pause(1000);
        most = Math.max(most, memory(pids[0]).rss);
      }
      return { name: 'tsup-visor', 'rss MiB': before / 1024, 'more at most': (most - before) / 1024 };
    } finally {
      follower.kill('SIGKILL');
    }
  });
  print(
    `the daemon beside a follower that is stopped for ${seconds} s, and a writer of 200 MB/s`,
    row === undefined ? [] : [row],
  );
}
