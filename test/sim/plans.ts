/** Random programs, with limits short enough that a world has seen them all within seconds of its own time. */
import { programName, revision } from '../../src/base/ids.ts';
import type { BackoffPlan, ProgramPlan } from '../../src/core/plan.ts';
import { PROGRAM } from '../core/rig.ts';
import type { Dice } from './dice.ts';

/** Nobody who behaves needs longer than this for anything: see `kind` in conduct.ts. */
const SHORTEST_LIMIT_MS = 150;

export function drawProgram(dice: Dice, name: string, version: number, instances: number): ProgramPlan {
  const limit = (): number => dice.int(SHORTEST_LIMIT_MS, 1500);
  const forMs = dice.pick(0, dice.int(1, 300));
  const minHealthyTimeMs = dice.pick(0, dice.int(1, 800));
  return {
    ...PROGRAM,
    name: programName(name),
    revision: revision(`${name} ${version}`),
    instances,
    restart: dice.pick('always', 'on_failure', 'never'),
    successExitCodes: dice.pick([0], [0, 3]),
    backoff: dice.chance(0.2) ? null : drawBackoff(dice),
    ready: dice.chance(0.5)
      ? { when: 'spawned', forMs }
      : { when: 'notify', timeoutMs: dice.chance(0.25) ? null : limit() },
    drain: {
      signal: dice.pick('USR1', 'TERM'),
      doneWhen: dice.pick('exit', 'notify'),
      waitFor: dice.pick('tree', 'tree', 'leader'),
      timeoutMs: dice.chance(0.2) ? null : limit(),
      onTimeout: dice.pick('pause', 'pause', 'kill'),
    },
    stop: { signal: dice.pick('TERM', 'INT'), timeoutMs: limit() },
    rollout: {
      maxParallel: { kind: 'count', count: 1 },
      minHealthyTimeMs,
      healthyDeadlineMs: dice.chance(0.25) ? null : forMs + minHealthyTimeMs + limit(),
      order: dice.pick('idle_first', 'oldest', 'index'),
    },
  };
}

function drawBackoff(dice: Dice): BackoffPlan {
  return {
    initialMs: dice.int(1, 200),
    factor: dice.pick(1, 1.5, 2),
    maxMs: dice.int(200, 800),
    jitter: dice.pick(0, 0.1),
    resetAfterMs: dice.int(0, 1000),
    giveUpAfter: dice.pick(null, 1, 2, 4),
  };
}
