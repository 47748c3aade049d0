/** Programs that write lines of 100 bytes, and what it takes those who keep their logs. */
import { execFileSync } from 'node:child_process';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { bytesIn } from './log-keepers.mjs';
import { cpuMs, msBetween, now, pause, waitFor } from './measure.mjs';
import { compile, Ticks } from './ticks.mjs';

export const LINE_BYTES = 100;
const GIB = 1024 ** 3;

export class Pouring {
  constructor(dir) {
    this.dir = dir;
    this.program = compile('pour', dir);
  }

  /** What a contender of this name is made of: programs that write so much, in such pieces, and so much a second. */
  place({ bytes = 0, chunk = 4000, rate = 0 }) {
    return (name) => {
      const ticks = new Ticks(join(this.dir, `${name}.ticks`));
      const go = join(this.dir, `${name}.go`);
      execFileSync('sh', ['-c', `[ -p ${go} ] || mkfifo ${go}`]);
      const command = [this.program, go, String(bytes), String(chunk), String(rate), ticks.file];
      return [join(this.dir, name), command, ticks];
    };
  }
}

/** Has so many programs begun, calls `body` with the pids of who logs and what lets the programs write, and ends all. */
export async function pouring(contender, count, body) {
  contender.ticks.clear();
  contender.prepare(count);
  let fifo;
  // Open until the end: one that comes late is let go as well.
  const go = async () => {
    fifo ??= await open(contender.command[1], 'r+'); // which waits for nobody
  };
  try {
    contender.launch();
    await contender.ticks.wait(count);
    await pause(500); // whoever logs is there as well
    const pids = await daemonsOf(contender);
    return await body({ pids, go });
  } catch (error) {
    console.error(`${contender.name}: ${error.message}`);
    return undefined;
  } finally {
    await fifo?.close();
    await contender.stop();
  }
}

/** Whoever has just begun its programs may not answer yet. */
async function daemonsOf(contender) {
  for (let left = 20; ; left--) {
    try {
      return await contender.daemons();
    } catch (error) {
      if (left === 0) throw error;
      await pause(200);
    }
  }
}

/** Milliseconds. */
export const cpuOf = (pids) => pids.reduce((sum, pid) => sum + cpuMs(pid), 0);

/** Until `written` bytes by each of `count` are in the logs, where a line of 100 bytes has become one of `lineBytes`. */
export async function throughput(contender, count, written, lineBytes = LINE_BYTES) {
  return pouring(contender, count, async ({ pids, go }) => {
    const all = (count * written * lineBytes) / LINE_BYTES;
    const before = cpuOf(pids);
    await go();
    const began = now();
    await waitFor(`${all} bytes in ${contender.logs}`, () => bytesIn(contender.logs) >= all, 60_000, 2);
    const seconds = msBetween(began, now()) / 1000;
    return {
      megabytes: (count * written) / 1e6 / seconds,
      cpuPerGib: (cpuOf(pids) - before) / 1000 / ((count * written) / GIB),
    };
  });
}
