/** The life of a world: rude for a while, then kind or not, and down in the end. */
import { type Instance, isAtRest } from '../../src/core/instance/instance.ts';
import { isOver } from '../../src/core/rollout/rollout.ts';
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
    const story = world.story.slice(-60).join('\n');
    throw new Error(`${error.message}\nrepeat with SIM_SEED=${seed}; what led there:\n${story}`);
  }
}

function liveRudely(world: World): void {
  const { dice, agenda, fleet } = world;
  const operator = new Operator(world);
  operator.start([...fleet.instances.keys()]);
  const horizon = dice.int(500, 12_000);
  operator.busy(dice.int(0, 14), horizon);
  world.runUntil(horizon);
  if (dice.chance(0.7)) {
    world.system.calm();
    if (dice.chance(0.5)) mendByResuming(world, operator);
    else mendByAborting(world, operator);
  }
  shutDown(world);
  if (agenda.now < 0) broken('time ran backwards');
}

/** Where everybody behaves, what an abort leaves is a whole fleet. */
function mendByAborting(world: World, operator: Operator): void {
  if (world.dice.chance(0.5)) world.runUntil();
  const touched = new Set<Instance['id']>();
  for (const rollout of underWay(world)) {
    for (const { id } of rollout.turns) if (generationOf(world, id) === rollout.generation) touched.add(id);
    operator.steer(rollout.id, 'abort');
  }
  world.runUntil();
  for (const { id, wish, phase } of world.fleet.instances.values()) {
    if (wish.want === 'down' || isWhole(phase)) continue;
    if (phase.kind !== 'failed' || touched.has(id)) broken(`${id} is ${phase.kind} for ever after the abort`);
  }
}

const generationOf = (world: World, id: Instance['id']) => world.fleet.instances.get(id)?.generation;
const isWhole = ({ kind }: Instance['phase']): boolean => kind === 'running' || kind === 'exited';

/** Where everybody behaves, a rollout that is resumed as often as it pauses ends well. */
function mendByResuming(world: World, operator: Operator): void {
  world.runUntil();
  const failed = [...world.fleet.instances.values()].filter(({ phase }) => phase.kind === 'failed');
  operator.start(failed.filter(({ wish }) => wish.want === 'up').map(({ id }) => id));
  if (world.dice.chance(0.5)) operator.beginRollout();
  for (let i = 0; i < 8 && underWay(world).length > 0; i++) {
    world.runUntil();
    for (const { id, state } of underWay(world)) if (state === 'paused') operator.steer(id, 'resume');
  }
  world.runUntil();
  const stuck = underWay(world)[0];
  if (stuck !== undefined) broken(`rollout ${stuck.id} cannot end: it is ${stuck.state}, ${stuck.reason}`);
  for (const { id, wish, phase } of world.fleet.instances.values()) {
    if (wish.want === 'up' && !isWhole(phase)) broken(`${id} is ${phase.kind} for ever`);
  }
}

const RESTING: ReadonlySet<string> = new Set(['stopped', 'exited', 'failed']);

function shutDown(world: World): void {
  const { dice, fleet } = world;
  const timeoutMs = dice.chance(0.5) ? null : dice.int(0, 1500);
  world.post({ type: 'shutdown', how: dice.pick('drain', 'drain', 'now', 'kill'), timeoutMs });
  world.runUntil();
  // A drain without a limit that is ignored is waited for until somebody insists; nothing else waits for ever.
  for (const { id, phase } of fleet.instances.values()) {
    const waits = phase.kind === 'draining' && phase.deadline === null;
    if (!waits && !RESTING.has(phase.kind)) {
      broken(`${id} is ${phase.kind} for ever`);
    }
  }
  if (!world.finished) world.post({ type: 'shutdown', how: dice.pick('now', 'kill'), timeoutMs: null });
  world.runUntil();
  if (!world.finished || fleet.mode.kind !== 'down') broken('the shutdown does not end');
  if (world.timers.size > 0) broken('a timer is armed after the end');
  for (const instance of fleet.instances.values()) {
    if (!isAtRest(instance)) broken(`${instance.id} is ${instance.phase.kind} after the end`);
    if (world.system.livingOf(instance.id) > 0) broken(`something of ${instance.id} lives after the end`);
  }
  for (const rollout of fleet.rollouts.values()) if (!isOver(rollout)) broken('a rollout outlives the fleet');
  if (fleet.runs.size > 0) broken('a run is remembered after the end');
}
