/** The hooks around a run are those that it was started with. */
import { expect } from 'vitest';
import type { Program } from '../world.ts';
import { type Ground, notes, type Row, type Seat, steady } from './row.ts';

const HOOKS = ['pre_start', 'post_start', 'pre_drain', 'post_stop'] as const;
type Hook = (typeof HOOKS)[number];

const BEFORE: readonly Hook[] = ['pre_start', 'post_start'];

const hooked = (hook: Hook, value: unknown): Program => ({
  ...steady,
  backoff: { initial: '1h', max: '2h', jitter: '0%' },
  hooks: { [hook]: value },
});

/** Two runs come and go; what the hook has noted for each of them. */
async function notedInTwoRuns(seat: Seat): Promise<[string[], string[]]> {
  await seat.renew();
  const { run } = await seat.renewed(seat.before.run);
  await seat.renew();
  await seat.renewed(run);
  const of = (one: number | null) => seat.notes().flatMap((it) => (it.run === one ? it.word : []));
  return [of(seat.before.run), of(run)];
}

const isThere = (hook: Hook): Row => ({
  key: `hooks.${hook}`,
  program: () => steady,
  to: (at) => notes(at, 'new'),
  told: (at) => ({
    from: 'none',
    to: `{ exec: ${notes(at, 'new')}, timeout: 30s, on_failure: ${BEFORE.includes(hook) ? 'fail' : 'ignore'} }`,
  }),
  effect: 'next_start',
  async shows(seat) {
    expect(await notedInTwoRuns(seat)).toEqual([[], ['new']]);
  },
});

const isAnother = (hook: Hook): Row => ({
  key: `hooks.${hook}.exec`,
  program: (at) => hooked(hook, { exec: notes(at, 'old') }),
  to: (at) => notes(at, 'new'),
  effect: 'next_start',
  async shows(seat) {
    expect(await notedInTwoRuns(seat)).toEqual([['old'], ['new']]);
  },
});

/** The hook of the first run is quick, that of the second never ends. */
const hangs = ({ dir }: Ground): string => `bash -c 'mkdir ${dir}/first || exec sleep 1000'`;

const isQuicker = (hook: Hook): Row => ({
  key: `hooks.${hook}.timeout`,
  program: (at) => hooked(hook, { exec: hangs(at), timeout: '1h', on_failure: 'ignore' }),
  to: () => '100ms',
  effect: 'next_start',
  async shows(seat) {
    await seat.renew();
    const { run } = await seat.renewed(seat.before.run);
    if (!BEFORE.includes(hook)) {
      await seat.renew();
      await seat.renewed(run);
    }
    const failed = await seat.sees('hook_failed', (it) => it.hook === hook);
    expect(failed).toMatchObject({ run, error: expect.stringContaining('100ms') });
  },
});

const matters = (hook: Hook, shows: Row['shows']): Row => ({
  key: `hooks.${hook}.on_failure`,
  program: () => hooked(hook, { exec: 'false', on_failure: 'ignore' }),
  to: () => 'fail',
  effect: 'next_start',
  shows,
});

/** The run after the first one, or its start, is a failure. */
async function failsAfter(seat: Seat, runs: number): Promise<void> {
  for (let { run } = seat.before; runs > 0; runs--) {
    await seat.renew();
    if (runs > 1) run = (await seat.renewed(run)).run;
  }
  const failed = await seat.see('it has failed', ({ state }) => state === 'backoff');
  expect(failed.message).toMatch(/failed in its \w+ hook: exited with code 1/);
}

export const NEXT_HOOKS: readonly Row[] = [
  ...HOOKS.flatMap((hook) => [isThere(hook), isAnother(hook), isQuicker(hook)]),
  matters('pre_start', (seat) => failsAfter(seat, 1)),
  matters('post_start', (seat) => failsAfter(seat, 1)),
  matters('post_stop', (seat) => failsAfter(seat, 2)),
  matters('pre_drain', async (seat) => {
    const roll = () => seat.client.createRollouts({ selectors: [seat.name], keep_config: true });
    await roll();
    await seat.sees('rollout', (it) => it.state === 'succeeded');
    const { run } = await seat.now();
    expect(run).not.toBe(seat.before.run);
    await roll();
    const paused = await seat.sees('rollout', (it) => it.state === 'paused');
    expect(paused.reason).toMatch(/pre_drain hook/);
    expect(await seat.now()).toMatchObject({ run, state: 'running', ready: true });
  }),
];
