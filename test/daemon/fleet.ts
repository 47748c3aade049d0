/** Instances in every phase that there is, brought there by the events that lead there in life. */
import { programName } from '../../src/base/ids.ts';
import type { Phase, Waiting } from '../../src/core/instance/phase.ts';
import type { Check, HookName, HookPlan, ProgramPlan } from '../../src/core/plan.ts';
import { Bench, program } from '../core/rig.ts';

const NOTIFY = program({ ready: { when: 'notify', timeoutMs: 1000 } });

function bench(plan: ProgramPlan, ...lead: ((bench: Bench) => void)[]): Bench {
  const made = new Bench(plan);
  for (const step of lead) step(made);
  return made;
}

const start = (b: Bench) => void b.start();
const spawned = (b: Bench) => void b.spawned();
const running = (b: Bench) => void b.running();
const stop = (b: Bench) => void b.stop();
const stopNow = (b: Bench) => void b.stop('now');
const kill = (b: Bench) => void b.stop('kill');
const ends = (code: number) => (b: Bench) => void b.code(code);
const alone = (b: Bench) => void b.tree(0);
const leaves = (b: Bench) => void b.tree(2);
const later = (ms: number) => (b: Bench) => void b.after(ms);

const HOOK: HookPlan = { command: ['hook'], timeoutMs: 1000, onFailure: 'fail' };
const hooked = (...names: HookName[]): ProgramPlan =>
  program({ hooks: Object.fromEntries(names.map((name) => [name, HOOK])) });
const hookEnds = (hook: HookName, ok: boolean) => (b: Bench) =>
  void b.take({ type: 'hooked', run: b.run, hook, ok, detail: ok ? '' : 'exited with code 2' });
const CHECK: Check = { kind: 'tcp', host: 'localhost', port: '1' };
const HEALTHY = program({
  health: { check: CHECK, intervalMs: 100, timeoutMs: 50, failures: 1, action: 'none' },
});
const FULL = program({ maxMemory: { bytes: 800 * 1024 * 1024, forMs: 0 } });
const checked = (ok: boolean) => (b: Bench) =>
  void b.take({ type: 'checked', run: b.run, purpose: 'health', ok, detail: 'connection refused' });
const uses = (bytes: number) => (b: Bench) => void b.take({ type: 'measured', run: b.run, bytes });
const waits = (what: Waiting) => (b: Bench) => {
  b.instance = { ...b.instance, phase: { kind: 'waiting', what, because: 'operator' } };
};
/** As a daemon finds it whose predecessor was killed in the act. */
const perhapsAsked = (b: Bench) => {
  const { phase } = b.instance;
  if (phase.kind === 'draining') b.instance = { ...b.instance, phase: { ...phase, asked: 'perhaps' } };
};
const onRedis = (hopeless: boolean, why: string): Waiting => ({
  kind: 'dependency',
  on: programName('redis'),
  condition: 'ready',
  why,
  hopeless,
});

/** By name: the phase that it leads to, and how. Time stands at the moment of the last step. */
export const LIVES = {
  'never started': { phase: 'stopped', make: () => bench(program()) },
  'stopped by the operator': {
    phase: 'stopped',
    make: () => bench(program(), running, stop, ends(0), alone),
  },
  'asked for': { phase: 'spawning', make: () => bench(program(), start) },
  'alive, not for long enough': { phase: 'starting', make: () => bench(program(), start, spawned) },
  'alive, READY=1 is waited for': { phase: 'starting', make: () => bench(NOTIFY, start, spawned) },
  running: { phase: 'running', make: () => bench(program(), running) },
  draining: { phase: 'draining', make: () => bench(program(), running, stop) },
  'draining, its leader gone': {
    phase: 'draining',
    make: () => bench(program(), running, stop, ends(0), leaves),
  },
  'told to stop': { phase: 'stopping', make: () => bench(program(), running, stopNow) },
  'crashed, looked after': { phase: 'sweeping', make: () => bench(program(), running, ends(1)) },
  'crashed, its rest told to stop': {
    phase: 'sweeping',
    make: () => bench(program(), running, ends(1), leaves),
  },
  killed: { phase: 'killing', make: () => bench(program(), running, kill) },
  'crashed, to be tried again': { phase: 'backoff', make: () => bench(program(), running, ends(1), alone) },
  'could not be started': {
    phase: 'backoff',
    make: () => bench(program(), start, (b) => void b.spawnFailed()),
  },
  finished: {
    phase: 'exited',
    make: () => bench(program({ restart: 'on_failure' }), running, ends(0), alone),
  },
  'given up': {
    phase: 'failed',
    make: () => bench(program({ backoff: { giveUpAfter: 1 } }), running, ends(1), alone),
  },
  'waiting for another program': {
    phase: 'waiting',
    make: () => bench(program(), start, waits(onRedis(false, 'redis:0 is starting'))),
  },
  'waiting in vain': {
    phase: 'waiting',
    make: () => bench(program(), start, waits(onRedis(true, 'redis:0 was stopped by the operator'))),
  },
  'waiting for its time': {
    phase: 'waiting',
    make: () =>
      bench(
        program({
          restart: 'never',
          schedule: { cron: '0 * * * *', timezone: null, overlap: 'skip' },
        }),
        start,
      ),
  },
  'being prepared': { phase: 'preparing', make: () => bench(hooked('pre_start'), start) },
  'badly prepared': {
    phase: 'backoff',
    make: () => bench(hooked('pre_start'), start, hookEnds('pre_start', false)),
  },
  'alive, its check is waited for': {
    phase: 'starting',
    make: () =>
      bench(
        program({ ready: { when: 'check', check: CHECK, intervalMs: 50, timeoutMs: null } }),
        start,
        spawned,
      ),
  },
  'alive, its line is waited for': {
    phase: 'starting',
    make: () =>
      bench(
        program({ ready: { when: 'log', pattern: { kind: 'text', text: 'up' }, timeoutMs: 500 } }),
        start,
        spawned,
      ),
  },
  'ready, its post_start hook under way': {
    phase: 'starting',
    make: () => bench(hooked('post_start'), start, spawned, later(50)),
  },
  unhealthy: { phase: 'running', make: () => bench(HEALTHY, running, checked(false)) },
  'healthy again': { phase: 'running', make: () => bench(HEALTHY, running, checked(false), checked(true)) },
  'above its memory': { phase: 'running', make: () => bench(FULL, running, uses(1e9), uses(1e9)) },
  'too old': { phase: 'running', make: () => bench(program({ maxAgeMs: 60_000 }), running, later(60_000)) },
  'about to be asked to drain': {
    phase: 'draining',
    make: () => bench(hooked('pre_drain'), running, stop),
  },
  'draining without a deadline': {
    phase: 'draining',
    make: () => bench(program({ drain: { timeoutMs: null } }), running, stop),
  },
  'perhaps asked to drain': {
    phase: 'draining',
    make: () => bench(program(), running, stop, perhapsAsked),
  },
  'perhaps asked to drain, without a deadline': {
    phase: 'draining',
    make: () => bench(program({ drain: { timeoutMs: null } }), running, stop, perhapsAsked),
  },
  'ended, its post_stop hook under way': {
    phase: 'cleaning',
    make: () => bench(hooked('post_stop'), running, stop, ends(0), alone),
  },
  'overdue in a rollout': {
    phase: 'draining',
    make: () => bench(program(), running, (b) => void b.replace(program(), 'rollout 7', 'pause'), later(300)),
  },
} as const satisfies Record<string, { phase: Phase['kind']; make: () => Bench }>;

export type LifeName = keyof typeof LIVES;
// Object.keys forgets the type of the keys that it was given.
export const LIFE_NAMES = Object.keys(LIVES) as LifeName[];
