/** What of rollouts is gone for good with a daemon, and what is not. */
import { expect, it } from 'vitest';
import { mono, wall } from '../../src/base/clock.ts';
import { pid, programName, revision, rolloutId } from '../../src/base/ids.ts';
import { at, BEGIN, program } from '../core/rig.ts';
import { Heir, useHeirs } from './heir.ts';

useHeirs();

const NOTIFY = { when: 'notify', timeoutMs: null } as const;
const OLD = program({ instances: 3, ready: NOTIFY });
const NEW = { ...OLD, command: ['new'], revision: revision('two') };
const OTHER = program({ name: programName('other'), revision: revision('o') });
const LATER = { mono: mono(7), wall: wall(at(100).wall) };
const ready = (heir: Heir, index = 0): Heir =>
  heir.take({ type: 'notified', run: heir.run(index), message: { ready: true } });
function working(): Heir {
  const heir = new Heir({ programs: [OLD] }).start();
  for (const index of [0, 1, 2]) ready(heir.spawned(index), index);
  return heir;
}
const rolling = (): Heir => {
  const heir = working();
  return heir.follow([NEW]).take({ ...BEGIN, program: NEW, ids: heir.ids(), maxParallel: 1 });
};

it('a rollout whose program the config has no more is given up for good', () => {
  const first = rolling();
  const second = first.next({ programs: [OTHER], now: LATER }).goOn();
  expect(second.fleet.rollouts.size).toBe(0);
  const left = [...second.journal.under('rolling/'), ...second.journal.under('turn/')].map(([key]) => key);
  expect.soft(left).toEqual([]);
  const third = second.next({ programs: [{ ...OLD, revision: revision('three') }], now: LATER }).goOn();
  expect(third.fleet.rollouts.size, 'it does not rise again months later').toBe(0);
});

it('a machine that is shut down in the middle of a rollout comes up with what the file says', () => {
  const first = rolling();
  first.take({ type: 'shutdown', how: 'drain', timeoutMs: null });
  for (const index of [0, 1, 2]) first.exited(0, index).empty(index);
  const second = first.next({ programs: [NEW], now: LATER });
  expect(second.plan.programs.map((one) => one.revision)).toEqual(['two']);
});

it('who had no process when the daemon died keeps its turn, whatever is heard of others first', () => {
  const first = rolling();
  first.exited(1, 2).empty(2); // worker:2, whose turn has not come, has crashed: backoff
  first.exited(0, 0).empty(0); // worker:0 is replaced: spawning, and the daemon dies in the act
  expect([0, 1, 2].map((i) => first.seat(i).phase.kind)).toEqual(['spawning', 'running', 'backoff']);
  const found = [
    {
      run: first.run(0),
      pid: pid(99),
      instance: 'worker:0',
      identity: 'x',
      ageMs: 0,
      revision: 'two',
      generation: 1,
    },
  ];
  const second = first.next({ programs: [NEW], now: LATER, found }).goOn();
  expect
    .soft(second.fleet.rollouts.get(rolloutId(1))?.turns.map(({ step }) => step.kind))
    .toEqual(['starting', 'pending', 'pending']);
  expect(second.seat(2).program.revision).toBe('one');
});

it('a way back goes on past those that never became ready', () => {
  const rollout = { ...OLD.rollout, maxFailures: 2, healthyDeadlineMs: 100, minHealthyTimeMs: 0 };
  const slow = { when: 'notify', timeoutMs: 3_600_000 } as const;
  const before = { ...OLD, ready: slow, rollout };
  const bad = { ...NEW, ready: slow, rollout };
  const heir = new Heir({ programs: [before] }).start();
  for (const index of [0, 1, 2]) ready(heir.spawned(index), index);
  heir.follow([bad]).take({ ...BEGIN, program: bad, ids: heir.ids(), maxParallel: 1 });
  let now = 0;
  const look = (of: Heir, ms: number) => {
    now += ms;
    return of.at(now).take({ type: 'due', timer: { of: 'rollout', id: rolloutId(1) } });
  };
  for (const index of [0, 1, 2]) {
    heir.exited(0, index).empty(index).spawned(index);
    look(heir, 100);
  }
  heir.take({ type: 'steer_rollout', id: rolloutId(1), command: 'revert' });
  const drive = (of: Heir) => {
    of.exited(0, 0).empty(0);
    ready(of.spawned(0), 0);
    look(of, 1);
    look(of, 1);
    return of.fleet.rollouts.get(rolloutId(1));
  };
  const next = heir.next({ programs: [bad], now: at(now) }).goOn();
  const rolloutNow = drive(next);
  expect(rolloutNow?.turns[1]?.step.kind).toBe('draining');
});
