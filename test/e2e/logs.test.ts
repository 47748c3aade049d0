/** What `logs -f` shows, while instances are added, files are rotated, and the daemon is killed and replaced. */
import { expect, it, onTestFinished } from 'vitest';
import { kill } from './processes.ts';
import { until } from './until.ts';
import { createWorld } from './world.ts';

/** A line of 100 bytes each two milliseconds, that says whose it is and which. */
const WRITER = `
  const { writeSync } = require('node:fs');
  const { TSUP_VISOR_INSTANCE: name } = process.env;
  const began = Date.now();
  let n = 0;
  setInterval(() => {
    while (n < (Date.now() - began) / 2) writeSync(1, (name + ' ' + n++ + ' ').padEnd(99, '.') + '\\n');
  }, 5);
`;

const FORMS = [
  { form: 'as they come', more: {} },
  { form: 'with times', more: { timestamps: true } },
  { form: 'as JSON', more: { format: 'json' } },
];

it.each(FORMS)(
  'is each line once, in order, through rotations, a scale-up and the death of the daemon: $form',
  async ({ more: written }) => {
    const world = createWorld();
    onTestFinished(() => world.close());
    const logs = { max_size: '32KB', keep: 200, compress: true, ...written };
    const command = [process.execPath, '-e', WRITER];
    world.configure({
      writer: { command, logs, ready: { when: 'spawned', for: '10ms' }, drain: { timeout: '1s' } },
    });
    await world.succeed('start');
    const follower = world.begin('logs', 'writer', '-f', '-n', 'all', '--json');
    const isRaw = Object.keys(written).length === 0;
    const seen = new Map<string, number>();
    const faults: string[] = [];
    let rest = '';
    follower.child.stdout?.on('data', (part) => {
      const rows = (rest + part).split('\n');
      rest = rows.pop() ?? '';
      for (const row of rows) {
        const { instance, line, time } = JSON.parse(row);
        const [name, number] = String(line).split(' ');
        const expected = seen.get(instance) ?? 0;
        if (name !== instance || Number(number) !== expected || (time === undefined) !== isRaw)
          faults.push(`${expected}: ${row}`);
        seen.set(instance, Number(number) + 1);
      }
    });
    const more = (instance: string, count: number): Promise<unknown> => {
      const from = seen.get(instance) ?? 0;
      return until(`more of ${instance}`, () => (seen.get(instance) ?? 0) >= from + count, {
        timeoutMs: 30_000,
      });
    };
    await more('writer:0', 700);
    await world.succeed('scale', 'writer=2');
    await more('writer:1', 700);
    kill((await world.status()).daemon.pid, 'SIGKILL');
    await world.succeed('start');
    await more('writer:0', 700);
    await more('writer:1', 700);
    await world.succeed('scale', 'writer=3');
    await more('writer:2', 300);
    expect(faults).toEqual([]);
    follower.child.kill('SIGINT');
    expect((await follower.ended).code).toBe(130);
  },
  120_000,
);
