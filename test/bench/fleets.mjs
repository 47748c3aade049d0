/**
 * What no peer can be compared in: fleets with dependencies, and a shutdown of many that drain. Each is given beside
 * the time that the programs themselves need.
 */
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { TsupVisor } from './contenders.mjs';
import { median, msBetween, now } from './measure.mjs';
import { print } from './table.mjs';

const COUNT = 500;
const READY_MS = 200;
const DRAIN_MS = 500;

/** Three levels of programs, each of which needs `READY_MS` to become ready. */
export async function levels(dir, tick, ticks, rounds) {
  const rows = [];
  for (const [name, programs] of Object.entries({
    '3 programs': threePrograms(tick, ticks.file),
    '500 programs': manyPrograms(tick, ticks.file),
  })) {
    const fleet = new Fleet(join(dir, `levels-${programs.length}`), tick, ticks, programs);
    const times = await fleet.rounds(rounds);
    rows.push({
      name,
      'ms until all are ready': median(times.up),
      needed: 3 * READY_MS,
      worst: Math.max(...times.up),
    });
  }
  print(`${COUNT} instances in a tree of three levels: the whole of "tsup-visor start"`, rows);
}

export async function shutdown(dir, tick, ticks, rounds) {
  const worker = {
    name: 'worker',
    lines: [`command: [${tick}, "${DRAIN_MS}", ${ticks.file}]`, `instances: ${COUNT}`, 'ready: { for: 0ms }'],
  };
  const fleet = new Fleet(join(dir, 'shutdown'), tick, ticks, [worker]);
  const { down } = await fleet.rounds(rounds);
  const row = { name: 'tsup-visor', ms: median(down), needed: DRAIN_MS, worst: Math.max(...down) };
  print(`the whole of "tsup-visor shutdown" of ${COUNT} instances that drain for ${DRAIN_MS} ms`, [row]);
}

class Fleet extends TsupVisor {
  constructor(dir, tick, ticks, programs) {
    super(dir, [tick, ticks.file], ticks);
    this.programs = programs;
  }

  prepare() {
    super.prepare(0);
    const text = this.programs.map(({ name, lines }) =>
      [`  ${name}:`, ...lines.map((line) => `    ${line}`)].join('\n'),
    );
    const supervisor = ['run', 'state', 'log']
      .map((name) => `  ${name}_dir: ${join(this.dir, name)}`)
      .join('\n');
    writeFileSync(this.config, `supervisor:\n  name: bench\n${supervisor}\nprograms:\n${text.join('\n')}\n`);
  }

  async rounds(count) {
    const times = { up: [], down: [] };
    for (let round = 0; round < count; round++) {
      this.prepare();
      try {
        times.up.push(this.#timed('start'));
        times.down.push(this.#timed('shutdown'));
      } finally {
        await this.stop();
      }
    }
    return times;
  }

  #timed(command) {
    const [node, [bin, c, file]] = this.status;
    const began = now();
    const { status, stderr } = spawnSync(node, [bin, c, file, command], { env: this.env, timeout: 60_000 });
    if (status !== 0) throw new Error(`${command} ended with ${status}: ${stderr}`);
    return msBetween(began, now());
  }
}

function threePrograms(tick, file) {
  const share = Math.floor(COUNT / 3);
  const sizes = [share, share, COUNT - 2 * share];
  return sizes.map((size, level) => ({
    name: `level${level}`,
    lines: [
      `command: [${tick}, ${file}]`,
      `instances: ${size}`,
      `ready: { for: ${READY_MS}ms }`,
      ...(level === 0 ? [] : [`depends_on: { level${level - 1}: ready }`]),
    ],
  }));
}

/** Each program needs three of the level before it. */
function manyPrograms(tick, file) {
  const share = Math.floor(COUNT / 3);
  return Array.from({ length: COUNT }, (_, n) => {
    const level = Math.min(2, Math.floor(n / share));
    const first = (level - 1) * share;
    const needs = [0, 7, 31].map((step) => `p${first + ((n + step) % share)}: ready`);
    return {
      name: `p${n}`,
      lines: [
        `command: [${tick}, ${file}]`,
        `ready: { for: ${READY_MS}ms }`,
        ...(level === 0 ? [] : [`depends_on: { ${needs.join(', ')} }`]),
      ],
    };
  });
}
