/** Instances in every phase that there is, brought there by the events that lead there in life. */
import type { Phase } from '../../src/core/instance/phase.ts';
import type { ProgramPlan } from '../../src/core/plan.ts';
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
  'overdue in a rollout': {
    phase: 'draining',
    make: () => bench(program(), running, (b) => void b.replace(program(), 'rollout 7', 'pause'), later(300)),
  },
} as const satisfies Record<string, { phase: Phase['kind']; make: () => Bench }>;

export type LifeName = keyof typeof LIVES;
// Object.keys forgets the type of the keys that it was given.
export const LIFE_NAMES = Object.keys(LIVES) as LifeName[];
