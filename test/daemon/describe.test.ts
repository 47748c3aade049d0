import { describe, expect, it } from 'vitest';
import { wall } from '../../src/base/clock.ts';
import { instanceId, programName } from '../../src/base/ids.ts';
import type { Instance } from '../../src/core/instance/instance.ts';
import type { Phase } from '../../src/core/instance/phase.ts';
import { describeInstance } from '../../src/daemon/describe.ts';
import { INSTANCE_STATES, type InstanceState } from '../../src/protocol/status.ts';
import { at, Bench, PROGRAM, program } from '../core/rig.ts';
import { LIFE_NAMES, LIVES, type LifeName } from './fleet.ts';

interface Told {
  readonly state: InstanceState;
  readonly message: string | RegExp;
  readonly because: string;
  readonly alive: boolean;
  /** Where it is not as `ready`. */
  readonly healthy?: false;
}

const TABLE: Record<LifeName, Told> = {
  'never started': { state: 'stopped', message: '', because: 'start', alive: false },
  'stopped by the operator': {
    state: 'stopped',
    message: 'stopped by the operator',
    because: 'operator',
    alive: false,
  },
  'asked for': { state: 'starting', message: '', because: 'operator', alive: false },
  'alive, not for long enough': { state: 'starting', message: '', because: 'operator', alive: true },
  'alive, READY=1 is waited for': {
    state: 'starting',
    message: 'waits for READY=1, 1s left',
    because: 'operator',
    alive: true,
  },
  running: { state: 'running', message: '', because: 'operator', alive: true },
  draining: { state: 'draining', message: '', because: 'operator', alive: true },
  'draining, its leader gone': {
    state: 'draining',
    message: 'its main process has ended, its job processes go on',
    because: 'operator',
    alive: true,
  },
  'told to stop': {
    state: 'stopping',
    message: 'told to stop, is killed in 200ms',
    because: 'operator',
    alive: true,
  },
  'crashed, looked after': {
    state: 'stopping',
    message: 'what it left behind is looked for',
    because: 'crash',
    alive: true,
  },
  'crashed, its rest told to stop': {
    state: 'stopping',
    message: 'what it left behind was told to stop, and is killed in 200ms',
    because: 'crash',
    alive: true,
  },
  killed: {
    state: 'stopping',
    message: 'was sent KILL; something of it is still there',
    because: 'operator',
    alive: true,
  },
  'crashed, to be tried again': {
    state: 'backoff',
    message: 'exited with code 1 after 50ms; tried again in 100ms',
    because: 'crash',
    alive: false,
  },
  'could not be started': {
    state: 'backoff',
    message: 'cannot start worker:0: ENOENT; tried again in 100ms',
    because: 'spawn error',
    alive: false,
  },
  finished: { state: 'exited', message: '', because: 'operator', alive: false },
  'given up': {
    state: 'failed',
    message: /^exited with code 1 after 50ms; given up after one try$/,
    because: 'crash',
    alive: false,
  },
  'waiting for another program': {
    state: 'waiting',
    message: 'waits for redis to be ready: redis:0 is starting',
    because: 'operator',
    alive: false,
  },
  'waiting in vain': {
    state: 'waiting',
    message:
      'waits for redis to be ready: redis:0 was stopped by the operator; that will not change by itself',
    because: 'operator',
    alive: false,
  },
  'waiting for its time': {
    state: 'waiting',
    message: 'waits for its time',
    because: 'operator',
    alive: false,
  },
  'being prepared': {
    state: 'starting',
    message: 'its pre_start hook runs',
    because: 'operator',
    alive: false,
  },
  'badly prepared': {
    state: 'backoff',
    message: /pre_start.*exited with code 2; tried again in 100ms$/,
    because: 'hook',
    alive: false,
  },
  'alive, its check is waited for': {
    state: 'starting',
    message: 'waits for its ready check',
    because: 'operator',
    alive: true,
  },
  'alive, its line is waited for': {
    state: 'starting',
    message: 'waits for the line of output that says that it is ready, 500ms left',
    because: 'operator',
    alive: true,
  },
  'ready, its post_start hook under way': {
    state: 'starting',
    message: 'is ready, its post_start hook runs',
    because: 'operator',
    alive: true,
  },
  unhealthy: {
    state: 'running',
    message: 'unhealthy: connection refused',
    because: 'operator',
    alive: true,
    healthy: false,
  },
  'healthy again': { state: 'running', message: '', because: 'operator', alive: true },
  'above its memory': {
    state: 'running',
    message: 'above its max_memory of 800MB, is replaced when its turn comes',
    because: 'operator',
    alive: true,
  },
  'too old': {
    state: 'running',
    message: 'past its max_age of 1m, is replaced when its turn comes',
    because: 'operator',
    alive: true,
  },
  'about to be asked to drain': {
    state: 'draining',
    message: 'its pre_drain hook runs',
    because: 'operator',
    alive: true,
  },
  'draining without a deadline': {
    state: 'draining',
    message: 'draining, no deadline',
    because: 'operator',
    alive: true,
  },
  'perhaps asked to drain': {
    state: 'draining',
    message:
      'may not have been asked to drain, since the last daemon died in the act; is asked again when its time is over',
    because: 'operator',
    alive: true,
  },
  'perhaps asked to drain, without a deadline': {
    state: 'draining',
    message:
      'may not have been asked to drain, since the last daemon died in the act; no deadline; "tsup-visor signal USR1 worker:0" asks it again',
    because: 'operator',
    alive: true,
  },
  'ended, its post_stop hook under way': {
    state: 'stopping',
    message: 'its post_stop hook runs',
    because: 'operator',
    alive: false,
  },
  'overdue in a rollout': {
    state: 'draining',
    message: 'past its deadline; "tsup-visor signal TERM worker:0" ends its jobs',
    because: 'rollout 7',
    alive: true,
  },
};

it('is held back while another has to end first, and for whom is said', () => {
  const { instance, now } = LIVES.running.make();
  const { state, message } = describeInstance(
    instance,
    at(now),
    undefined,
    null,
    instanceId(programName('web'), 0),
  );
  expect({ state, message }).toEqual({ state: 'running', message: 'is stopped when web:0 is at rest' });
});

it('works without what it depends on, and says so', () => {
  const { instance, now } = LIVES.running.make();
  const lacks = { on: programName('redis'), why: 'redis was stopped by the operator' };
  expect(describeInstance(instance, at(now), undefined, null, null, lacks).message).toBe(
    'works without redis, which it depends on: redis was stopped by the operator',
  );
});

describe.each(LIFE_NAMES)('an instance that is %s', (name) => {
  const bench = LIVES[name].make();
  const told = TABLE[name];
  const status = describeInstance(bench.instance, at(bench.now), undefined);

  it(`is in the phase "${LIVES[name].phase}", and shown as ${told.state}`, () => {
    expect(bench.phase.kind).toBe(LIVES[name].phase);
    expect(status.state).toBe(told.state);
    expect(INSTANCE_STATES).toContain(status.state);
  });

  it('says what it is doing, and why it is there', () => {
    if (typeof told.message === 'string') expect(status.message).toBe(told.message);
    else expect(status.message).toMatch(told.message);
    expect(status.because).toBe(told.because);
  });

  it('has a pid, a drain and a time of its next try only where there is one', () => {
    expect(status.pid !== null).toBe(told.alive);
    expect(status.drain !== null).toBe(told.state === 'draining');
    expect(status.retry_at !== null).toBe(told.state === 'backoff');
    expect(status.ready).toBe(told.alive && bench.instance.phase.kind !== 'starting');
    expect(status.healthy).toBe(status.ready && told.healthy !== false);
    expect(status.waits_for).toBe(status.message.startsWith('waits for redis') ? 'redis' : null);
  });

  it('comes through JSON as it is', () => {
    expect(JSON.parse(JSON.stringify(status))).toEqual(status);
  });
});

it('the table of lives has every phase', () => {
  const kinds: Record<Phase['kind'], true> = {
    stopped: true,
    waiting: true,
    preparing: true,
    spawning: true,
    starting: true,
    running: true,
    draining: true,
    stopping: true,
    sweeping: true,
    killing: true,
    cleaning: true,
    backoff: true,
    exited: true,
    failed: true,
  };
  expect(new Set(LIFE_NAMES.map((name) => LIVES[name].phase))).toEqual(new Set(Object.keys(kinds)));
});

describe('a status', () => {
  it('shows what the instance says of itself, also while it drains past its deadline', () => {
    const bench = LIVES.running.make();
    bench.says({ status: '3 of 9 done', inFlight: 2 });
    const described = () => describeInstance(bench.instance, at(bench.now), undefined);
    expect(described()).toMatchObject({ message: '3 of 9 done', in_flight: 2, drain: null });
    bench.replace(program(), 'rollout 7', 'pause');
    bench.after(300);
    expect(described()).toMatchObject({
      message: '3 of 9 done; past its deadline; "tsup-visor signal TERM worker:0" ends its jobs',
      drain: { in_flight: 2, elapsed_ms: 300, deadline: null },
    });
  });

  it('tells the last exit: by signal, by code, or that nobody knows', () => {
    const exitOf = (end: (bench: Bench) => void): unknown => {
      const bench = LIVES.running.make();
      end(bench);
      bench.tree(0);
      return describeInstance(bench.instance, at(bench.now), undefined).last_exit;
    };
    expect(exitOf((bench) => bench.signalled('SIGSEGV'))).toMatchObject({
      code: null,
      signal: 'SIGSEGV',
      because: 'crash',
    });
    expect(exitOf((bench) => bench.code(3))).toMatchObject({ code: 3, signal: null });
    expect(
      exitOf((bench) => bench.take({ type: 'exited', run: bench.run, exit: { kind: 'unknown' } })),
    ).toMatchObject({ code: null, signal: null });
  });

  it('says that a drain has no deadline, since nothing will end it but the instance itself', () => {
    const bench = LIVES['draining without a deadline'].make();
    const described = () => describeInstance(bench.instance, at(bench.now), undefined);
    expect(described()).toMatchObject({ message: 'draining, no deadline', drain: { deadline: null } });
    bench.says({ status: '3 of 9 done' });
    expect(described().message).toBe('3 of 9 done; no deadline');
    bench.code(0);
    bench.tree(2);
    expect(described().message).toBe('its main process has ended, its job processes go on; no deadline');
  });

  it('puts what is wrong before what the instance says of itself', () => {
    const bench = LIVES.unhealthy.make();
    bench.says({ status: 'busy' });
    expect(describeInstance(bench.instance, at(bench.now), undefined).message).toBe(
      'unhealthy: connection refused; busy',
    );
  });

  it('does not call healthy what is ended because it was not', () => {
    const health = {
      check: { kind: 'tcp', host: 'localhost', port: '1' },
      intervalMs: 100,
      timeoutMs: 50,
      failures: 1,
      action: 'restart',
    } as const;
    const bench = new Bench(program({ health })).running();
    bench.take({ type: 'checked', run: bench.run, purpose: 'health', ok: false, detail: 'refused' });
    const status = describeInstance(bench.instance, at(bench.now), undefined);
    expect(status).toMatchObject({ state: 'draining', because: 'unhealthy', ready: true, healthy: false });
  });

  it('has the next run of a program with a schedule, as long as it is wanted', () => {
    const bench = LIVES['waiting for its time'].make();
    const due = wall(Date.UTC(2026, 0, 31, 14));
    const described = () => describeInstance(bench.instance, at(bench.now), undefined, due);
    expect(described()).toMatchObject({
      message: 'runs next at 2026-01-31T14:00:00.000Z',
      next_run: '2026-01-31T14:00:00.000Z',
    });
    bench.stop();
    expect(described()).toMatchObject({ state: 'stopped', next_run: null });
  });

  it('names an end for want of memory', () => {
    const bench = LIVES.running.make();
    bench.take({ type: 'exited', run: bench.run, exit: { kind: 'signal', signal: 'SIGKILL', oom: true } });
    bench.tree(0);
    const { last_exit } = describeInstance(bench.instance, at(bench.now), undefined);
    expect(last_exit).toMatchObject({ signal: 'SIGKILL', oom: true });
  });

  it('has its usage where it was sampled, rounded for people', () => {
    const { instance } = LIVES.running.make();
    const usage = { processes: 3, cpuPercent: 12.3456, memoryBytes: 1000 };
    expect(describeInstance(instance, at(100), usage)).toMatchObject({
      processes: 3,
      cpu_percent: 12.3,
      memory_bytes: 1000,
    });
  });

  it('shows the revision that runs, not the one that the next start will have', () => {
    const bench = LIVES.running.make();
    const { revision } = bench.instance.program;
    const next: Instance = { ...bench.instance, program: { ...PROGRAM, revision: 'two' as typeof revision } }; // a brand
    expect(describeInstance(next, at(100), undefined).revision).toBe(revision);
  });

  it.each([Number.MAX_SAFE_INTEGER, Number.MAX_VALUE, Number.POSITIVE_INFINITY])(
    'can tell even a deadline that no calendar reaches (%s ms)',
    (timeoutMs) => {
      const bench = new Bench(
        program({ drain: { timeoutMs }, backoff: { initialMs: timeoutMs, maxMs: timeoutMs, factor: 1 } }),
      );
      bench.running();
      bench.stop();
      const draining = describeInstance(bench.instance, at(bench.now), undefined);
      expect(draining.drain?.deadline).toMatch(/^\+?\d+-/);
      bench.start();
      bench.code(1);
      bench.tree(0);
      expect(() => describeInstance(bench.instance, at(bench.now), undefined)).not.toThrow();
      const crashed = new Bench(bench.instance.program).running();
      crashed.code(1);
      crashed.tree(0);
      expect(describeInstance(crashed.instance, at(crashed.now), undefined).retry_at).toMatch(/^\+?\d+-/);
    },
  );
});
