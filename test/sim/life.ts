/** The life of a world: rude for a while, then kind or not, and down in the end. */
import { seatsOf } from '../../src/core/fleet/fleet.ts';
import { type Instance, isAtRest } from '../../src/core/instance/instance.ts';
import { isOver, type Rollout } from '../../src/core/rollout/rollout.ts';
import { isWell, unmet } from './begin-watch.ts';
import { Broken, broken } from './broken.ts';
import { Operator, underWay } from './operator.ts';
import type { Transitions } from './transitions.ts';
import { World } from './world.ts';

/** Lives it, or throws with the seed and with what led to the broken rule. Says how many events it took. */
export function live(seed: number, transitions: Transitions): number {
  const world = new World(seed, transitions);
  try {
    liveRudely(world);
    return world.steps;
  } catch (error) {
    if (!(error instanceof Broken)) throw error;
    const story = world.story();
    throw new Error(
      `${error.message}\nrepeat with SIM_SEED=${seed}; what led there:\n${story}\nnow: ${world.state()}`,
    );
  }
}

function liveRudely(world: World): void {
  const { dice, agenda, fleet } = world;
  const operator = new Operator(world);
  operator.start(autostarted(world));
  const horizon = dice.int(500, 12_000);
  operator.busy(dice.int(0, 14), horizon);
  if (world.flavour.deaths) operator.deaths(dice.int(1, 4), horizon);
  world.runUntil(horizon);
  world.calm();
  // An essential one that was given up has ended it before its time.
  if (dice.chance(0.7) && fleet.mode.kind === 'running') {
    world.system.calm();
    if (dice.chance(0.3)) operator.tick();
    if (dice.chance(0.5)) mendByResuming(world, operator);
    else mendByAborting(world, operator);
  }
  shutDown(world);
  if (agenda.now < 0) broken('time ran backwards');
}

const autostarted = ({ programs, fleet }: World): Instance['id'][] => {
  const names = new Set(programs.filter(({ autostart }) => autostart).map(({ name }) => name));
  return [...fleet.instances.values()].filter(({ program }) => names.has(program.name)).map(({ id }) => id);
};

/** Where everybody behaves, what an abort leaves is a whole fleet. */
function mendByAborting(world: World, operator: Operator): void {
  // Some may have died before everybody behaved, and the system has not told yet.
  const isQuiet = world.dice.chance(0.5);
  if (isQuiet) world.settle();
  const touched = new Set<Instance['id']>();
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

const generationOf = (world: World, id: Instance['id']) => world.fleet.instances.get(id)?.generation;

/** Where everybody behaves, a rollout that is resumed as often as it pauses ends well. */
function mendByResuming(world: World, operator: Operator): void {
  world.settle();
  const failed = [...world.fleet.instances.values()].filter(({ phase }) => phase.kind === 'failed');
  operator.start(failed.filter(({ wish }) => wish.want === 'up').map(({ id }) => id));
  if (world.dice.chance(0.5)) operator.beginRollout();
  for (let i = 0; i < 8 && underWay(world).length > 0; i++) {
    world.settle();
    for (const { id, state } of underWay(world)) if (state === 'paused') operator.steer(id, 'resume');
  }
  world.settle();
  if (world.fleet.mode.kind !== 'running') return;
  const stuck = underWay(world)[0];
  if (stuck !== undefined && !waitsForOthers(world, stuck))
    broken(`rollout ${stuck.id} cannot end: it is ${stuck.state}, ${stuck.reason}`);
  for (const instance of world.fleet.instances.values()) isWhole(world, instance);
}

/** What its replacements need is not there, and will not come. */
const waitsForOthers = ({ fleet }: World, { program, target }: Rollout): boolean =>
  unmet(fleet, { program: target }) !== null ||
  [...seatsOf(fleet, program).values()].some(({ phase }) => phase.kind === 'waiting');

/** It works, has done its work, or waits for what is really not there; and nobody has to go because of its age or size. */
function isWhole({ fleet, watch }: World, instance: Instance): void {
  const { id, wish, phase, leaving } = instance;
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
  const mayGo = others.every(isWell) && unmet(fleet, instance) === null;
  if (mayGo) broken(`${id} is worn, and never replaced`);
}

const RESTING: ReadonlySet<string> = new Set(['stopped', 'exited', 'failed']);

function shutDown(world: World): void {
  const { dice, fleet } = world;
  const timeoutMs = dice.chance(0.5) ? null : dice.int(0, 1500);
  world.post({ type: 'shutdown', how: dice.pick('drain', 'drain', 'now', 'kill'), timeoutMs });
  world.settle();
  // A drain without a limit that is ignored is waited for until somebody insists; nothing else waits for ever.
  for (const instance of fleet.instances.values()) {
    const { id, phase } = instance;
    const drains = phase.kind === 'draining' && phase.deadline === null;
    if (!drains && !RESTING.has(phase.kind) && !world.watch.order.waits(instance)) {
      broken(`${id} is ${phase.kind} for ever`);
    }
  }
  if (!world.finished) world.post({ type: 'shutdown', how: dice.pick('now', 'kill'), timeoutMs: null });
  world.settle();
  if (!world.finished || fleet.mode.kind !== 'down') broken('the shutdown does not end');
  nothingIsLeft(world);
}

function nothingIsLeft({ fleet, timers, system }: World): void {
  if (timers.size > 0) broken('a timer is armed after the end');
  if (system.looks.size > 0) broken('something is looked at after the end');
  if (system.hooks.size > 0) broken('a hook runs after the end');
  for (const instance of fleet.instances.values()) {
    if (!isAtRest(instance)) broken(`${instance.id} is ${instance.phase.kind} after the end`);
    if (system.livingOf(instance.id) > 0) broken(`something of ${instance.id} lives after the end`);
  }
  for (const rollout of fleet.rollouts.values()) if (!isOver(rollout)) broken('a rollout outlives the fleet');
  if (fleet.runs.size > 0) broken('a run is remembered after the end');
}
