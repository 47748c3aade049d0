import { describe, expect, it } from 'vitest';
import { TOP } from '../../src/config/keys.ts';
import { type KnownKey, keysIn } from '../../src/config/walk.ts';
import { createWorld, openFleet } from './keys/fleet.ts';
import { LIVE_ENDS } from './keys/live-ends.ts';
import { LIVE_FLEET } from './keys/live-fleet.ts';
import { LIVE_HEALTH } from './keys/live-health.ts';
import { LIVE_ROLLOUT } from './keys/live-rollout.ts';
import { LOGS } from './keys/logs.ts';
import { NEXT_END } from './keys/next-end.ts';
import { NEXT_HOOKS } from './keys/next-hooks.ts';
import { NEXT_READY } from './keys/next-ready.ts';
import { OWN } from './keys/own.ts';
import { ROLLING } from './keys/rolling.ts';

describe.concurrent('a key of the daemon', () => {
  for (const { key, title, config, shows } of OWN) {
    it(`${key} ${title}`, async ({ onTestFinished }) => {
      const world = createWorld();
      onTestFinished(() => world.close());
      const fleet = await openFleet(world, config);
      onTestFinished(() => fleet.close());
      await shows(fleet);
    });
  }
});

/** A change of what only holds other keys is told by those. */
const isChanged = ({ path, field }: KnownKey): boolean =>
  path[0] === 'programs'
    ? path.length === 1 || field.shape.inner === undefined || field.fallback !== undefined
    : path.length === 2 || path[0] !== 'supervisor';

it('every key that the config room declares has a row here, and every row is of such a key', () => {
  const declared = [...keysIn(TOP)]
    .filter(isChanged)
    .map(({ path }) => path.join('.').replace(/^programs\.\*\./, ''));
  const tables = [
    ROLLING,
    LIVE_FLEET,
    LIVE_ROLLOUT,
    LIVE_ENDS,
    LIVE_HEALTH,
    NEXT_READY,
    NEXT_END,
    NEXT_HOOKS,
    LOGS,
    OWN,
  ];
  const shown = new Set(tables.flat().map(({ key }) => key));
  expect([...shown].sort()).toEqual([...new Set(declared)].sort());
});
