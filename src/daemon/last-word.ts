/**
 * What a daemon leaves for its next version, and for nobody else: what the runs have said of themselves, which is too
 * much to write down each time, and how it stands with those that have no run, which a crash may forget.
 */
import { dateOf, deadlineOf, type Moment, type Wall } from '../base/clock.ts';
import type { InstanceId, ProgramName, Run } from '../base/ids.ts';
import { type Fleet, type Memory, rolloutUnderWay } from '../core/fleet/fleet.ts';
import { type Instance, newInstance } from '../core/instance/instance.ts';
import type { Phase, Said } from '../core/instance/phase.ts';
import type { Plan } from '../core/plan.ts';
import type { Journal, Journalled } from './journal.ts';
import { fieldsOf } from './plan-shelf.ts';

const PREFIX = 'left/';

interface SaidRecord {
  readonly run: Run;
  readonly said: Said;
}

/** Without a run: with no rollout that leads it, and not on its way out. */
interface SeatRecord {
  readonly seat: Pick<Instance, 'wish' | 'generation' | 'failures' | 'restarts' | 'lastRun' | 'lastExit'>;
  readonly rest: RestRecord;
}

type Backoff = Extract<Phase, { kind: 'backoff' }>;
type RestRecord =
  | Extract<Phase, { kind: 'stopped' | 'failed' }>
  | (Omit<Backoff, 'until'> & { readonly until: Wall });

export function leaveLastWord(journal: Journal, fleet: Fleet, now: Moment): void {
  for (const instance of fleet.instances.values()) {
    const record = saidOf(instance) ?? seatOf(instance, fleet, now);
    if (record !== null) journal.put(PREFIX + instance.id, record);
  }
}

/** It is believed once: whoever takes back a handover goes on, and is not to leave this behind. */
export function takeBackLastWord(journal: Journal): void {
  for (const [id] of [...journal.under(PREFIX)]) journal.put(PREFIX + id, null);
}

function saidOf({ phase }: Instance): Journalled | null {
  if (!('body' in phase)) return null;
  const { life, said } = phase.body;
  return { ...({ run: life.run, said } satisfies SaidRecord) };
}

function seatOf(instance: Instance, fleet: Fleet, now: Moment): Journalled | null {
  const { wish, generation, failures, restarts, lastRun, lastExit, phase, program, leaving } = instance;
  if (leaving || rolloutUnderWay(fleet, program.name) !== undefined) return null;
  const rest = atRest(phase, now);
  if (rest === null) return null;
  // Who only waits is asked for anew, as after any other end, and waits again.
  const asked = phase.kind === 'waiting' ? ({ want: 'down', because: 'start' } as const) : wish;
  const seat = { wish: asked, generation, failures, restarts, lastRun, lastExit };
  return { ...({ seat, rest } satisfies SeatRecord) };
}

function atRest(phase: Phase, now: Moment): RestRecord | null {
  if (phase.kind === 'backoff') return { ...phase, until: dateOf(phase.until, now) };
  if (phase.kind === 'waiting') return { kind: 'stopped' };
  return phase.kind === 'stopped' || phase.kind === 'failed' ? phase : null;
}

/** What was read of the last daemon, with its last word, which is forgotten by this. */
export function withLastWord(journal: Journal, memory: Memory, plan: Plan, now: Moment): Memory {
  const alive = new Map(memory.alive);
  for (const [key, value] of [...journal.under(PREFIX)]) {
    const id = key as InstanceId; // the key was written from it
    const instance = alive.get(id);
    const heard = instance === undefined ? seated(id, value, memory, plan, now) : saying(instance, value);
    if (heard !== null) alive.set(id, heard);
  }
  takeBackLastWord(journal);
  return { ...memory, alive };
}

function saying(instance: Instance, value: unknown): Instance | null {
  const { phase } = instance;
  const { run, said } = fieldsOf(value) as Partial<SaidRecord>; // by what is checked next
  if (!('body' in phase) || phase.body.life.run !== run || said === undefined) return null;
  const body = { ...phase.body, said: { ...phase.body.said, ...said } };
  return { ...instance, phase: { ...phase, body } };
}

function seated(
  id: InstanceId,
  value: unknown,
  { counts, completed }: Memory,
  plan: Plan,
  now: Moment,
): Instance | null {
  const { seat, rest } = fieldsOf(value) as Partial<SeatRecord>; // by what is checked next
  const place = placeOf(id, plan, counts);
  if (seat === undefined || rest === undefined || place === null || completed.has(id)) return null;
  const phase = rest.kind === 'backoff' ? { ...rest, until: deadlineOf(rest.until, now) } : rest;
  return { ...newInstance(id, place.index, place.program, seat.wish), ...seat, phase };
}

/** Null: there is no such instance any more. */
function placeOf(id: InstanceId, plan: Plan, counts: ReadonlyMap<ProgramName, number>) {
  const at = id.lastIndexOf(':');
  const index = Number(id.slice(at + 1));
  const program = plan.programs.find(({ name }) => name === id.slice(0, at));
  if (program === undefined || index >= (counts.get(program.name) ?? program.instances)) return null;
  return { index, program };
}
