/** What becomes of what a program writes: its next line is treated as the key says. */
import { existsSync, readFileSync, rmSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { until } from '../until.ts';
import { rolledOut } from './rolling.ts';
import { heeds, quick, READY, type Row, type Seat } from './row.ts';

/** Writes one line more whenever it is asked to. */
const teller = (logs: object): Row['program'] => {
  const command = heeds(READY, { HUP: 'echo "line $((n += 1))"', USR1: 'exit 7' });
  return () => ({ ...quick, command, logs });
};

const logOf = ({ world, name }: Seat): string => join(world.dir, 'logs', `${name}-0.log`);
const textOf = (path: string): string => (existsSync(path) ? readFileSync(path, 'utf8') : '');

/** Lines are asked for until that is so. */
async function tells(seat: Seat, what: string, isSo: (path: string, text: string) => boolean): Promise<void> {
  await until(what, async () => {
    await seat.client.signal({ selectors: [seat.name], signal: 'HUP' });
    return isSo(logOf(seat), textOf(logOf(seat)));
  });
}

const live = (key: string, logs: object, to: unknown, shows: Row['shows'], told?: Row['told']): Row => ({
  key: `logs.${key}`,
  program: teller(logs),
  to: () => to,
  told,
  effect: 'live',
  shows,
});

export const LOGS: readonly Row[] = [
  live('max_size', {}, '1B', (seat) => tells(seat, 'it is put aside', (path) => existsSync(`${path}.2`)), {
    from: '50MB',
  }),
  live('keep', { max_size: '1B' }, 1, (seat) => keepsOne(seat), { from: '10' }),
  live('max_age', {}, '1ms', (seat) => tells(seat, 'it is put aside', (path) => existsSync(`${path}.1`)), {
    from: 'none',
  }),
  live(
    'compress',
    { max_size: '1B' },
    true,
    (seat) => tells(seat, 'it is compressed', (path) => existsSync(`${path}.1.gz`)),
    { from: 'false' },
  ),
  live(
    'timestamps',
    {},
    true,
    (seat) => tells(seat, 'it has its time', (_, text) => /^\d{4}-\d\d-\d\dT[\d:.]+Z line \d+$/m.test(text)),
    { from: 'false' },
  ),
  {
    key: 'logs.when_full',
    program: (at) => ({ ...teller({})(at), logs: { stdout: join(at.dir, 'wall', '{{index}}.log') } }),
    before({ dir }) {
      rmSync(join(dir, 'wall'), { recursive: true });
      writeFileSync(join(dir, 'wall'), 'no folder');
    },
    to: () => 'block',
    told: { from: 'drop' },
    effect: 'live',
    shows: waits,
  },
  {
    key: 'logs.format',
    program: teller({}),
    to: () => 'json',
    told: { from: 'raw' },
    effect: 'rolling', // its two streams need two pipes
    async shows(seat) {
      const { run } = await rolledOut(seat);
      const begin = `"instance":"${seat.name}:0","run":${run},"stream":"stdout","message":"line 1"}\n`;
      await tells(seat, 'it is JSON', (_, text) => text.includes(begin));
    },
  },
];

/** What cannot be put into a log waits until it can. */
async function waits(seat: Seat): Promise<void> {
  const wall = join(seat.dir, 'wall');
  const log = join(wall, '0.log');
  await until('it is said', async () => {
    await seat.client.signal({ selectors: [seat.name], signal: 'HUP' });
    const { daemon } = await seat.client.status({ usage: false });
    return daemon.warnings.some((text) => text.includes(log));
  });
  unlinkSync(wall);
  await until('it is there', () => /^line \d+$/m.test(textOf(log)));
  expect((await seat.now()).logs).toBeUndefined();
}

async function keepsOne(seat: Seat): Promise<void> {
  let most = 0;
  await tells(seat, 'some have come and gone', (path, text) => {
    const numbers = [text, textOf(`${path}.1`)].map((part) => Number(/line (\d+)/.exec(part)?.[1] ?? 0));
    most = Math.max(most, ...numbers);
    return most >= 4;
  });
  expect(existsSync(`${logOf(seat)}.2`)).toBe(false);
}
