/** The watchdog: WATCHDOG=1 must come in time while it runs, and what hangs is not asked to drain. */
import { describe, expect, test } from 'vitest';
import { Bench, Fleets, newsIn, program, summary } from './rig.ts';

const plan = program({ watchdogMs: 1000 });
const told = (bench: Bench, effects: ReturnType<Bench['take']>): string => summary(bench.phase.kind, effects);

describe('a miss', () => {
  test('goes straight on to stop, without a drain, and counts as a failure', () => {
    const bench = new Bench(plan).running();
    expect(told(bench, bench.after(999))).toBe('running');
    const effects = bench.after(1);
    expect(told(bench, effects)).toBe('stopping: TERM→leader');
    expect(newsIn(effects)[0]).toBe('watchdog');
    expect(told(bench, bench.after(200))).toBe('killing: KILL→tree survey');
    bench.signalled('SIGKILL');
    bench.tree(0);
    expect(bench.phase).toMatchObject({ kind: 'backoff', because: 'watchdog' });
    expect(bench.phase).toHaveProperty('why', expect.stringMatching('did not send WATCHDOG=1 within 1s'));
  });

  test('does not run a pre_drain hook first', () => {
    const hooks = { pre_drain: { command: ['x'], timeoutMs: 1, onFailure: 'fail' } } as const;
    const fleets = new Fleets([program({ watchdogMs: 1000, hooks })]).allReady().ring(0, 1000);
    expect(fleets.deeds()).toBe('signal of worker:0');
  });

  test('again and again is given up, though each run was there for longer than a good stretch', () => {
    const bench = new Bench(program({ watchdogMs: 6000 })).running();
    for (const expected of ['backoff', 'backoff', 'failed']) {
      bench.after(6000);
      bench.code(0);
      bench.tree(0);
      expect(bench.phase.kind).toBe(expected);
      bench.after(1000);
      bench.spawned();
      bench.after(50);
    }
  });
});

describe('its word', () => {
  test('moves the deadline, each time anew', () => {
    const bench = new Bench(plan).running();
    for (let i = 0; i < 5; i++) {
      expect(told(bench, bench.after(900))).toBe('running');
      bench.says({ watchdog: 'alive' });
      expect(bench.phase).toMatchObject({ watchdogBy: bench.now + 1000 });
    }
  });

  test('other words do not', () => {
    const bench = new Bench(plan).running();
    bench.now += 900;
    bench.says({ status: 'busy', inFlight: 1 });
    expect(told(bench, bench.after(100))).toBe('stopping: TERM→leader');
  });

  test('a new length counts from now on, also where the config has none', () => {
    const bench = new Bench(plan).running();
    bench.says({ watchdogMs: 5000 });
    expect(bench.phase).toMatchObject({ watchdogBy: bench.now + 5000 });
    const none = new Bench().running();
    none.says({ watchdogMs: 700 });
    expect(told(none, none.after(700))).toBe('stopping: TERM→leader');
  });

  test('a length that is said while it starts counts from when it runs', () => {
    const bench = new Bench(plan);
    bench.start();
    bench.spawned();
    bench.says({ watchdogMs: 5000 });
    bench.after(50);
    expect(bench.phase).toMatchObject({ kind: 'running', watchdogBy: 5050 });
  });

  test('"trigger" is a miss at once, with or without a length, and says so', () => {
    for (const change of [{}, { watchdogMs: 1000 }]) {
      const bench = new Bench(program(change)).running();
      expect(told(bench, bench.says({ watchdog: 'trigger' }))).toBe('stopping: TERM→leader');
      expect(bench.phase).toMatchObject({ ending: { why: 'said that it hangs', cause: 'fault' } });
    }
  });

  test('"trigger" while it starts or drains changes nothing', () => {
    const bench = new Bench(plan);
    bench.start();
    bench.spawned();
    expect(told(bench, bench.says({ watchdog: 'trigger' }))).toBe('starting');
    bench.after(50);
    bench.stop();
    expect(told(bench, bench.says({ watchdog: 'trigger' }))).toBe('draining');
  });
});

test('it is armed with running, and rests while it starts and while it drains', () => {
  const fleets = new Fleets([{ ...plan, drain: { ...plan.drain, timeoutMs: null } }]).start().spawned(0);
  expect([...fleets.timers.values()]).toEqual([50]);
  fleets.ring(0, 50);
  expect([...fleets.timers.values()]).toEqual([1050]);
  fleets.stop(0);
  expect(fleets.timers.size).toBe(0);
});
