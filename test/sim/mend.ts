/** Where everybody behaves again, whatever is under way can be brought to an end: by going on, or by one of the ways back. */
import type { InstanceId } from '../../src/base/ids.ts';
import { seatsOf } from '../../src/core/fleet/fleet.ts';
import { type Instance, isAtRest } from '../../src/core/instance/instance.ts';
import { lifeOf } from '../../src/core/instance/phase.ts';
import { isOver, type Rollout } from '../../src/core/rollout/rollout.ts';
import { isWell, unmet } from './begin-watch.ts';
import { broken } from './broken.ts';
import { isBad } from './conduct.ts';
import { type Operator, underWay } from './operator.ts';
import type { World } from './world.ts';

/** A build that does not work never comes to rest: so long it is left alone. */
const BAD_MS = 4000;
/** A rollout that is resumed so often, and is not over, never will be. */
const PATIENCE = 8;

export function mend(world: World, operator: Operator): void {
  const { dice } = world;
  dropBadBuilds(world, operator);
  const way = dice.pick(mendByResuming, mendByResuming, mendByAborting, mendByReverting, mendByReplacing);
  way(world, operator);
}

/** Also where the very first replacement never becomes healthy, each of the ways back is open. */
function dropBadBuilds(world: World, operator: Operator): void {
  const { dice, fleet } = world;
  const bad = underWay(world).filter(({ target }) => isBad(target));
  const isLeft = (): InstanceId[] => [...fleet.instances.values()].filter(hasBad).map(({ id }) => id);
  if (bad.length === 0 && isLeft().length === 0) return;
  world.runUntil(world.agenda.now + BAD_MS);
  for (const { id, program } of bad) {
    const good = world.file.find(({ name }) => name === program);
    const way = dice.pick('abort', 'revert', 'replace');
    if (way === 'replace' && good !== undefined) operator.roll(good, { replaces: true });
    else operator.steer(id, way === 'revert' ? 'revert' : 'abort');
    for (let i = 0; i < PATIENCE && isUnderWay(world, id); i++) {
      if (world.flavour.deaths && dice.chance(0.2)) world.lightFuse();
      world.runUntil(world.agenda.now + BAD_MS);
      world.calm();
      const rollout = fleet.rollouts.get(id);
      // There was nothing to go back to, or nothing better: one that lives for a while has been taken for whole.
      const isVain = rollout?.reverting === null || (rollout !== undefined && isBad(rollout.target));
      operator.steer(id, isVain ? 'abort' : 'resume');
    }
    if (isUnderWay(world, id) && !waitsForOthers(world, id))
      broken(`rollout ${id}, of a bad build, cannot end`);
  }
  // A restart does not change what a rollout is under way to, or leaves.
  const spoilt = new Set([...fleet.instances.values()].filter(hasBad).map(({ program }) => program.name));
  for (const { id, program } of underWay(world)) if (spoilt.has(program)) operator.steer(id, 'abort');
  world.post({ type: 'restart', ids: isLeft(), programs: world.file });
}

const hasBad = ({ program, phase }: Instance): boolean =>
  isBad(program) || isBad(lifeOf(phase)?.program ?? program);

const isUnderWay = ({ fleet }: World, id: Rollout['id']): boolean => {
  const rollout = fleet.rollouts.get(id);
  return rollout !== undefined && !isOver(rollout);
};

/** Where everybody behaves, what an abort leaves is a whole fleet. */
function mendByAborting(world: World, operator: Operator): void {
  // Some may have died before everybody behaved, and the system has not told yet.
  const isQuiet = world.dice.chance(0.5);
  if (isQuiet) world.settle();
  const touched = new Set<InstanceId>();
  for (const rollout of underWay(world)) {
    for (const { id } of rollout.turns) if (generationOf(world, id) === rollout.generation) touched.add(id);
    operator.steer(rollout.id, 'abort');
  }
  world.settle();
  if (world.fleet.mode.kind !== 'running') return;
  for (const instance of world.fleet.instances.values()) {
    const { id, phase } = instance;
    if (phase.kind === 'failed' && !(isQuiet && touched.has(id))) continue;
    isWhole(world, instance);
  }
}

const generationOf = (world: World, id: InstanceId) => world.fleet.instances.get(id)?.generation;

/** A rollout that is resumed as often as it pauses, and promoted when it is held, ends well. */
function mendByResuming(world: World, operator: Operator): void {
  world.settle();
  startFailed(world, operator);
  if (world.dice.chance(0.5)) operator.beginRollout();
  seeThrough(world, operator);
}

function mendByReverting(world: World, operator: Operator): void {
  if (world.dice.chance(0.5)) world.settle();
  for (const { id } of underWay(world)) operator.steer(id, 'revert');
  world.settle();
  startFailed(world, operator);
  seeThrough(world, operator);
}

function mendByReplacing(world: World, operator: Operator): void {
  if (world.dice.chance(0.5)) world.settle();
  for (const { id, target } of underWay(world)) {
    const plan = world.file.find(({ name }) => name === target.name) ?? target;
    operator.roll(plan, { replaces: true });
    if (isUnderWay(world, id)) broken(`rollout ${id} goes on beside the one that replaces it`);
  }
  world.settle();
  startFailed(world, operator);
  seeThrough(world, operator);
}

function startFailed(world: World, operator: Operator): void {
  const failed = [...world.fleet.instances.values()].filter(({ phase }) => phase.kind === 'failed');
  operator.start(failed.filter(({ wish }) => wish.want === 'up').map(({ id }) => id));
}

/** Also over the deaths of daemons. */
function seeThrough(world: World, operator: Operator): void {
  for (let i = 0; i < PATIENCE && underWay(world).length > 0; i++) {
    world.settle();
    if (world.flavour.deaths && world.dice.chance(0.3)) world.lightFuse();
    for (const { id, state, canary } of underWay(world)) {
      if (state === 'paused') operator.steer(id, 'resume');
      else if (canary.kind === 'held') operator.steer(id, 'promote');
    }
    world.settle();
    world.calm();
  }
  world.settle();
  startFailed(world, operator); // as many as may have failed
  world.settle();
  if (world.fleet.mode.kind !== 'running') return;
  const stuck = underWay(world)[0];
  if (stuck !== undefined && !waitsForOthers(world, stuck.id))
    broken(`rollout ${stuck.id} cannot end: it is ${stuck.state}, ${stuck.reason}`);
  for (const instance of world.fleet.instances.values()) isWhole(world, instance);
}

/** What its replacements need is not there, and will not come. */
function waitsForOthers(world: World, id: Rollout['id']): boolean {
  const { fleet } = world;
  const rollout = fleet.rollouts.get(id);
  if (rollout === undefined) return false;
  const { program, target, after } = rollout;
  if (after !== null && isUnderWay(world, after)) return waitsForOthers(world, after);
  return (
    unmet(fleet, { program: target }) !== null ||
    [...seatsOf(fleet, program).values()].some(({ phase }) => phase.kind === 'waiting')
  );
}

/** It works, has done its work, or waits for what is really not there; and nobody has to go because of its age or size. */
function isWhole(world: World, instance: Instance): void {
  const { fleet, watch } = world;
  const { id, wish, phase, leaving } = instance;
  // An extra one stays as long as its rollout waits for others.
  if (underWay(world).some(({ turns }) => turns.some((turn) => turn.extra && turn.id === id))) return;
  if (leaving && phase.kind !== 'waiting') broken(`${id} is to go, and never does`);
  if (wish.want === 'down') {
    if (!isAtRest(instance) && !watch.order.waits(instance))
      broken(`${id} is ${phase.kind} for ever, and nobody wants it`);
    return;
  }
  if (phase.kind === 'exited' || phase.kind === 'waiting') return; // whoever waits, rightly waits: state-watch.ts
  if (phase.kind !== 'running') throw broken(`${id} is ${phase.kind} for ever`);
  if (phase.worn === null) return;
  const others = [...seatsOf(fleet, instance.program.name).values()].filter(
    (seat) => seat.wish.want === 'up',
  );
  const isRolling = underWay(world).some(({ program }) => program === instance.program.name);
  const mayGo = others.every(isWell) && unmet(fleet, instance) === null && !isRolling;
  if (mayGo) broken(`${id} is worn, and never replaced`);
}
