/**
 * Thousands of random lives. SIM_SEED=n repeats one of them, SIM_WORLDS=n says how many.
 * The daemon killed between two effects and started again comes with adoption: it belongs into life.ts.
 */
import { expect, test } from 'vitest';
import { live } from './life.ts';
import { Transitions } from './transitions.ts';

const WORLDS = Number(process.env.SIM_WORLDS ?? 2500);
const SEED = process.env.SIM_SEED;

test('in no world is a rule broken', { timeout: 300_000 }, () => {
  const seeds = SEED === undefined ? Array.from({ length: WORLDS }, (_, i) => i + 1) : [Number(SEED)];
  const transitions = new Transitions();
  let events = 0;
  for (const seed of seeds) events += live(seed, transitions);
  expect(events).toBeGreaterThan(seeds.length);
});
