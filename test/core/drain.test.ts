/** A planned end: one signal to the leader, then patience; what it waits for, and how long. */
import { describe, expect, test } from 'vitest';
import type { DrainPlan } from '../../src/core/plan.ts';
import { Bench, newsIn, program, summary } from './rig.ts';

function draining(drain: Partial<DrainPlan> = {}, onTimeout: 'pause' | 'kill' | 'stop' = 'stop'): Bench {
  const bench = new Bench(program({ drain })).running();
  bench.replace(program({ drain }), 'rollout 7', onTimeout);
  return bench;
}

const told = (bench: Bench, effects: ReturnType<Bench['take']>): string => summary(bench.phase.kind, effects);

describe('done when it exits', () => {
  test('wait for the tree: the exit of the leader is not the end while a child works', () => {
    const bench = draining({ waitFor: 'tree' });
    expect(told(bench, bench.code(0))).toBe('draining: survey');
    expect(told(bench, bench.tree(1))).toBe('draining');
    expect(told(bench, bench.tree(0))).toBe('spawning: forget spawn');
    expect(bench.instance.lastExit).toMatchObject({ drained: true, killed: false });
  });

  test('wait for the leader: what it leaves behind is swept', () => {
    const bench = draining({ waitFor: 'leader' });
    expect(told(bench, bench.code(0))).toBe('sweeping: survey');
    expect(told(bench, bench.tree(1))).toBe('sweeping: TERM→tree');
    expect(told(bench, bench.tree(0))).toBe('spawning: forget spawn');
    expect(bench.instance.lastExit).toMatchObject({ drained: true });
  });

  test('its word that it has drained is noted, and its exit is waited for all the same', () => {
    const bench = draining({ doneWhen: 'exit' });
    expect(told(bench, bench.says({ drained: true }))).toBe('draining');
    expect(told(bench, bench.tree(0))).toBe('draining');
  });
});

describe('done when it says so', () => {
  test('wait for the tree: it is told to stop when no child is left, and not before', () => {
    const bench = draining({ doneWhen: 'notify', waitFor: 'tree' });
    expect(told(bench, bench.says({ drained: true }))).toBe('draining: survey');
    expect(told(bench, bench.tree(2))).toBe('draining');
    expect(told(bench, bench.tree(0))).toBe('stopping: TERM→leader');
    bench.code(0);
    bench.tree(0);
    expect(bench.instance.lastExit).toMatchObject({ drained: true, killed: false });
  });

  test('wait for the leader: its word is enough, and the children are swept', () => {
    const bench = draining({ doneWhen: 'notify', waitFor: 'leader' });
    expect(told(bench, bench.says({ drained: true }))).toBe('stopping: TERM→leader');
    expect(told(bench, bench.code(0))).toBe('sweeping: survey');
    expect(told(bench, bench.tree(1))).toBe('sweeping: TERM→tree');
    bench.tree(0);
    expect(bench.instance.lastExit).toMatchObject({ drained: true });
  });

  test('an empty tree without its word means nothing', () => {
    const bench = draining({ doneWhen: 'notify', waitFor: 'tree' });
    expect(told(bench, bench.tree(0))).toBe('draining');
  });

  test('its word from before it was asked does not count', () => {
    const bench = new Bench(program({ drain: { doneWhen: 'notify', waitFor: 'leader' } })).running();
    bench.says({ drained: true });
    bench.stop();
    expect(told(bench, bench.tree(0))).toBe('draining');
    expect(told(bench, bench.says({ drained: true }))).toBe('stopping: TERM→leader');
  });

  test('an exit without its word is an end as well', () => {
    const bench = draining({ doneWhen: 'notify', waitFor: 'tree' });
    expect(told(bench, bench.code(0))).toBe('draining: survey');
    expect(told(bench, bench.says({ drained: true }))).toBe('draining');
    expect(told(bench, bench.tree(0))).toBe('spawning: forget spawn');
  });

  test('it says so twice, and is told to stop once', () => {
    const bench = draining({ doneWhen: 'notify', waitFor: 'leader' });
    bench.says({ drained: true });
    expect(told(bench, bench.says({ drained: true }))).toBe('stopping');
  });
});

test.each([
  ['tree', 'SIGUSR1', true],
  ['tree', 'SIGSEGV', false],
  ['leader', 'SIGUSR1', true],
  ['leader', 'SIGSEGV', false],
] as const)(
  'wait for the %s: death by %s while draining counts as drained: %s',
  (waitFor, signal, drained) => {
    const bench = draining({ waitFor });
    bench.signalled(signal);
    bench.tree(0);
    expect(bench.instance.lastExit?.drained).toBe(drained);
  },
);

describe('when it takes too long', () => {
  test('pause: nobody is signalled, it is overdue, and it drains on without a deadline', () => {
    const bench = draining({ timeoutMs: 300 }, 'pause');
    const effects = bench.after(300);
    expect(told(bench, effects)).toBe('draining');
    expect(newsIn(effects)).toEqual(['overdue']);
    expect(bench.phase).toMatchObject({ overdue: true, deadline: null });
    expect(told(bench, bench.after(1_000_000))).toBe('draining');
  });

  test('kill: everything of it is killed', () => {
    const bench = draining({ timeoutMs: 300 }, 'kill');
    expect(told(bench, bench.after(299))).toBe('draining');
    expect(told(bench, bench.after(1))).toBe('killing: KILL→tree survey');
    bench.signalled('SIGKILL');
    bench.tree(0);
    expect(bench.instance.lastExit).toMatchObject({ drained: false, killed: true });
  });

  test('stop: the leader is told, and killed when that takes too long as well', () => {
    const bench = draining({ timeoutMs: 300 }, 'stop');
    expect(told(bench, bench.after(300))).toBe('stopping: TERM→leader');
    expect(told(bench, bench.after(199))).toBe('stopping');
    expect(told(bench, bench.after(1))).toBe('killing: KILL→tree survey');
    expect(told(bench, bench.after(1000))).toBe('killing: KILL→tree survey');
  });

  test('stop, with the leader gone: what is left is told, then killed', () => {
    const bench = draining({ timeoutMs: 300 }, 'stop');
    bench.code(0);
    bench.tree(3);
    expect(told(bench, bench.after(300))).toBe('sweeping: TERM→tree');
    expect(told(bench, bench.tree(1))).toBe('sweeping');
    expect(told(bench, bench.after(200))).toBe('killing: KILL→tree survey');
  });

  test('without a time-out it is never overdue', () => {
    const bench = draining({ timeoutMs: null }, 'kill');
    expect(told(bench, bench.after(1_000_000_000))).toBe('draining');
  });

  test('a drain that is overdue may take its whole time anew', () => {
    const bench = draining({ timeoutMs: 300 }, 'pause');
    bench.after(300);
    bench.now += 5000;
    bench.take({ type: 'grant' });
    expect(bench.phase).toMatchObject({ overdue: false, deadline: bench.now + 300 });
  });

  test("an operator's stop or restart takes on a drain that is overdue, so that it ends", () => {
    for (const act of [(b: Bench) => b.stop(), (b: Bench) => b.replace(program(), 'operator', 'stop')]) {
      const bench = draining({ timeoutMs: 300 }, 'pause');
      bench.after(300);
      bench.now += 5000;
      act(bench);
      expect(bench.phase).toMatchObject({ onTimeout: 'stop', overdue: false, deadline: bench.now + 300 });
      expect(told(bench, bench.after(300))).toBe('stopping: TERM→leader');
    }
  });

  test("a second replacement by a rollout changes nothing about a drain's patience", () => {
    const bench = draining({ timeoutMs: 300 }, 'pause');
    bench.replace(program(), 'rollout 7', 'kill');
    expect(bench.phase).toMatchObject({ onTimeout: 'pause', deadline: bench.now + 300 });
  });
});

describe('EXTEND_TIMEOUT', () => {
  test('moves the deadline of a drain to no sooner than so long from now, and never nearer', () => {
    const bench = draining({ timeoutMs: 300 });
    const asked = bench.now;
    bench.now += 200;
    bench.says({ extendTimeoutMs: 50 });
    expect(bench.phase).toMatchObject({ deadline: asked + 300 });
    bench.says({ extendTimeoutMs: 400 });
    expect(bench.phase).toMatchObject({ deadline: asked + 600 });
  });

  test('moves the deadline of a stop, and of a start that is to report', () => {
    const stopping = new Bench().running();
    stopping.stop('now');
    stopping.says({ extendTimeoutMs: 700 });
    expect(stopping.phase).toMatchObject({ kind: 'stopping', killAt: stopping.now + 700 });
    const starting = new Bench(program({ ready: { when: 'notify', timeoutMs: 100 } }));
    starting.start();
    starting.spawned();
    starting.says({ extendTimeoutMs: 700 });
    expect(starting.phase).toMatchObject({ kind: 'starting', readyBy: 700 });
  });

  test('does not delay the moment from which being alive is enough, nor make a deadline where there is none', () => {
    const spawned = new Bench();
    spawned.start();
    spawned.spawned();
    spawned.says({ extendTimeoutMs: 700 });
    expect(spawned.phase).toMatchObject({ readyBy: 50 });
    const bench = draining({ timeoutMs: null });
    bench.says({ extendTimeoutMs: 700 });
    expect(bench.phase).toMatchObject({ kind: 'draining', deadline: null });
  });
});

test('a leader that is gone is gone once: hearing of it again changes nothing', () => {
  const bench = new Bench().running();
  bench.code(1);
  bench.tree(2);
  const { phase } = bench;
  expect(bench.code(0)).toEqual([]);
  expect(bench.phase).toBe(phase);
});

test('what it reports is noted, and what it does not mention stays', () => {
  const bench = new Bench().running();
  bench.says({ status: '3 of 9', inFlight: 2 });
  expect(newsIn(bench.says({ inFlight: 1, stopping: true }))).toEqual(['reported']);
  expect(bench.phase).toMatchObject({ body: { said: { status: '3 of 9', inFlight: 1 } } });
});
