/** The time of a program's schedule has come: who is idle runs, and who still works is dealt with as it is wished. */
import { instanceId } from '../../base/ids.ts';
import { type Instance, newInstance } from '../instance/instance.ts';
import type { ProgramPlan } from '../plan.ts';
import type { Changes } from './changes.ts';
import type { FleetEvent } from './event.ts';
import { seatsOf, stayingOf } from './fleet.ts';

/** Runs beside the regular ones; a program that never ends must not fill the machine. */
const MOST_EXTRA = 100;

export function scheduled(changes: Changes, event: Extract<FleetEvent, { type: 'scheduled' }>): void {
  const { fleet } = changes;
  const plan = fleet.programs.get(event.program);
  if (!plan?.schedule || fleet.mode.kind !== 'running') return;
  const wanted = stayingOf(fleet, event.program).filter(({ wish }) => wish.want === 'up');
  if (wanted.length > 0 && event.missed > 0) {
    say(changes, plan, 'late', `${event.missed + 1} times have passed; it runs once for all of them`);
  }
  for (const seat of wanted) {
    if (seat.program.schedule === null) say(changes, plan, 'skipped', `${seat.id} does not run by it yet`);
    else if (isFree(seat)) changes.toInstance(seat.id, { type: 'scheduled' });
    else overlap(changes, plan, seat);
  }
}

/** Nothing of it works: what is only about to be tried again makes way. */
const isFree = ({ phase }: Instance): boolean =>
  (phase.kind === 'waiting' && phase.what.kind === 'schedule') ||
  phase.kind === 'backoff' ||
  phase.kind === 'failed' ||
  phase.kind === 'exited';

function overlap(changes: Changes, plan: ProgramPlan, seat: Instance): void {
  if (seat.phase.kind === 'waiting' && seat.phase.what.kind === 'dependency') {
    // It has not begun: there is nothing that the next run could overlap with, and one of them is enough.
    say(changes, plan, 'skipped', `${seat.id} still waits for ${seat.phase.what.on}`);
    return;
  }
  switch (plan.schedule?.overlap) {
    case 'queue':
      queue(changes, plan, seat);
      break;
    case 'allow':
      beside(changes, plan, seat);
      break;
    default:
      say(changes, plan, 'skipped', `${seat.id} still runs`);
  }
}

function queue(changes: Changes, plan: ProgramPlan, seat: Instance): void {
  if (seat.queued) {
    say(changes, plan, 'skipped', `${seat.id} still runs, and one is queued already`);
    return;
  }
  say(changes, plan, 'queued', `${seat.id} still runs; it runs once more afterwards`);
  changes.toInstance(seat.id, { type: 'scheduled' });
}

/** Another one, for this run alone. */
function beside(changes: Changes, plan: ProgramPlan, seat: Instance): void {
  const seats = [...seatsOf(changes.fleet, plan.name).values()];
  if (seats.filter(({ leaving }) => leaving).length >= MOST_EXTRA) {
    say(changes, plan, 'skipped', `${seat.id} and ${MOST_EXTRA} more still run`);
    return;
  }
  const index = Math.max(...seats.map((other) => other.index)) + 1;
  const id = instanceId(plan.name, index);
  const extra = newInstance(id, index, seat.program, { want: 'up', because: 'schedule' });
  const phase = { kind: 'waiting', what: { kind: 'schedule' }, because: 'schedule' } as const;
  changes.place({ ...extra, phase, leaving: true, generation: seat.generation });
  changes.toInstance(id, { type: 'scheduled' });
}

function say(
  changes: Changes,
  { name }: ProgramPlan,
  what: 'skipped' | 'queued' | 'late',
  detail: string,
): void {
  changes.announce({ type: 'schedule', program: name, what, detail });
}
