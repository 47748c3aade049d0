/** The interpreter: performs core's effects and decides nothing. What comes of them is posted as events. */

import type { Moment } from '../base/clock.ts';
import type { Run } from '../base/ids.ts';
import type { FleetEffect } from '../core/fleet/effect.ts';
import type { Fleet } from '../core/fleet/fleet.ts';
import { lifeOf } from '../core/instance/phase.ts';
import type { ProgramPlan } from '../core/plan.ts';
import type { Processes } from '../ports/processes.ts';
import { attempt, type Hooks } from './hooks.ts';
import type { Judges } from './judges.ts';
import type { MemoryKeeper } from './memory.ts';
import type { NewsDesk } from './news.ts';
import type { InstanceOutput } from './output.ts';
import { sentenceOf } from './sentence.ts';
import { commandRequest, type Surroundings, spawnRequest } from './spawn-request.ts';
import type { Timers } from './timers.ts';
import type { Waiters } from './waiters.ts';
import type { Watches } from './watches.ts';

export interface PerformParts {
  readonly processes: Processes;
  readonly timers: Timers;
  readonly news: NewsDesk;
  readonly waiters: Waiters;
  readonly memory: MemoryKeeper;
  readonly hooks: Hooks;
  readonly watches: Watches;
  readonly judges: Judges;
  readonly fleet: Fleet;
  readonly surroundings: Surroundings;
  readonly output: Pick<InstanceOutput, 'dismiss'>;
  /** What tells the leaders of an earlier daemon's runs from other processes. */
  readonly identities: ReadonlyMap<Run, string>;
  /** A sentence for the daemon's own log. */
  log(text: string): void;
  /** Posts that a run could not be begun. */
  spawnFailed(run: Run, stage: string, message: string): void;
  /** It has this plan from now on, whatever the config file says. */
  goBackTo(program: ProgramPlan): void;
  /** `fault`: why it did not end well. */
  finish(fault: string | null): void;
}

type Of<T extends FleetEffect['type']> = Extract<FleetEffect, { type: T }>;

/** The whole of what core can ask for, and what each thing means here. */
const DEEDS: {
  readonly [T in FleetEffect['type']]: (effect: Of<T>, parts: PerformParts, now: Moment) => void;
} = {
  spawn,
  prepare,
  unprepare: ({ run }, { processes }) => processes.unprepare(run),
  signal: ({ run, signal }, { processes }) => processes.signal(run, signal),
  signal_tree: ({ run, signal }, { processes }) => processes.signalTree(run, signal),
  survey: ({ run }, { processes }) => processes.survey(run),
  adopt: ({ run, pid, instance }, { processes, identities }) => {
    const { limits } = (lifeOf(instance.phase) ?? instance).program;
    processes.adopt(run, pid, identities.get(run) ?? '', limits);
  },
  forget: ({ run }, { processes, watches }) => {
    processes.forget(run);
    watches.forget(run);
  },
  hook: ({ instance, life, hook, plan }, { hooks, surroundings }) =>
    hooks.begin(life.run, hook, () =>
      commandRequest(
        instance,
        life,
        { command: plan.command, timeoutMs: plan.timeoutMs, purpose: hook },
        surroundings,
      ),
    ),
  unhook: ({ run }, { hooks }) => hooks.cancel(run),
  watch: ({ instance, life, watch }, { watches }) => watches.begin(instance, life, watch),
  unwatch: ({ run, purpose }, { watches }) => watches.end(run, purpose),
  judge: (effect, { judges, fleet }) => judges.begin(effect, fleet.rollouts.get(effect.rollout)),
  unjudge: ({ rollout, attempt: asked }, { judges }) => judges.end(rollout, asked),
  arm: ({ timer, at }, { timers }) => timers.arm(timer, at),
  disarm: ({ timer }, { timers }) => timers.disarm(timer),
  record,
  announce: ({ what }, { log, news }, now) => {
    news.announce(what, now);
    log(sentenceOf(what));
  },
  finish: ({ fault }, { finish }) => finish(fault),
};

export function perform(effect: FleetEffect, parts: PerformParts, now: Moment): void {
  // Each deed takes the effect of its own key; the compiler cannot follow that through the lookup.
  const deed = DEEDS[effect.type] as (effect: FleetEffect, parts: PerformParts, now: Moment) => void;
  deed(effect, parts, now);
}

/** Whatever goes wrong here is a failed start: an instance must not wait for an answer that does not come. */
function spawn({ instance, life }: Of<'spawn'>, parts: PerformParts): void {
  const { processes, watches, surroundings } = parts;
  const begun = attempt(() => {
    const request = spawnRequest(instance, life, surroundings);
    if (!request.ok) return request;
    watches.beforeSpawn(instance, life);
    processes.spawn(request.value);
    return request;
  });
  if (!begun.ok) parts.spawnFailed(life.run, begun.error.stage, begun.error.message);
}

/** Whatever goes wrong here will go wrong in the start as well, and be told then. */
function prepare({ instance, life }: Of<'prepare'>, { processes, surroundings }: PerformParts): void {
  attempt(() => {
    const request = spawnRequest(instance, life, surroundings);
    if (request.ok) processes.prepare(request.value);
    return request;
  });
}

function record({ what }: Of<'record'>, { memory, waiters, output, goBackTo }: PerformParts): void {
  memory.keep(what);
  // Null: the file's word holds again, which is known to whoever has read it.
  if (what.kind === 'program' && what.plan !== null) goBackTo(what.plan);
  if (what.kind === 'instance') waiters.changed(what.instance);
  if (what.kind !== 'removed') return;
  waiters.removed(what.id);
  output.dismiss(what.id);
}
