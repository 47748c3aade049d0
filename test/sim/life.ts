/** The life of a world: rude for a while, then kind or not, and down in the end. */
import { type Instance, isAtRest } from '../../src/core/instance/instance.ts';
import { isOver } from '../../src/core/rollout/rollout.ts';
import { Broken, broken } from './broken.ts';
import { mend } from './mend.ts';
import { Operator } from './operator.ts';
import { stateOf } from './story.ts';
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
    const story = world.story.text();
    throw new Error(
      `${error.message}\nrepeat with SIM_SEED=${seed}; what led there:\n${story}\nnow: ${stateOf(world.fleet)}`,
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
    mend(world, operator);
    world.calm();
  }
  shutDown(world);
  if (agenda.now < 0) broken('time ran backwards');
}

const autostarted = ({ programs, fleet }: World): Instance['id'][] => {
  const names = new Set(programs.filter(({ autostart }) => autostart).map(({ name }) => name));
  return [...fleet.instances.values()].filter(({ program }) => names.has(program.name)).map(({ id }) => id);
};

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
  if (system.gates.size > 0) broken('a gate is kept after the end');
  for (const instance of fleet.instances.values()) {
    if (!isAtRest(instance)) broken(`${instance.id} is ${instance.phase.kind} after the end`);
    if (system.livingOf(instance.id) > 0) broken(`something of ${instance.id} lives after the end`);
  }
  for (const rollout of fleet.rollouts.values()) if (!isOver(rollout)) broken('a rollout outlives the fleet');
  if (fleet.runs.size > 0) broken('a run is remembered after the end');
}
