/** How one life of a program goes: what it does of its own accord, and what it does when it is asked and told to end. */
import type { ExitStatus } from '../../src/base/exit-status.ts';
import type { Notified } from '../../src/core/instance/event.ts';
import type { ProgramPlan } from '../../src/core/plan.ts';
import type { Dice } from './dice.ts';
import { TASK } from './plans.ts';

/** Something that a leader does, so many milliseconds after what caused it. */
export type Act = { readonly ms: number } & (
  | { readonly says: Notified }
  | { readonly exits: ExitStatus }
  | { readonly forks: Child }
);

export interface Child {
  /** Null: it works until somebody ends it. */
  readonly livesMs: number | null;
  /** Only SIGKILL ends it. */
  readonly deaf: boolean;
}

export interface Conduct {
  readonly spawns: boolean;
  /** How long the system takes to answer; null: it answers within the call. */
  readonly answersMs: number | null;
  readonly ofItself: readonly Act[];
  readonly asked: readonly Act[];
  readonly told: readonly Act[];
  /** How often WATCHDOG=1 comes, as a share of the time that it has, and for how long. */
  readonly beats: { readonly share: number; readonly ms: number } | null;
}

const code = (n: number): ExitStatus => ({ kind: 'code', code: n });
const signal = (name: string): ExitStatus => ({ kind: 'signal', signal: name });

/** A build that does not work: it never says that it is ready, and ends with a fault as long as the world is rude. */
export const isBad = ({ environment }: ProgramPlan): boolean => environment['BUILD'] === 'bad';

/** Comes up, works, and ends within a moment when it is asked to; its children as well. */
export function kind(dice: Dice, plan: ProgramPlan): Conduct {
  const drains = dice.int(0, 40);
  return {
    spawns: true,
    answersMs: dice.pick(null, dice.int(0, 5)),
    ofItself: [
      ...(isBad(plan) ? [] : readyIn(dice.int(0, 40))),
      ...(isTask(plan) ? [{ ms: dice.int(0, 120), exits: code(0) }] : []),
      ...(dice.chance(0.5) ? [{ ms: dice.int(0, 60), forks: { livesMs: dice.int(0, 40), deaf: true } }] : []),
    ],
    asked: [
      { ms: 0, says: { stopping: true } },
      { ms: drains, says: { drained: true } },
      ...(plan.drain.doneWhen === 'exit' ? [{ ms: drains, exits: code(0) }] : []),
    ],
    told: [{ ms: dice.int(0, 10), exits: code(0) }],
    beats: { share: 0.5, ms: Number.POSITIVE_INFINITY },
  };
}

const readyIn = (ms: number): Act[] => [{ ms, says: { ready: true } }];

/** What is half a service, as it is between a reload and its rolling restart, does not end: it would be started for ever. */
const isTask = ({ command, restart, schedule }: ProgramPlan): boolean =>
  schedule !== null || (restart !== 'always' && command[0] === TASK);

/** Anything. */
export function rude(dice: Dice, plan: ProgramPlan): Conduct {
  return {
    spawns: !dice.chance(0.08),
    answersMs: dice.pick(null, 0, dice.int(1, 30), dice.int(1, 600)),
    ofItself: [
      ...(isBad(plan) ? [{ ms: dice.int(0, 2000), exits: code(1) }] : readiness(dice)),
      ...family(dice),
      ...chatter(dice),
      ...death(dice, plan),
    ],
    asked: dice.chance(0.15)
      ? []
      : [...lastWords(dice), ...family(dice), ...farewell(dice, plan.drain.signal)],
    told: dice.chance(0.25) ? [] : [...farewell(dice, plan.stop.signal)],
    beats: dice.chance(0.2)
      ? null
      : { share: dice.pick(0.4, 0.7, 1), ms: dice.pick(30_000, dice.int(0, 4000)) },
  };
}

const readiness = (dice: Dice): Act[] =>
  dice.chance(0.12) ? [] : [{ ms: dice.pick(0, dice.int(0, 100), dice.int(0, 2000)), says: { ready: true } }];

function family(dice: Dice): Act[] {
  return Array.from({ length: dice.pick(0, 0, 1, 3) }, () => ({
    ms: dice.int(0, 1500),
    forks: { livesMs: dice.pick(null, dice.int(0, 50), dice.int(0, 1500)), deaf: dice.chance(0.4) },
  }));
}

function chatter(dice: Dice): Act[] {
  return Array.from({ length: dice.pick(0, 0, 2) }, () => ({
    ms: dice.int(0, 2000),
    says: dice.pick<Notified>(
      { inFlight: dice.int(0, 5), status: 'busy' },
      { drained: true },
      { ready: true },
      { extendTimeoutMs: dice.int(0, 1000) },
      { watchdog: 'alive' },
      { watchdog: dice.chance(0.3) ? 'trigger' : 'alive' },
      dice.chance(0.3) ? { watchdogMs: dice.int(150, 800) } : { reloading: true, errno: 5 },
    ),
  }));
}

/** Without a backoff not too soon, or a world would be one crash loop. */
function death(dice: Dice, plan: ProgramPlan): Act[] {
  if (isTask(plan) ? dice.chance(0.2) : dice.chance(0.65)) return [];
  const soonest = plan.backoff === null ? 200 : 0;
  return [
    {
      ms: soonest + dice.pick(0, dice.int(0, 300), dice.int(0, 3000)),
      exits: isTask(plan) && dice.chance(0.6) ? code(0) : anyExit(dice),
    },
  ];
}

function lastWords(dice: Dice): Act[] {
  const words: Notified[] = [
    { stopping: true },
    { inFlight: dice.int(0, 3) },
    { drained: true },
    { extendTimeoutMs: dice.int(0, 1500) },
  ];
  return dice.some(words).map((says) => ({ ms: dice.pick(0, dice.int(0, 100), dice.int(0, 2000)), says }));
}

function farewell(dice: Dice, sent: string): Act[] {
  if (dice.chance(0.25)) return [];
  const exits = dice.pick(code(0), code(0), signal(`SIG${sent}`), anyExit(dice));
  return [{ ms: dice.pick(0, dice.int(0, 100), dice.int(0, 2500)), exits }];
}

const anyExit = (dice: Dice): ExitStatus =>
  dice.pick<ExitStatus>(code(0), code(0), code(1), code(3), signal('SIGSEGV'), { kind: 'unknown' });
