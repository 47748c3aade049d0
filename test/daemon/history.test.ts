import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { rolloutId } from '../../src/base/ids.ts';
import { createFleet, type Fleet, NO_MEMORY } from '../../src/core/fleet/fleet.ts';
import { describeRollout } from '../../src/daemon/describe-rollout.ts';
import { HISTORY_KEPT, RolloutHistory } from '../../src/daemon/history.ts';
import { Journal } from '../../src/daemon/journal.ts';
import { at, BEGIN, Fleets, plan, program } from '../core/rig.ts';

let folder: string;
let journal: Journal;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'history-'));
  journal = new Journal(join(folder, 'journal'), () => {});
});
afterEach(() => {
  journal.close();
  rmSync(folder, { recursive: true, force: true });
});

const rollOut = (fleets: Fleets): void => {
  fleets.take({ ...BEGIN, program: program(), ids: fleets.ids(), maxParallel: 1 });
};

/** A daemon that has led these rollouts, and then died. */
function lived(lead: (fleets: Fleets) => void): void {
  const fleets = new Fleets([program({ instances: 2 })]).allReady();
  lead(fleets);
  for (const rollout of fleets.fleet.rollouts.values())
    journal.put(`rollout/${rollout.id}`, { ...describeRollout(rollout, at(fleets.now)) });
}

const past = (id: number, program: string, state: string) => ({ id, program, state, turns: [] });

const fresh = (): Fleet => createFleet(plan([program()]), NO_MEMORY);

describe('the history of rollouts', () => {
  it("shows a rollout that was cut off by its daemon's death as aborted, and says so", () => {
    lived(rollOut);
    const [cutOff] = new RolloutHistory(journal).all(fresh(), at(0));
    expect(cutOff).toMatchObject({
      id: 1,
      state: 'aborted',
      current: [],
      reason: 'the daemon that led it ended before it was over',
    });
  });

  it('shows one that was paused then as aborted too, since nobody can resume it', () => {
    lived((fleets) => {
      rollOut(fleets);
      fleets.take({ type: 'steer_rollout', id: fleets.fleet.nextRollout, command: 'pause' });
      for (const { id } of fleets.fleet.rollouts.values())
        fleets.take({ type: 'steer_rollout', id, command: 'pause' });
    });
    const history = new RolloutHistory(journal);
    expect(history.find(fresh(), '1', at(0))).toMatchObject({ state: 'aborted' });
  });

  it('leaves what was over as it was', () => {
    lived((fleets) => {
      rollOut(fleets);
      for (const { id } of fleets.fleet.rollouts.values())
        fleets.take({ type: 'steer_rollout', id, command: 'abort' });
    });
    const [over] = new RolloutHistory(journal).all(fresh(), at(0));
    expect(over).toMatchObject({ state: 'aborted' });
    expect(over?.reason).not.toMatch(/ended before it was over/);
  });

  it('has those of before and those of now in the order of their numbers, each once', () => {
    journal.put('rollout/10', past(10, 'mailer', 'succeeded'));
    journal.put('rollout/9', past(9, 'worker', 'succeeded'));
    journal.put('rollout/1', past(1, 'worker', 'running'));
    const fleets = new Fleets([program({ instances: 1 })]).allReady();
    rollOut(fleets);
    const history = new RolloutHistory(journal);
    expect(history.all(fleets.fleet, at(0)).map(({ id, state }) => [id, state])).toEqual([
      [1, 'running'],
      [9, 'succeeded'],
      [10, 'succeeded'],
    ]);
    expect(
      history.current(fleets.fleet, at(0)).map(({ id }) => id),
      'the last of each program',
    ).toEqual([9, 10]);
  });

  it('finds by number, and by program the last one; and nothing else', () => {
    for (const id of [1, 2, 3])
      journal.put(`rollout/${id}`, past(id, id === 3 ? 'mailer' : 'worker', 'succeeded'));
    const history = new RolloutHistory(journal);
    const found = (key: string) => history.find(fresh(), key, at(0))?.id;
    expect(['1', 'worker', 'mailer', '4', '', '01', 'work*'].map(found)).toEqual([
      1,
      2,
      3,
      undefined,
      undefined,
      undefined,
      undefined,
    ]);
  });

  it('remembers the last hundred, those of now among them, also once the fleet has forgotten them', () => {
    for (let id = 1; id <= 150; id++) journal.put(`rollout/${id}`, past(id, 'mailer', 'succeeded'));
    const history = new RolloutHistory(journal);
    const fleets = new Fleets([program({ instances: 1 })], { ...NO_MEMORY, nextRollout: 151 }).allReady();
    for (let i = 0; i < 30; i++) {
      rollOut(fleets);
      const id = rolloutId(151 + i);
      fleets.take({ type: 'steer_rollout', id, command: 'abort' });
      const over = fleets.fleet.rollouts.get(id);
      if (over !== undefined) history.keep(over, at(0));
      if (fleets.kindOf(0) === 'draining') fleets.gone(0).spawned(0);
    }
    const ids = Array.from({ length: HISTORY_KEPT }, (_, i) => 81 + i);
    expect(history.all(fleets.fleet, at(0)).map(({ id }) => id)).toEqual(ids);
    expect(fleets.fleet.rollouts.size, 'fewer than that').toBeLessThan(30);
    expect(new RolloutHistory(journal).all(fresh(), at(0)).map(({ id }) => id)).toEqual(ids);
  });

  it('is written as one begins and once it is over, and not at each step between', () => {
    const history = new RolloutHistory(journal);
    const fleets = new Fleets([program({ instances: 2 })]).allReady();
    const written: string[] = [];
    const put = journal.put.bind(journal);
    journal.put = (key, value) => {
      written.push(key);
      put(key, value);
    };
    const kept = (): void => {
      const rollout = fleets.fleet.rollouts.get(rolloutId(1));
      if (rollout !== undefined) history.keep(rollout, at(0));
    };
    rollOut(fleets);
    kept();
    fleets.take({ type: 'steer_rollout', id: rolloutId(1), command: 'pause' });
    kept();
    expect(written).toEqual(['rollout/1']);
    fleets.take({ type: 'steer_rollout', id: rolloutId(1), command: 'abort' });
    kept();
    expect(written).toEqual(['rollout/1', 'rollout/1']);
  });

  it('passes over what is not a rollout', () => {
    for (const [i, value] of [5, 'text', true, [], {}, { id: 'x' }].entries())
      journal.put(`rollout/${i + 1}`, value);
    journal.put('rollout/9', past(9, 'worker', 'succeeded'));
    const history = new RolloutHistory(journal);
    expect(history.all(fresh(), at(0)).map(({ id }) => id)).toEqual([9]);
  });
});
