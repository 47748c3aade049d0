/**
 * Thousands of random lives, in shares that can be lived side by side. SIM_SEED=n repeats one of them, SIM_WORLDS=n says
 * how many there are in all, SIM_STORY=n how long a story is told of one in which a rule is broken.
 */
import { expect, test } from 'vitest';
import { live } from './life.ts';
import { Transitions } from './transitions.ts';
import { undrawn } from './undrawn.ts';

const WORLDS = Number(process.env.SIM_WORLDS ?? 4_000);
const SEED = process.env.SIM_SEED;
const SHARES = 4;

/** `share` counts from 1. */
export function testWorlds(share: number): void {
  test(`in no world is a rule broken, and every step is one that the map draws: share ${share} of ${SHARES}`, {
    timeout: 300_000,
  }, () => {
    const seeds = SEED === undefined ? seedsOf(share) : [Number(SEED)];
    const seen = new Transitions();
    let events = 0;
    for (const seed of seeds) events += live(seed, seen);
    expect(events).toBeGreaterThan(seeds.length);
    expect(undrawn(seen)).toEqual([]);
  });
}

function seedsOf(share: number): number[] {
  const seeds = Array.from({ length: WORLDS }, (_, i) => i + 1);
  return seeds.filter((seed) => seed % SHARES === share - 1);
}
