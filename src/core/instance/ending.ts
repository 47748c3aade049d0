/** How a run ends: asked, told, swept, killed. Only the last step goes to everything. */
import { after, type Moment, type Mono } from '../../base/clock.ts';
import type { ExitStatus } from '../../base/exit-status.ts';
import type { Run } from '../../base/ids.ts';
import type { SignalName } from '../../base/signal-name.ts';
import type { Because } from './because.ts';
import type { InstanceEffect, Step } from './effect.ts';
import type { Instance } from './instance.ts';
import type { Body, Ending, OnTimeout, Phase } from './phase.ts';
import { type Context, isClean, settle } from './settle.ts';

type Alive = Extract<Phase, { kind: 'starting' | 'running' }>;
type Draining = Extract<Phase, { kind: 'draining' }>;
type Ended = Extract<Phase, { body: Body; ending: Ending }>;

/** SIGKILL is repeated as long as something is left: a fork may have slipped away from the one before. */
const KILL_AGAIN_MS = 1000;

/** A drain that is asked for, and what it is to mean. */
export interface Drain {
  readonly because: Because;
  readonly onTimeout: OnTimeout;
  /** Without: planned. */
  readonly fault?: Fault;
}

export interface Fault {
  readonly why: string;
  readonly neverWell?: boolean;
}

/** A planned end: one signal to the leader, and then patience. The pre_drain hook comes first. */
export function askToEnd(instance: Instance, phase: Alive, drain: Drain, context: Context): Step {
  const { because, onTimeout, fault } = drain;
  const body: Body = { ...phase.body, said: { ...phase.body.said, drained: false } };
  const ending = beginFor(because, fault, context.now);
  const draining: Draining = {
    kind: 'draining',
    body,
    ending,
    deadline: null,
    onTimeout,
    asked: false,
    overdue: false,
  };
  const hooked = body.life.program.hooks.pre_drain !== null;
  return hooked
    ? { instance: { ...instance, phase: draining }, effects: [] }
    : ask(instance, draining, context);
}

/** Its jobs have so long from now on. A leader that is gone meanwhile cannot be asked; its jobs are waited for. */
export function ask(instance: Instance, phase: Draining, context: Context): Step {
  const { body, ending } = phase;
  return {
    instance: { ...instance, phase: { ...phase, asked: true, deadline: wholeTime(body, context.now) } },
    effects: ending.exit === null ? toLeader(body, body.life.program.drain.signal) : [],
  };
}

/** What a drain has from now on. */
export function wholeTime({ life }: Body, now: Moment): Mono | null {
  const { timeoutMs } = life.program.drain;
  return timeoutMs === null ? null : after(now.mono, timeoutMs);
}

/** An end that skips the drain; `endNow` or `killAll` carries it on in the same step. */
export function beginEnd(
  instance: Instance,
  phase: Alive,
  because: Because,
  context: Context,
  fault?: Fault,
): Instance {
  const ending = beginFor(because, fault, context.now);
  const { body } = phase;
  return {
    ...instance,
    phase: { kind: 'draining', body, ending, deadline: null, onTimeout: 'stop', asked: true, overdue: false },
  };
}

/** Goes on to `stop`: the leader is told; where it is gone, each of what it left is. */
export function endNow(instance: Instance, context: Context): Step {
  const { phase } = instance;
  if (phase.kind === 'draining')
    return phase.ending.exit === null ? tell(instance, phase, context) : tellRest(instance, phase, context);
  if (phase.kind === 'sweeping' && phase.killAt === null) return tellRest(instance, phase, context);
  return { instance, effects: [] }; // told already, or past telling
}

/** SIGKILL to everything of the run. */
export function killAll(instance: Instance, context: Context): Step {
  const { phase } = instance;
  if (!isEnding(phase)) return { instance, effects: [] };
  const { body } = phase;
  return {
    instance: {
      ...instance,
      phase: {
        kind: 'killing',
        body,
        ending: { ...phase.ending, killed: true },
        again: after(context.now.mono, KILL_AGAIN_MS),
      },
    },
    effects: [...toTree(body, 'KILL'), { type: 'survey', run: body.life.run }],
  };
}

/** The leader has exited, asked or not. What it left behind decides what follows. */
export function leaderGone(instance: Instance, exit: ExitStatus, context: Context): Step {
  const { phase } = instance;
  if (!('body' in phase)) return { instance, effects: [] }; // spawning: `spawned` comes first
  const { body } = phase;
  const because = isClean(body.life, exit) ? 'exit' : 'crash';
  const before = 'ending' in phase ? phase.ending : begin(because, 'own', context.now);
  if (before.exit !== null) return { instance, effects: [] }; // known already
  const ending: Ending = { ...before, exit };
  const survey: InstanceEffect = { type: 'survey', run: body.life.run };
  return {
    instance: { ...instance, phase: withoutLeader(phase, body, ending) },
    effects: [...tellExit(body, ending, context), survey],
  };
}

/** So many processes are left of the run, the living leader not counted. */
export function treeChanged(instance: Instance, left: number, context: Context): Step {
  const { phase } = instance;
  if (!isEnding(phase)) return { instance, effects: [] }; // alive and not ending: a survey of before, of no use now
  if (phase.ending.exit === null) return leaderAlone(instance, phase, left, context);
  if (left === 0) return settle(instance, phase.body, drainedIfKept(phase), context);
  // A drain waits for the rest; whoever crashed or was told to stop leaves nobody who would.
  if (phase.kind === 'sweeping' && phase.killAt === null) return tellRest(instance, phase, context);
  return { instance, effects: [] };
}

const isEnding = (phase: Phase): phase is Ended => 'ending' in phase && 'body' in phase;

/** It says, or its check does, that nothing is under way any more. */
export function saidDrained(instance: Instance, phase: Draining, context: Context): Step {
  if (!phase.asked) return { instance, effects: [] }; // it may still take on work
  const body: Body = { ...phase.body, said: { ...phase.body.said, drained: true } };
  const { drain } = body.life.program;
  const said: Draining = { ...phase, body };
  if (drain.doneWhen === 'exit' || phase.ending.exit !== null) {
    return { instance: { ...instance, phase: said }, effects: [] }; // its exit is waited for, or its tree
  }
  if (drain.waitFor === 'leader') return drainedAlive(instance, said, context);
  return { instance: { ...instance, phase: said }, effects: [{ type: 'survey', run: body.life.run }] };
}

/** A drain that is under way or overdue may take its whole time anew. */
export function grant(instance: Instance, context: Context): Step {
  const { phase } = instance;
  if (phase.kind !== 'draining' || !phase.asked) return { instance, effects: [] };
  const deadline = wholeTime(phase.body, context.now);
  return { instance: { ...instance, phase: { ...phase, deadline, overdue: false } }, effects: [] };
}

function leaderAlone(instance: Instance, phase: Ended, left: number, context: Context): Step {
  const waited = phase.kind === 'draining' && phase.body.said.drained && left === 0;
  return waited && phase.body.life.program.drain.doneWhen !== 'exit'
    ? drainedAlive(instance, phase, context)
    : { instance, effects: [] };
}

/** Drained by its word, and still there: only now is it told to stop. */
function drainedAlive(instance: Instance, phase: Draining, context: Context): Step {
  return tell(instance, { ...phase, ending: { ...phase.ending, drained: true } }, context);
}

function tell(instance: Instance, phase: Draining, context: Context): Step {
  const { body, ending } = phase;
  const { stop } = body.life.program;
  const killAt = after(context.now.mono, stop.timeoutMs);
  return {
    instance: { ...instance, phase: { kind: 'stopping', body, ending, killAt } },
    effects: toLeader(body, stop.signal),
  };
}

function tellRest(instance: Instance, phase: Ended, context: Context): Step {
  const { body, ending } = phase;
  const { stop } = body.life.program;
  const killAt = after(context.now.mono, stop.timeoutMs);
  return {
    instance: { ...instance, phase: { kind: 'sweeping', body, ending, killAt } },
    effects: toTree(body, stop.signal),
  };
}

/** Where the phase goes when the leader is gone and nobody knows yet what it left. */
function withoutLeader(phase: Phase, body: Body, ending: Ending): Phase {
  if (phase.kind === 'killing') return { ...phase, ending };
  if (phase.kind === 'draining') {
    // `leader`: it has drained by ending; what it left behind is no job, and is swept.
    if (body.life.program.drain.waitFor === 'tree') return { ...phase, ending };
    return { kind: 'sweeping', body, ending: { ...ending, drained: !wasCut(body, ending) }, killAt: null };
  }
  return { kind: 'sweeping', body, ending, killAt: null };
}

/** A drain that came to its end by itself. */
function drainedIfKept({ kind, body, ending }: Ended): Ending {
  return kind === 'draining' ? { ...ending, drained: !wasCut(body, ending) } : ending;
}

/** Something else than our own signal ended it before its jobs were done. */
const wasCut = (body: Body, { exit }: Ending): boolean =>
  exit?.kind === 'signal' && exit.signal !== `SIG${body.life.program.drain.signal}`;

function beginFor(because: Because, fault: Fault | undefined, since: Moment): Ending {
  if (fault === undefined) return begin(because, 'planned', since);
  const { why, neverWell } = fault;
  return { ...begin(because, 'fault', since), why, ...(neverWell ? { neverWell } : {}) };
}

function begin(because: Because, cause: Ending['cause'], since: Moment): Ending {
  return { because, cause, since, exit: null, drained: false, killed: false };
}

function tellExit(body: Body, ending: Ending, { now }: Context): InstanceEffect[] {
  const { run, startedAt } = body.life;
  const exit = {
    run,
    exit: ending.exit ?? ({ kind: 'unknown' } as const),
    at: now.wall,
    because: ending.because,
    drained: ending.drained,
    killed: ending.killed,
    livedMs: now.mono - startedAt.mono,
  };
  return [{ type: 'announce', what: { type: 'exited', run, exit } }];
}

const toLeader = (body: Body, signal: SignalName): InstanceEffect[] => {
  const { run } = body.life;
  return [{ type: 'signal', run, signal }, told(run, signal, 'leader')];
};

const toTree = (body: Body, signal: SignalName): InstanceEffect[] => {
  const { run } = body.life;
  return [{ type: 'signal_tree', run, signal }, told(run, signal, 'tree')];
};

const told = (run: Run, signal: SignalName, to: 'leader' | 'tree'): InstanceEffect => ({
  type: 'announce',
  what: { type: 'signalled', run, signal, to },
});
