/** essential: when such an instance is given up, nothing here is worth running without it. */
import { describe, expect, test } from 'vitest';
import { programName } from '../../src/base/ids.ts';
import { type Change, Fleets, program } from './rig.ts';

const other = program({ name: programName('other') });
const fleet = (change: Change = {}): Fleets =>
  new Fleets([program({ essential: true, backoff: { giveUpAfter: 1 }, ...change }), other]).allReady();
const finish = (fleets: Fleets): unknown => fleets.effects.find(({ type }) => type === 'finish');

test('given up: everything is drained, and the daemon ends with the reason', () => {
  const fleets = fleet().gone(0, 1);
  expect(fleets.kinds()).toBe('stopped draining');
  const fault = 'worker:0, which is essential, exited with code 1 after 100ms; given up after one try';
  expect(fleets.news('shutting_down')).toEqual([{ type: 'shutting_down', fault }]);
  fleets.gone('other');
  expect(finish(fleets)).toEqual({ type: 'finish', fault });
});

test('within the time that the config gives a shutdown', () => {
  const fleets = fleet();
  fleets
    .take({ type: 'reload', programs: [...fleets.fleet.programs.values()], shutdownTimeoutMs: 100 })
    .gone(0, 1);
  expect(fleets.timers.get('shutdown')).toBe(fleets.now + 100);
});

test('one that is not essential takes nobody with it', () => {
  expect(fleet({ essential: false }).gone(0, 1).kinds()).toBe('failed running');
});

describe('is not given up', () => {
  test.each<[string, Change, (fleets: Fleets) => unknown, string]>([
    [
      'by a crash that is tried again',
      { backoff: { giveUpAfter: 2 } },
      (f) => f.gone(0, 1),
      'backoff running',
    ],
    ['by a clean end', { restart: 'never' }, (f) => f.gone(0, 0), 'exited running'],
    ["by an operator's stop", {}, (f) => f.stop(0).gone(0, 1), 'stopped running'],
  ])('%s', (_, change, act, kinds) => {
    const fleets = fleet(change);
    act(fleets);
    expect(fleets.kinds()).toBe(kinds);
    expect(fleets.fleet.mode.kind).toBe('running');
  });
});

test('a one-shot that fails is given up at once', () => {
  expect(fleet({ restart: 'never' }).gone(0, 1).fleet.mode.kind).toBe('shutting_down');
});

test('made essential by a reload, it counts from its next end on', () => {
  const plan = program({ backoff: { giveUpAfter: 1 } });
  const fleets = new Fleets([plan, other])
    .allReady()
    .reload({ ...plan, essential: true }, other)
    .gone(0, 1);
  expect(fleets.fleet.mode.kind).toBe('shutting_down');
});

test('given up on the way down, it adds no fault to what the operator has asked for', () => {
  const fleets = fleet().take({ type: 'shutdown', how: 'drain', timeoutMs: null }).gone(0, 1).gone('other');
  expect(finish(fleets)).toEqual({ type: 'finish', fault: null });
});
