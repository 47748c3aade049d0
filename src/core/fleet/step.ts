/**
 * The transition function of the fleet: the one door. An event changes instances; what that means for others (a
 * rollout's next turn, a dependency that is there, a hold that ends) is drawn afterwards, from what was noted.
 */
import { assertNever } from '../../base/assert-never.ts';
import type { Moment } from '../../base/clock.ts';
import type { ProgramName } from '../../base/ids.ts';
import { type Instance, isAtRest } from '../instance/instance.ts';
import { bodyOf, deadlineOf } from '../instance/phase.ts';
import type { RolloutEvent } from '../rollout/event.ts';
import { isOver } from '../rollout/rollout.ts';
import { rolloutDeadline } from '../rollout/step.ts';
import { beginRollout } from './begin-rollout.ts';
import { Changes } from './changes.ts';
import type { FleetEffect } from './effect.ts';
import type { FleetEvent, TimerName } from './event.ts';
import { type Fleet, rolloutUnderWay, stayingOf } from './fleet.ts';
import { isSameVerdict, type Verdicts } from './needs.ts';
import { noteWhole } from './remember.ts';
import { inOrder, restart, shutDown, shutdownDue, signal, start, stop, takePlan } from './requests.ts';
import { reload, scale } from './resize.ts';
import { scheduled } from './schedule.ts';
import { unmetOf } from './view.ts';
import { nextWorn } from './worn.ts';

export { reasonOf } from './reason.ts';

export function stepFleet(fleet: Fleet, event: FleetEvent, now: Moment): FleetEffect[] {
  const changes = new Changes(fleet, now);
  take(changes, event);
  conclude(changes);
  return changes.effects;
}

function take(changes: Changes, event: FleetEvent): void {
  switch (event.type) {
    case 'spawned':
    case 'spawn_failed':
    case 'exited':
    case 'tree':
    case 'checked':
    case 'measured':
    case 'hooked':
    case 'notified': {
      const id = changes.fleet.runs.get(event.run);
      if (id !== undefined) changes.toInstance(id, event); // else: an earlier run's, and dropped here
      break;
    }
    case 'start':
      start(changes, event);
      break;
    case 'stop':
      stop(changes, event.ids, event.how, event.because ?? 'operator');
      break;
    case 'restart':
      restart(changes, event);
      break;
    case 'begin_rollout':
      beginRollout(changes, event);
      break;
    case 'take_plan':
      takePlan(changes, event);
      break;
    case 'steer_rollout':
      changes.toRollout(event.id, steering(event));
      break;
    case 'judged':
      changes.toRollout(event.rollout, event);
      break;
    case 'scale':
      scale(changes, event);
      break;
    case 'reload':
      reload(changes, event);
      break;
    case 'signal':
      signal(changes, event);
      break;
    case 'scheduled':
      scheduled(changes, event);
      break;
    case 'shutdown':
      shutDown(changes, event, null);
      break;
    case 'due':
      due(changes, event.timer);
      break;
    default:
      assertNever(event);
  }
}

function steering(event: Extract<FleetEvent, { type: 'steer_rollout' }>): RolloutEvent {
  const { command, words } = event;
  const by = event.by ?? null;
  const said = words === undefined ? {} : { words };
  if (command === 'abort') return { type: 'abort', why: null, by, ...said };
  if (command === 'revert') return { type: 'revert', by, ...said };
  return command === 'pause' ? { type: 'pause', by } : { type: command };
}

function due(changes: Changes, timer: TimerName): void {
  changes.rung(timer);
  if (timer.of === 'instance') {
    changes.toInstance(timer.id, { type: 'due' });
    const phase = changes.fleet.instances.get(timer.id)?.phase;
    if (phase !== undefined) changes.rearm(timer, deadlineOf(phase));
  } else if (timer.of === 'rollout') {
    changes.toRollout(timer.id, { type: 'look' });
    const rollout = changes.fleet.rollouts.get(timer.id);
    if (rollout !== undefined) changes.rearm(timer, rolloutDeadline(rollout, changes.now));
  } else shutdownDue(changes);
}

/** Draws the consequences, until there are no more. */
function conclude(changes: Changes): void {
  const { touched, rested } = changes;
  while (touched.size > 0 || rested.size > 0 || changes.leavers.size > 0 || changes.fault !== null) {
    giveUp(changes);
    letGo(changes);
    for (const id of rested) {
      rested.delete(id);
      changes.fleet.stopOrder.forget(id);
      for (const held of changes.fleet.stopOrder.release(id)) {
        changes.toInstance(held.id, { type: 'stop', because: held.because, how: held.how });
      }
    }
    // What others need comes first: nobody is to count on what begins anew in this step.
    for (let next = lowestOf(changes); next !== undefined; next = lowestOf(changes)) {
      const before = touched.get(next);
      touched.delete(next);
      consider(changes, next, before);
    }
  }
  endWhenDown(changes);
}

const lowestOf = ({ touched, fleet }: Changes): ProgramName | undefined =>
  fleet.programs.lowestOf(touched.keys());

/** Who is on its way out is at rest. It may have been wanted again since that was noted. */
function letGo(changes: Changes): void {
  for (const id of changes.leavers) {
    changes.leavers.delete(id);
    const seat = changes.fleet.instances.get(id);
    if (seat?.leaving && isAtRest(seat) && !isHeld(changes.fleet, seat)) changes.remove(seat);
  }
}

/** An extra one of a rollout that was given up: whoever has to see to it is to find it. */
function isHeld(fleet: Fleet, { id, wish, program }: Instance): boolean {
  if (wish.want === 'down') return false;
  return rolloutUnderWay(fleet, program.name)?.turns.some((turn) => turn.extra && turn.id === id) === true;
}

/** Something of this program has changed. */
function consider(changes: Changes, program: ProgramName, before: Verdicts | undefined): void {
  lookAt(changes, program);
  if (rolloutUnderWay(changes.fleet, program) === undefined) noteWhole(changes, program);
  replaceWorn(changes, program); // first: nobody is to count on one that goes in this step
  tellDependents(changes, program, before);
}

function lookAt(changes: Changes, program: ProgramName): void {
  for (const rollout of changes.fleet.rollouts.values()) {
    if (rollout.program === program && !isOver(rollout)) changes.toRollout(rollout.id, { type: 'look' });
  }
}

/** Never in the middle of a rollout, never two at once, and not while the next run would have to wait. */
function replaceWorn(changes: Changes, name: ProgramName): void {
  const { fleet } = changes;
  if (fleet.worn.size === 0 || fleet.mode.kind !== 'running' || rolloutUnderWay(fleet, name) !== undefined)
    return;
  const worn = nextWorn(stayingOf(fleet, name));
  if (worn?.phase.kind !== 'running' || worn.phase.worn === null) return;
  if (unmetOf(fleet, worn.program) !== null) return;
  const { program, generation } = worn;
  changes.toInstance(worn.id, {
    type: 'replace',
    because: worn.phase.worn,
    program,
    generation,
    onTimeout: 'stop',
  });
}

function tellDependents(changes: Changes, name: ProgramName, before: Verdicts | undefined): void {
  const waiters = changes.fleet.needs.waitersFor(name);
  if (before === undefined && waiters.length === 0) return; // nobody has ever asked
  const now = changes.verdictsOf(name);
  if (before !== undefined && isSameVerdict(before, now)) return;
  for (const { id } of inOrder(changes.fleet, waiters)) changes.toInstance(id, { type: 'proceed' });
  // Who did not touch what works, because its replacement could not begin, may do so now.
  for (const program of changes.fleet.programs.dependentsOf(name)) {
    lookAt(changes, program);
    replaceWorn(changes, program);
  }
  if (before !== undefined && changes.fleet.mode.kind === 'running')
    sayWhatIsLost(changes, name, before, now);
}

/** Whoever runs goes on without what it needs; its next start would wait. */
function sayWhatIsLost(changes: Changes, name: ProgramName, before: Verdicts, now: Verdicts): void {
  const { programs } = changes.fleet;
  for (const program of programs.dependentsOf(name)) {
    const condition = programs.get(program)?.dependsOn[name];
    if (condition === undefined || before[condition].ok === now[condition].ok) continue;
    const runs = stayingOf(changes.fleet, program).some(({ phase }) => bodyOf(phase) !== null);
    if (runs) changes.announce({ type: 'dependency', program, on: name, lost: before[condition].ok });
  }
}

/** An essential program is no more: nothing here is worth running without it. */
function giveUp(changes: Changes): void {
  const { fault, fleet } = changes;
  changes.fault = null;
  if (fault === null || fleet.mode.kind !== 'running') return;
  shutDown(changes, { how: 'drain', timeoutMs: fleet.shutdownTimeoutMs }, fault);
}

function endWhenDown(changes: Changes): void {
  const { fleet } = changes;
  const { mode } = fleet;
  if (mode.kind !== 'shutting_down') return;
  for (const instance of fleet.instances.values()) if (!isAtRest(instance)) return;
  changes.rearm({ of: 'shutdown' }, null);
  fleet.mode = { kind: 'down', fault: mode.fault };
  changes.effects.push({ type: 'finish', fault: mode.fault });
}
