/** What becomes of output where it goes: the next line obeys, and nothing is begun anew for that. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { until } from '../until.ts';
import type { Program } from '../world.ts';
import { quick, type Row, type Seat } from './row.ts';

const talkative = (logs: Program): Program => ({
  ...quick,
  command: ['sh', '-c', 'echo READY=1 >&3; while :; do echo a line; sleep 0.05; done'],
  logs,
});

/** A file of this name comes to lie beside the log, which the same run goes on to write. */
const puts =
  (end: string): Row['shows'] =>
  async (seat: Seat) => {
    const file = join(seat.world.dir, 'logs', `${seat.name}-0.log${end}`);
    await until(file, () => existsSync(file));
    expect((await seat.now()).run).toBe(seat.before.run);
  };

const live = (key: string, logs: Program, to: unknown, end: string, told: Row['told']): Row => ({
  key: `logs.${key}`,
  program: () => talkative(logs),
  to: () => to,
  told,
  effect: 'live',
  shows: puts(end),
});

export const LIVE_LOGS: readonly Row[] = [
  live('max_size', {}, '20B', '.1', { from: '50MB' }),
  live('max_age', {}, '200ms', '.1', { from: 'none' }),
  live('keep', { max_size: '20B', keep: 0 }, 3, '.3', {}),
  live('compress', { max_size: '20B', keep: 3 }, true, '.3.gz', { from: 'false' }),
];
