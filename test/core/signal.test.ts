/** signal: by the operator's own hand, to leaders or trees, and nothing else changes. */
import { expect, test } from 'vitest';
import { Fleets, program, worker } from './rig.ts';

const send = (fleets: Fleets, tree = false): Fleets =>
  fleets.take({ type: 'signal', ids: [...fleets.ids(), worker(99)], signal: 'HUP', tree });
const three = (): Fleets => new Fleets([program({ instances: 3 })]).allReady();

test('to leaders, or to trees, and it is told', () => {
  expect(send(three()).signals()).toBe('HUP→worker:0 HUP→worker:1 HUP→worker:2');
  const fleets = send(three(), true);
  expect(fleets.signals()).toBe('HUP→worker:0… HUP→worker:1… HUP→worker:2…');
  expect(fleets.news('signalled')).toHaveLength(3);
});

test('changes no wish and no phase', () => {
  const fleets = three();
  const before = [...fleets.fleet.instances.values()];
  send(fleets);
  expect([...fleets.fleet.instances.values()]).toEqual(before);
});

test('where there is no process, nothing is sent and nothing is told', () => {
  const fleets = three().stop(0).gone(0).gone(1, 1).restart(2).gone(2);
  expect(fleets.kinds()).toBe('stopped backoff spawning');
  expect(send(fleets).effects).toEqual([]);
});

test('a leader that is gone gets none, what is left of its tree does', () => {
  const fleets = new Fleets([program()]).allReady().exited(0, 1).tree(0, 2);
  expect(send(fleets).effects).toEqual([]);
  expect(send(fleets, true).signals()).toBe('HUP→worker:0…');
});
