/** What makes an instance ready belongs to its run: the next one is asked by the new rule. */
import { utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import type { Program } from '../world.ts';
import { type Ground, heeds, notes, quick, READY, type Row, type Seat, steady } from './row.ts';

const TIMEOUT = '20s';

/** Its first run does `first`, each later one `later`; and USR1 makes it do `go`. */
const inTurn = ({ dir }: Ground, first: string, later: string, go = ':'): readonly string[] =>
  heeds(
    `if [ -e ${dir}/begun ]; then ${later}; else touch ${dir}/begun; ${first}; fi; echo STATUS=begun >&3`,
    {
      USR1: go,
    },
  );

/** The next run has begun, and what made the last one ready leaves it cold. */
async function begun(seat: Seat): Promise<void> {
  await seat.renew();
  const next = await seat.see(
    'the next run has begun',
    (it) => it.run !== seat.before.run && it.message.startsWith('begun'),
  );
  expect(next).toMatchObject({ state: 'starting', ready: false });
}

async function go(seat: Seat): Promise<void> {
  process.kill((await seat.now()).pid ?? 0, 'SIGUSR1');
}

interface Form {
  readonly form: string;
  of(at: Ground): Program;
  to(at: Ground): unknown;
  readonly told?: Row['told'];
  readonly more?: Program;
  shows(seat: Seat): Promise<void>;
}

/** One form of the question, with another value. */
const asked = ({ form, of, to, told, more, shows }: Form): Row => ({
  key: `ready.when.${form}`,
  program: (at) => ({
    ...quick,
    command: inTurn(at, 'echo old words', 'echo old words', 'echo new words'),
    ready: { when: of(at), timeout: TIMEOUT, ...more },
  }),
  to,
  ...(told === undefined ? {} : { told }),
  effect: 'next_start',
  shows,
});

export const NEXT_READY: readonly Row[] = [
  {
    key: 'ready.when',
    program: (at) => ({
      ...quick,
      command: inTurn(at, READY, ':', 'echo new words'),
    }),
    to: () => ({ log: 'new words' }),
    told: { to: '{ log: new words }' },
    effect: 'next_start',
    async shows(seat) {
      await begun(seat);
      await go(seat);
      await seat.renewed(seat.before.run);
    },
  },
  asked({
    form: 'log',
    of: () => ({ log: 'old words' }),
    to: () => 'new words',
    async shows(seat) {
      await begun(seat);
      await go(seat);
      await seat.renewed(seat.before.run);
    },
  }),
  asked({
    form: 'exec',
    of: (at) => ({ exec: notes(at, 'old') }),
    to: (at) => notes(at, 'new'),
    more: { interval: '20ms' },
    async shows(seat) {
      await seat.renew();
      const { run } = await seat.renewed(seat.before.run);
      const words = (of: number | null) =>
        new Set(seat.notes().flatMap((it) => (it.run === of ? it.word : [])));
      expect(words(seat.before.run)).toEqual(new Set(['old']));
      expect(words(run)).toEqual(new Set(['new']));
    },
  }),
  asked({
    form: 'http',
    of: ({ url }) => ({ http: `${url}/old` }),
    to: ({ url }) => `${url}/new`,
    more: { interval: '20ms' },
    async shows(seat) {
      expect(seat.asked()).toEqual(['old']);
      await seat.renew();
      await seat.renewed(seat.before.run);
      expect(seat.asked()).toEqual(['old', 'new']);
    },
  }),
  asked({
    form: 'tcp',
    of: ({ doors: [old] }) => ({ tcp: `127.0.0.1:${old.port}` }),
    to: ({ doors: [, fresh] }) => `127.0.0.1:${fresh.port}`,
    more: { interval: '20ms' },
    async shows(seat) {
      const knocks = () => seat.doors.map((door) => door.knocks());
      expect(knocks()).toEqual([1, 0]);
      await seat.renew();
      await seat.renewed(seat.before.run);
      expect(knocks()).toEqual([1, 1]);
    },
  }),
  {
    key: 'ready.when.file',
    program: (at) => ({
      ...quick,
      command: inTurn(at, `touch ${at.dir}/old`, `touch ${at.dir}/old`),
      ready: { when: { file: join(at.dir, 'old') }, interval: '20ms', timeout: TIMEOUT },
    }),
    to: ({ dir }) => join(dir, 'new'),
    effect: 'next_start',
    async shows(seat) {
      const file = join(seat.dir, 'new');
      writeFileSync(file, '');
      utimesSync(file, 0, 0); // older than the next run: it says nothing about that
      await begun(seat);
      utimesSync(file, new Date(), new Date());
      await seat.renewed(seat.before.run);
    },
  },
  {
    key: 'ready.interval',
    program: (at) => ({
      ...quick,
      command: heeds(':'),
      // The first question of the first run is answered well; of the next run, the third.
      ready: {
        when: {
          exec: notes(
            at,
            'asked',
            `sh -c '[ $(wc -l < ${at.dir}/notes) != 2 ] && [ $(wc -l < ${at.dir}/notes) != 3 ]'`,
          ),
        },
        interval: '1h',
        timeout: TIMEOUT,
      },
    }),
    to: () => '20ms',
    effect: 'next_start',
    async shows(seat) {
      await seat.renew();
      const { run } = await seat.renewed(seat.before.run);
      expect(seat.notes().map((it) => it.run)).toEqual([seat.before.run, run, run, run]);
    },
  },
  {
    key: 'ready.timeout',
    program: (at) => ({ ...quick, command: inTurn(at, READY, ':'), backoff: { initial: '1h', max: '1h' } }),
    to: () => '100ms',
    effect: 'next_start',
    async shows(seat) {
      await seat.renew();
      const late = await seat.see('the next run was too late', ({ state }) => state === 'backoff');
      expect(late.message).toMatch(/^was not ready in time/);
    },
  },
  {
    key: 'ready.for',
    program: () => ({ ...steady, ready: { when: 'spawned', for: '10ms' } }),
    to: () => '400ms',
    effect: 'next_start',
    async shows(seat) {
      await seat.renew();
      const { run } = await seat.renewed(seat.before.run);
      const spawned = await seat.sees('spawned', (it) => it.run === run);
      const ready = await seat.sees('ready', (it) => it.run === run);
      expect(ready.mono_ms - spawned.mono_ms).toBeGreaterThanOrEqual(399);
    },
  },
];
