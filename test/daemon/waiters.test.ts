import { describe, expect, it } from 'vitest';
import { wall } from '../../src/base/clock.ts';
import type { Instance } from '../../src/core/instance/instance.ts';
import { lifeOf } from '../../src/core/instance/phase.ts';
import {
  gone,
  judgeRestart,
  judgeScale,
  judgeStart,
  judgeStop,
  type Outlook,
  undecided,
} from '../../src/daemon/outcome.ts';
import { type Judge, Waiters } from '../../src/daemon/waiters.ts';
import type { ActionOutcome } from '../../src/protocol/replies.ts';
import { at, Bench, Fleets, program, worker } from '../core/rig.ts';
import { LIFE_NAMES, LIVES } from './fleet.ts';

const SIGNAL = new AbortController().signal;

/** Whether it has been settled, looked at without waiting for it. */
function watch(promise: Promise<ActionOutcome[]>): { outcomes: ActionOutcome[] | null } {
  const watched: { outcomes: ActionOutcome[] | null } = { outcomes: null };
  void promise.then((outcomes) => {
    watched.outcomes = outcomes;
  });
  return watched;
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

const always =
  (done: ReadonlySet<string>): Judge =>
  (instance) =>
    done.has(instance.id)
      ? { id: instance.id, state: 'running', ok: true, already: false, message: 'x' }
      : null;

const seats = (count: number): Instance[] => [
  ...new Fleets([program({ instances: count })]).fleet.instances.values(),
];

describe('waiters', () => {
  it('are answered when the last of their instances has got there, in the order in which those were named', async () => {
    const waiters = new Waiters();
    const [a, b, c] = seats(3);
    if (a === undefined || b === undefined || c === undefined) throw new Error('no seats');
    const done = new Set<string>();
    const watched = watch(waiters.wait([a, b, c], always(done), SIGNAL));
    for (const one of [c, a]) {
      done.add(one.id);
      waiters.changed(one);
      await turn();
      expect(watched.outcomes).toBeNull();
    }
    done.add(b.id);
    waiters.changed(b);
    await turn();
    expect(watched.outcomes?.map(({ id }) => id)).toEqual([a.id, b.id, c.id]);
  });

  it('are answered at once where there is nothing to wait for', async () => {
    const waiters = new Waiters();
    expect(await waiters.wait([], () => null, SIGNAL)).toEqual([]);
    const [seat] = seats(1);
    if (seat === undefined) throw new Error('no seat');
    expect(await waiters.wait([seat], always(new Set([seat.id])), SIGNAL)).toHaveLength(1);
  });

  it('keep an outcome once it is settled, whatever the instance does then', async () => {
    const waiters = new Waiters();
    const [a, b] = seats(2);
    if (a === undefined || b === undefined) throw new Error('no seats');
    const done = new Set<string>([a.id]);
    const asked: string[] = [];
    const judge: Judge = (instance) => {
      asked.push(instance.id);
      return always(done)(instance);
    };
    const waiting = waiters.wait([a, b], judge, SIGNAL);
    waiters.changed(a);
    waiters.changed(a);
    done.add(b.id);
    waiters.changed(b);
    await waiting;
    expect(asked).toEqual([a.id, b.id, b.id]);
  });

  it.each(['while it waits', 'before it comes to wait'])(
    'are forgotten when whoever asked goes %s',
    async (when) => {
      const waiters = new Waiters();
      const [seat] = seats(1);
      if (seat === undefined) throw new Error('no seat');
      const left = new AbortController();
      let asked = 0;
      const judge: Judge = () => {
        asked++;
        return null;
      };
      if (when !== 'while it waits') left.abort();
      void waiters.wait([seat], judge, left.signal);
      left.abort();
      const before = asked;
      waiters.changed(seat);
      expect(asked).toBe(before);
      expect(waiters.size).toBe(0);
    },
  );
});

const OUTLOOK: Outlook = { now: () => at(0), nextRun: () => wall(Date.UTC(2026, 0, 31, 14)) };

describe('a start is over', () => {
  const judge = (name: (typeof LIFE_NAMES)[number], before: string[] = []) =>
    judgeStart(OUTLOOK, new Set(before.map(() => worker(0))))(started(LIVES[name].make()));

  /** Wished up, as it is once it was started. */
  const started = (bench: Bench): Instance => ({
    ...bench.instance,
    wish: { want: 'up', because: 'operator' },
  });

  it.each([
    ['running', true, 'worker:0 is ready'],
    ['finished', true, 'worker:0 has completed'],
    [
      'crashed, to be tried again',
      false,
      'worker:0 exited with code 1 after 50ms; it is tried again in 150ms',
    ],
    ['could not be started', false, 'cannot start worker:0: ENOENT; it is tried again in 100ms'],
    ['given up', false, 'worker:0 exited with code 1 after 50ms; given up after one try'],
    ['waiting for its time', true, 'worker:0 runs next at 2026-01-31T14:00:00.000Z'],
    [
      'waiting in vain',
      false,
      'worker:0 waits for redis to be ready: redis:0 was stopped by the operator; that will not change by itself',
    ],
  ] as const)('when the instance is %s', (name, ok, message) => {
    expect(judge(name)).toMatchObject({ ok, message, already: false });
  });

  it('at once, and says so, when it was running already', () => {
    expect(judge('running', ['running'])).toMatchObject({
      ok: true,
      already: true,
      message: 'worker:0 was running already',
    });
  });

  it('not while it is on its way', () => {
    const open = LIFE_NAMES.filter((name) => judge(name) === null);
    expect(open).toEqual(
      LIFE_NAMES.filter(
        (name) =>
          !['running', 'exited', 'backoff', 'failed', 'waiting'].includes(LIVES[name].phase) ||
          name === 'waiting for another program',
      ),
    );
  });

  it('when the operator stops it meanwhile', () => {
    const bench = LIVES.draining.make();
    expect(judgeStart(OUTLOOK, new Set())(bench.instance)).toMatchObject({
      ok: false,
      message: 'worker:0 was stopped meanwhile',
    });
  });

  it('when its first run fails and, without a backoff, the next has begun already', () => {
    const bench = new Bench(program({ backoff: null }));
    const decide = judgeStart(OUTLOOK, new Set());
    bench.start();
    expect(decide(bench.instance)).toBeNull();
    bench.spawned();
    expect(decide(bench.instance)).toBeNull();
    bench.code(1);
    bench.tree(0);
    expect(bench.phase.kind).toBe('spawning');
    expect(decide(bench.instance)).toMatchObject({
      ok: false,
      message: 'worker:0 exited with code 1 after 0ms; it is tried again',
    });
  });

  it('not when another restarts it meanwhile: that was no failure', () => {
    const bench = new Bench(program({ backoff: null }));
    const decide = judgeStart(OUTLOOK, new Set());
    bench.start();
    bench.spawned();
    expect(decide(bench.instance)).toBeNull();
    bench.replace(program(), 'operator', 'stop');
    expect(decide(bench.instance)).toBeNull();
    bench.code(0);
    bench.tree(0);
    expect(bench.phase.kind).toBe('spawning');
    expect(decide(bench.instance)).toBeNull();
    bench.running();
    expect(decide(bench.instance)).toMatchObject({ ok: true });
  });
});

describe('a restart is over', () => {
  const restarted = (bench: Bench): Judge => {
    const judge = judgeRestart(OUTLOOK, new Map([[worker(0), bench.instance.lastRun]]));
    bench.replace(program(), 'operator', 'stop');
    return judge;
  };

  it('when another run than before is ready, and not before', () => {
    const bench = LIVES.running.make();
    const old = lifeOf(bench.phase)?.run;
    const judge = restarted(bench);
    expect(judge(bench.instance)).toBeNull();
    bench.code(0);
    bench.tree(0);
    expect(judge(bench.instance)).toBeNull();
    bench.spawned();
    expect(judge(bench.instance)).toBeNull();
    bench.after(50);
    expect(judge(bench.instance)).toMatchObject({ ok: true, message: 'worker:0 is ready' });
    expect(lifeOf(bench.phase)?.run).not.toBe(old);
  });

  it('when the new run fails for the first time', () => {
    const bench = LIVES.running.make();
    const judge = restarted(bench);
    bench.code(0);
    bench.tree(0);
    bench.spawned();
    expect(judge(bench.instance)).toBeNull();
    bench.code(9);
    bench.tree(0);
    expect(judge(bench.instance)).toMatchObject({ ok: false, message: expect.stringContaining('code 9') });
  });
});

describe('a stop is over', () => {
  it('when nothing is left, and says how that went', () => {
    const ended = (end: (bench: Bench) => void): string | undefined => {
      const bench = LIVES.running.make();
      end(bench);
      return judgeStop(new Set())(bench.instance)?.message;
    };
    expect(
      ended((bench) => {
        bench.stop();
        bench.code(0);
        bench.tree(0);
      }),
    ).toBe('worker:0 has drained and is stopped');
    expect(
      ended((bench) => {
        bench.stop('now');
        bench.signalled('SIGTERM');
        bench.tree(0);
      }),
    ).toBe('worker:0 is stopped; it was ended by SIGTERM');
    expect(
      ended((bench) => {
        bench.stop('kill');
        bench.signalled('SIGKILL');
        bench.tree(0);
      }),
    ).toBe('worker:0 is stopped; it had to be killed');
  });

  it('and with jobs in flight, or a wait that led to a kill, says that', () => {
    const ended = (end: (bench: Bench) => void) => {
      const bench = LIVES.running.make();
      bench.says({ inFlight: 2 });
      bench.stop('now');
      end(bench);
      bench.tree(0);
      return judgeStop(new Set())(bench.instance);
    };
    expect(ended((bench) => bench.signalled('SIGTERM'))).toMatchObject({
      message: 'worker:0 is stopped; it was ended by SIGTERM, with 2 jobs in flight',
      cut_short: true,
    });
    const killed = ended((bench) => {
      bench.after(200);
      bench.signalled('SIGKILL');
    });
    expect(killed).toMatchObject({
      message: 'worker:0 is stopped; it had to be killed after 200ms, with 2 jobs in flight',
      cut_short: true,
    });
    const well = ended((bench) => {
      bench.says({ inFlight: 0 });
      bench.code(0);
    });
    expect(well?.cut_short).toBeUndefined();
  });

  it('at once, and says so, when it was stopped already', () => {
    const { instance } = LIVES['never started'].make();
    expect(judgeStop(new Set([worker(0)]))(instance)).toMatchObject({ ok: true, already: true });
  });

  it('without success when it is started again meanwhile', () => {
    const bench = LIVES.draining.make();
    bench.start();
    expect(judgeStop(new Set())(bench.instance)).toMatchObject({
      ok: false,
      message: 'worker:0 was started again meanwhile',
    });
  });

  it('not while anything of it is left', () => {
    for (const name of ['draining', 'draining, its leader gone', 'told to stop', 'killed'] as const)
      expect(judgeStop(new Set())(LIVES[name].make().instance), name).toBeNull();
  });
});

describe('a change of the number is over', () => {
  const leaving = new Set([worker(0)]);
  const wanted = (bench: Bench): Instance => ({
    ...bench.instance,
    wish: { want: 'up', because: 'operator' },
  });

  it('for those that were added, as a start is', () => {
    const judge = judgeScale(OUTLOOK, new Set());
    expect(judge(wanted(LIVES['asked for'].make()))).toBeNull();
    expect(judge(wanted(LIVES.running.make()))).toMatchObject({ ok: true, message: 'worker:0 is ready' });
    expect(judge(wanted(LIVES['given up'].make()))).toMatchObject({ ok: false });
  });

  it('at once for those that are added to a program that is down', () => {
    expect(judgeScale(OUTLOOK, new Set())(LIVES['never started'].make().instance)).toMatchObject({
      ok: true,
      message: 'worker:0 was added, and stays stopped',
    });
  });

  it('for those that are to go when they are gone, and not when they have ended', async () => {
    const waiters = new Waiters();
    const bench = LIVES.draining.make();
    const waiting = waiters.wait([bench.instance], judgeScale(OUTLOOK, leaving), SIGNAL, gone);
    const watched = watch(waiting);
    bench.code(0);
    bench.tree(0);
    waiters.changed(bench.instance);
    await turn();
    expect(watched.outcomes).toBeNull();
    waiters.removed(bench.instance.id);
    expect(await waiting).toMatchObject([{ ok: true, message: 'worker:0 has ended and is gone' }]);
    expect(waiters.size).toBe(0);
  });

  it('without success for those that are wanted again meanwhile', () => {
    expect(judgeScale(OUTLOOK, leaving)(wanted(LIVES.draining.make()))).toMatchObject({ ok: false });
  });
});

it('who waits for an instance that is removed meanwhile is told so', async () => {
  const waiters = new Waiters();
  const [a, b] = seats(2);
  if (a === undefined || b === undefined) throw new Error('no seats');
  const waiting = waiters.wait([a, b], always(new Set([a.id])), SIGNAL);
  waiters.removed(b.id);
  expect(await waiting).toMatchObject([
    { ok: true },
    { ok: false, message: 'worker:1 was removed meanwhile' },
  ]);
});

it.each(LIFE_NAMES)('who does not wait is told the state of an instance that is %s', (name) => {
  const { instance } = LIVES[name].make();
  expect(undecided(instance)).toMatchObject({ ok: null, already: false });
});
