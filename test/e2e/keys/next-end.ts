/** How a run ends was promised to it at its start: what runs ends as it was told then, its successor by the new rule. */
import { expect } from 'vitest';
import { heeds, notes, READY, type Row, type Seat, steady } from './row.ts';

/** Survives every signal that asks it to end, and exits on USR1. */
const STUBBORN = { TERM: ':', INT: ':', QUIT: ':', USR1: 'exit 0' };

/** The first run ends, the next one is ready and ends, too: their numbers. */
async function twoEnds(seat: Seat): Promise<[first: number | null, second: number | null]> {
  await seat.renew();
  const { run } = await seat.renewed(seat.before.run);
  await seat.renew();
  await seat.renewed(run);
  return [seat.before.run, run];
}

const pidOf = async (seat: Seat): Promise<number> => (await seat.now()).pid ?? 0;

/** Waits until it was asked to end, and lets it. */
async function release(seat: Seat, run: number | null, event: 'signalled' | 'reported'): Promise<void> {
  const pid = await pidOf(seat);
  await seat.sees(event, (it) => it.run === run);
  process.kill(pid, 'SIGUSR1');
}

const words = (seat: Seat, of: number | null): string[] =>
  seat.notes().flatMap(({ word, run }) => (run === of ? word : []));

export const NEXT_END: readonly Row[] = [
  {
    key: 'drain.signal',
    program: () => ({ ...steady, command: heeds(READY, { TERM: 'exit 0', USR2: 'exit 0' }) }),
    to: () => 'USR2',
    told: { from: 'TERM' },
    effect: 'next_start',
    async shows(seat) {
      const [first, second] = await twoEnds(seat);
      expect(seat.signals(first)).toEqual(['TERM']);
      expect(seat.signals(second)).toEqual(['USR2']);
    },
  },
  {
    key: 'drain.done_when',
    program: () => ({
      ...steady,
      command: heeds(READY, { TERM: 'echo X_DRAINED=1 >&3', INT: 'exit 0', USR1: 'exit 0' }),
      stop: { signal: 'INT', timeout: '20s' },
    }),
    to: () => 'notify',
    told: { from: 'exit' },
    effect: 'next_start',
    async shows(seat) {
      await seat.renew();
      await release(seat, seat.before.run, 'reported');
      const { run } = await seat.renewed(seat.before.run);
      await seat.renew();
      await seat.renewed(run);
      expect(seat.signals(seat.before.run), 'its word was no end').toEqual(['TERM']);
      expect(seat.signals(run), 'its word was the end of the drain').toEqual(['TERM', 'INT']);
    },
  },
  {
    key: 'drain.done_when.exec',
    program: (at) => ({
      ...steady,
      command: heeds(READY, { ...STUBBORN, INT: 'exit 0' }),
      drain: { done_when: { exec: notes(at, 'old') }, timeout: '20s' },
      stop: { signal: 'INT' },
    }),
    to: (at) => notes(at, 'new'),
    effect: 'next_start',
    async shows(seat) {
      const [first, second] = await twoEnds(seat);
      expect(words(seat, first)).toEqual(['old']);
      expect(words(seat, second)).toEqual(['new']);
    },
  },
  {
    key: 'drain.done_when.http',
    program: ({ url }) => ({
      ...steady,
      command: heeds(READY, { ...STUBBORN, INT: 'exit 0' }),
      drain: { done_when: { http: `${url}/old` }, timeout: '20s' },
      stop: { signal: 'INT' },
    }),
    to: ({ url }) => `${url}/new`,
    effect: 'next_start',
    async shows(seat) {
      await twoEnds(seat);
      expect(seat.asked()).toEqual(['old', 'new']);
    },
  },
  {
    key: 'drain.wait_for',
    // Its job outlives it.
    program: () => ({
      ...steady,
      command: ['bash', '-c', `sleep 1000 & echo STATUS=$! >&3; ${READY}; trap 'exit 0' TERM; wait`],
    }),
    to: () => 'leader',
    told: { from: 'tree' },
    effect: 'next_start',
    async shows(seat) {
      const job = Number(seat.before.message);
      await seat.renew();
      await seat.sees('exited', (it) => it.run === seat.before.run);
      expect(await seat.now()).toMatchObject({ state: 'draining', run: seat.before.run });
      process.kill(job, 'SIGKILL');
      const { run } = await seat.renewed(seat.before.run);
      await seat.renew();
      await seat.renewed(run);
      const gone = await seat.sees('gone', (it) => it.run === run);
      expect(gone).toMatchObject({ drained: true, killed: false });
    },
  },
  {
    key: 'drain.timeout',
    program: () => ({
      ...steady,
      command: heeds(READY, { ...STUBBORN, INT: 'exit 0' }),
      drain: { timeout: 'none' },
      stop: { signal: 'INT' },
    }),
    to: () => '50ms',
    effect: 'next_start',
    async shows(seat) {
      await seat.renew();
      const draining = await seat.see('it drains', ({ state }) => state === 'draining');
      expect(draining.drain?.deadline).toBe(null);
      await release(seat, seat.before.run, 'signalled');
      const { run } = await seat.renewed(seat.before.run);
      await seat.renew();
      await seat.renewed(run);
      expect(seat.signals(seat.before.run)).toEqual(['TERM']);
      expect(seat.signals(run)).toEqual(['TERM', 'INT']);
    },
  },
  {
    key: 'drain.on_timeout',
    program: () => ({ ...steady, command: heeds(READY, STUBBORN), drain: { timeout: '50ms' } }),
    to: () => 'kill',
    told: { from: 'pause' },
    effect: 'next_start',
    async shows(seat) {
      const roll = () => seat.client.createRollouts({ selectors: [seat.name], keep_config: true });
      await roll();
      await seat.sees('rollout', (it) => it.state === 'paused');
      await release(seat, seat.before.run, 'signalled');
      await seat.sees('rollout', (it) => it.state === 'succeeded');
      const { run } = await seat.now();
      await roll();
      const gone = await seat.sees('gone', (it) => it.run === run);
      expect(gone).toMatchObject({ drained: false, killed: true });
      expect(seat.log.of('gone').find((it) => it.run === seat.before.run)?.killed).toBe(false);
    },
  },
  {
    key: 'stop.signal',
    program: () => ({
      ...steady,
      command: heeds(READY, { QUIT: 'exit 0', INT: 'exit 0' }),
      stop: { signal: 'INT', timeout: '20s' },
    }),
    to: () => 'QUIT',
    effect: 'next_start',
    async shows(seat) {
      const again = async () => {
        await seat.client.stop({ selectors: [seat.name], now: true });
        await seat.client.start({ selectors: [seat.name] });
      };
      await again();
      const { run } = await seat.now();
      await again();
      expect(seat.signals(seat.before.run)).toEqual(['INT']);
      expect(seat.signals(run)).toEqual(['QUIT']);
    },
  },
  {
    key: 'stop.timeout',
    program: () => ({ ...steady, command: heeds(READY, STUBBORN), stop: { signal: 'INT', timeout: '1h' } }),
    to: () => '50ms',
    effect: 'next_start',
    async shows(seat) {
      const stop = (wait: boolean) => seat.client.stop({ selectors: [seat.name], now: true, wait });
      await stop(false);
      const told = await seat.see('it was told to stop', ({ state }) => state === 'stopping');
      expect(told.message).toMatch(/is killed in (1h|59m)/);
      await release(seat, seat.before.run, 'signalled');
      await seat.see('it has stopped', ({ state }) => state === 'stopped');
      await seat.client.start({ selectors: [seat.name] });
      await stop(true);
      const { last_exit } = await seat.now();
      expect(last_exit).toMatchObject({ signal: 'SIGKILL', killed: true });
    },
  },
];
