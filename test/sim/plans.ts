/** Random programs, with limits short enough that a world has seen them all within seconds of its own time. */
import { type ProgramName, programName, revision } from '../../src/base/ids.ts';
import type {
  BackoffPlan,
  Check,
  DependencyCondition,
  DrainPlan,
  HealthPlan,
  HookPlan,
  ProgramPlan,
  ReadyPlan,
  SchedulePlan,
} from '../../src/core/plan.ts';
import { PROGRAM } from '../core/rig.ts';
import type { Dice } from './dice.ts';

/** Nobody who behaves needs longer than this for anything: see `kind` in conduct.ts. */
const SHORTEST_LIMIT_MS = 150;
/** Longer than a kind fleet takes to replace all of it, one after the other, or it would never come to rest. */
const shortestAgeMs = (instances: number): number => Math.max(8000, instances * 800);

/** In an order in which each may depend on those before it. */
export const NAMES = ['worker', 'mailer', 'redis', 'migrate'].map(programName);

/** What the programs of one world may make use of: not all at once, or nothing would be seen for long. */
export type Flavour = { readonly [K in (typeof FEATURES)[number]]: boolean };
const FEATURES = [
  'dependencies',
  'schedules',
  'tasks',
  'essentials',
  'checks',
  'health',
  'watchdogs',
  'memory',
  'ages',
  'hooks',
  'deaths',
  'judges',
  'many',
] as const;

export function drawFlavour(dice: Dice): Flavour {
  const share = dice.pick(0, 0.2, 0.35, 0.6);
  // Of an object made from this very list, these are the keys.
  return Object.fromEntries(FEATURES.map((feature) => [feature, dice.chance(share)])) as Flavour;
}

export function drawPrograms(dice: Dice, flavour: Flavour): ProgramPlan[] {
  const count = flavour.dependencies ? dice.int(2, 4) : dice.pick(1, 1, 2);
  const programs = NAMES.slice(0, count).map((name) =>
    drawProgram(dice, flavour, name, 0, howMany(dice, flavour, count)),
  );
  const linked = programs.map((program, i) => drawLinks(dice, flavour, program, programs.slice(0, i)));
  return dice.chance(0.5) ? linked : linked.toReversed(); // nothing may hang on the order in the file
}

const howMany = (dice: Dice, flavour: Flavour, programs: number): number =>
  flavour.many && dice.chance(0.12) ? dice.int(6, 40 / programs) : dice.int(1, MOST[programs] ?? 1);

/** Instances of each, by how many programs there are. */
const MOST: Record<number, number> = { 1: 5, 2: 4, 3: 3, 4: 2 };

/** What it depends on, of those that come before it. */
export function drawLinks(
  dice: Dice,
  flavour: Flavour,
  program: ProgramPlan,
  before: readonly ProgramPlan[],
): ProgramPlan {
  if (!flavour.dependencies) return program;
  const links = dice.some(before).map(({ name, restart }): [ProgramName, DependencyCondition] => {
    const ends = restart !== 'always'; // of what never ends, nobody would wait for the end
    return [
      name,
      ends ? dice.pick('completed', 'completed', 'started', 'ready') : dice.pick('started', 'ready'),
    ];
  });
  return { ...program, dependsOn: Object.fromEntries(links) };
}

export function drawProgram(
  dice: Dice,
  flavour: Flavour,
  name: ProgramName,
  version: number,
  instances: number,
): ProgramPlan {
  const limit = (): number => dice.int(SHORTEST_LIMIT_MS, 1500);
  const schedule = flavour.schedules && dice.chance(0.5) ? drawSchedule(dice) : null;
  const isTask = schedule !== null || (flavour.tasks && dice.chance(0.5));
  const ready = drawReady(dice, flavour, limit);
  const minHealthyTimeMs = dice.pick(0, dice.int(1, 800));
  const needsMs = minHealthyTimeMs + (ready.when === 'spawned' ? ready.forMs : SHORTEST_LIMIT_MS) + 400;
  return {
    ...PROGRAM,
    name,
    revision: revision(`${name} ${version}`),
    command: [isTask ? TASK : 'service'],
    instances,
    autostart: dice.chance(0.9),
    essential: flavour.essentials && dice.chance(0.5),
    dependsOn: {},
    priority: dice.pick(0, 0, dice.int(-2, 2)),
    restart: isTask ? dice.pick('on_failure', 'never') : dice.pick('always', 'on_failure', 'never'),
    successExitCodes: dice.pick([0], [0, 3]),
    backoff: dice.chance(0.2) ? null : drawBackoff(dice),
    schedule,
    ready,
    health: flavour.health && dice.chance(0.7) ? drawHealth(dice) : null,
    watchdogMs: flavour.watchdogs && dice.chance(0.7) ? limit() : null,
    maxMemory:
      flavour.memory && dice.chance(0.7) ? { bytes: MUCH, forMs: dice.pick(0, dice.int(1, 900)) } : null,
    maxAgeMs: flavour.ages && dice.chance(0.7) ? shortestAgeMs(instances) + dice.int(0, 4000) : null,
    drain: drawDrain(dice, flavour, limit),
    stop: { signal: dice.pick('TERM', 'INT'), timeoutMs: limit() },
    rollout: {
      ...PROGRAM.rollout,
      minHealthyTimeMs,
      canaryHoldMs: dice.pick(0, dice.int(1, 2000), null),
      check: flavour.judges && dice.chance(0.5) ? { check: CHECK, timeoutMs: dice.int(20, 600) } : null,
      maxFailures: dice.pick(0, 0, 1, 2),
      onFailure: dice.pick('pause', 'pause', 'abort', 'revert'),
      afterKillHoldMs: dice.pick(0, dice.int(1, 1500)),
      healthyDeadlineMs: dice.chance(0.25) ? null : needsMs + limit(),
      order: dice.pick('idle_first', 'oldest', 'index'),
    },
    hooks: {
      pre_start: drawHook(dice, flavour),
      post_start: drawHook(dice, flavour),
      pre_drain: drawHook(dice, flavour),
      post_stop: drawHook(dice, flavour),
    },
  };
}

/** The command of a program that comes to an end by itself. */
export const TASK = 'task';
/** Bytes: what is above it is too much. */
export const MUCH = 1000;
const CHECK: Check = { kind: 'tcp', host: 'localhost', port: '80' };

function drawReady(dice: Dice, flavour: Flavour, limit: () => number): ReadyPlan {
  const timeoutMs = dice.chance(0.25) ? null : limit();
  const spawned: ReadyPlan = { when: 'spawned', forMs: dice.pick(0, dice.int(1, 300)) };
  if (!flavour.checks) return dice.pick<ReadyPlan>(spawned, { when: 'notify', timeoutMs });
  return dice.pick<ReadyPlan>(
    spawned,
    { when: 'notify', timeoutMs },
    { when: 'log', pattern: { kind: 'text', text: 'up' }, timeoutMs },
    { when: 'check', check: CHECK, intervalMs: dice.int(5, 100), timeoutMs },
  );
}

function drawHealth(dice: Dice): HealthPlan {
  return {
    check: CHECK,
    intervalMs: dice.int(10, 400),
    timeoutMs: dice.int(10, 100),
    failures: dice.int(1, 3),
    action: dice.pick('restart', 'restart', 'none'),
  };
}

const drawSchedule = (dice: Dice): SchedulePlan => ({
  cron: '* * * * *',
  timezone: null,
  overlap: dice.pick('skip', 'queue', 'allow'),
});

function drawDrain(dice: Dice, flavour: Flavour, limit: () => number): DrainPlan {
  const doneWhen = flavour.checks ? dice.pick('exit', 'notify', 'check') : dice.pick('exit', 'notify');
  return {
    signal: dice.pick('USR1', 'TERM'),
    doneWhen,
    check: doneWhen === 'check' ? CHECK : null,
    waitFor: dice.pick('tree', 'tree', 'leader'),
    timeoutMs: dice.chance(0.2) ? null : limit(),
    onTimeout: dice.pick('pause', 'pause', 'kill', 'skip'),
  };
}

function drawHook(dice: Dice, flavour: Flavour): HookPlan | null {
  if (!flavour.hooks || dice.chance(0.4)) return null;
  return { command: ['hook'], timeoutMs: dice.int(50, 600), onFailure: dice.pick('fail', 'ignore') };
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
