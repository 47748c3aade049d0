/** Somebody who types commands at random, and a clock that says when it is time. */
import { wall } from '../../src/base/clock.ts';
import type { InstanceId, ProgramName, RolloutId } from '../../src/base/ids.ts';
import { rolloutUnderWay, seatsOf, stayingOf } from '../../src/core/fleet/fleet.ts';
import type { ProgramPlan } from '../../src/core/plan.ts';
import { isOver, type Rollout } from '../../src/core/rollout/rollout.ts';
import { Edits } from './edits.ts';
import { NAMES } from './plans.ts';
import { needsNewRun } from './reload-watch.ts';
import type { World } from './world.ts';

export type Command = 'pause' | 'resume' | 'promote' | 'abort' | 'revert';

interface Rolling {
  readonly replaces: boolean;
  readonly after?: RolloutId | null;
}

export class Operator {
  readonly #world: World;
  readonly #edits: Edits;

  constructor(world: World) {
    this.#world = world;
    this.#edits = new Edits(world.dice, world.flavour);
  }

  /** So many commands, spread over so many milliseconds. */
  busy(commands: number, ms: number): void {
    const { agenda, dice } = this.#world;
    for (let i = 0; i < commands; i++) {
      agenda.after(dice.int(0, ms), () => {
        if (!this.#world.isUp) return; // there is nobody whom he could ask
        const ids = this.#someIds();
        this.#command(ids);
        // Second thoughts, before the first have had their effect.
        if (dice.chance(0.5)) agenda.after(dice.pick(0, dice.int(0, 300)), () => this.#command(ids));
      });
    }
    this.#ticks(ms);
  }

  start(ids: readonly InstanceId[]): void {
    this.#world.post({ type: 'start', ids, because: this.#world.dice.pick('start', 'operator') });
  }

  steer(id: RolloutId, command: Command): void {
    this.#world.post({ type: 'steer_rollout', id, command });
  }

  beginRollout(): void {
    const { dice } = this.#world;
    const program = this.#somePlan();
    if (program === undefined) return;
    const replaces = dice.chance(0.2);
    if (!this.#world.system.isCalm && dice.chance(0.1)) this.roll(this.#edits.bad(program), { replaces });
    else this.roll(this.#taken(program, replaces), { replaces });
  }

  /** With options at random, where they are not given. Says which one it is. */
  roll(program: ProgramPlan, { replaces, after = null }: Rolling): RolloutId {
    const { dice, fleet } = this.#world;
    const id = fleet.nextRollout;
    const seats = stayingOf(fleet, program.name).map((seat) => seat.id);
    const some = dice.chance(0.8) ? seats : dice.some(seats);
    const ids = some.length === 0 ? seats : some; // as with the daemon, that names somebody
    const all = Math.max(1, seats.length);
    this.#world.post({
      type: 'begin_rollout',
      program,
      ids,
      maxParallel: dice.pick(1, 1, 2, dice.int(1, all), all),
      surge: dice.pick(0, 0, 0, 1, dice.int(1, 3)),
      canary: dice.pick(0, 0, 1, dice.int(1, all)),
      cause: { kind: 'operator', by: null, words: null, of: null },
      after,
      replaces,
    });
    return id;
  }

  /** All programs, one after the other, what others need first. */
  #rollAll(): void {
    const { dice, file } = this.#world;
    const isSooner = (a: ProgramPlan, b: ProgramPlan): number =>
      NAMES.indexOf(a.name) - NAMES.indexOf(b.name);
    let after: RolloutId | null = null;
    for (const program of file.toSorted(isSooner)) {
      const fresh = dice.chance(0.7) ? this.#edits.one(program) : program;
      const { fleet } = this.#world;
      const id = this.roll(this.#taken(fresh, false), { replaces: false, after });
      if (fleet.rollouts.has(id)) after = id;
    }
  }

  /** As the file has it from now on, unless the request is refused. */
  #taken(program: ProgramPlan, replaces: boolean): ProgramPlan {
    if (!replaces && rolloutUnderWay(this.#world.fleet, program.name) !== undefined) return program;
    this.#write(program);
    return program;
  }

  /** Its time has come, of each program that has a schedule. */
  tick(): void {
    const { agenda, dice, fleet } = this.#world;
    for (const program of this.#names()) {
      const timed = [...seatsOf(fleet, program).values()].some((seat) => seat.program.schedule !== null);
      if (!timed && !dice.chance(0.05)) continue;
      const missed = dice.pick(0, 0, dice.int(1, 5));
      this.#world.post({ type: 'scheduled', program, at: wall(agenda.now + 1e12), missed });
    }
  }

  /** The daemon dies so often, spread over so many milliseconds. Now and then the file is another one afterwards. */
  deaths(times: number, ms: number): void {
    const { agenda, dice } = this.#world;
    for (let i = 0; i < times; i++) agenda.after(dice.int(0, ms), () => this.#world.lightFuse());
    this.#world.meanwhile = () => {
      if (dice.chance(0.2) && !this.#world.system.isCalm)
        this.#world.file = this.#edits.all(this.#world.file);
    };
  }

  #ticks(ms: number): void {
    const { agenda, dice, flavour } = this.#world;
    if (!flavour.schedules) return;
    for (let i = dice.pick(0, 3, 8); i > 0; i--) {
      agenda.after(dice.int(0, ms), () => {
        for (let burst = dice.pick(1, 1, 1, 3); burst > 0; burst--) this.tick();
      });
    }
  }

  #someIds(): InstanceId[] {
    const { dice, fleet } = this.#world;
    const all = [...fleet.instances.keys()];
    return dice.chance(0.3) ? all : dice.some(all);
  }

  #command(few: readonly InstanceId[]): void {
    const { dice } = this.#world;
    if (!this.#world.isUp) return;
    const what = dice.pick(
      'start',
      'stop',
      'stop',
      'restart',
      'roll',
      'roll',
      'steer',
      'steer',
      'new',
      'new',
    );
    if (what === 'start') this.start(few);
    else if (what === 'roll' && dice.chance(0.15)) this.#rollAll();
    else if (what === 'stop') {
      this.#world.post({ type: 'stop', ids: few, how: dice.pick('drain', 'drain', 'now', 'kill') });
    } else if (what === 'restart') this.#restart(few);
    else if (what === 'roll') this.beginRollout();
    else if (what === 'steer') this.#steerSome();
    else this.#newCommand(few);
  }

  #newCommand(few: readonly InstanceId[]): void {
    const { dice } = this.#world;
    const what = dice.pick('scale', 'scale', 'reload', 'reload', 'signal', 'restart all');
    if (what === 'scale') this.#scale();
    else if (what === 'reload') this.#reload();
    else if (what === 'signal') {
      const signal = dice.pick('HUP', 'USR2', 'TERM', 'KILL');
      this.#world.post({ type: 'signal', ids: few, signal, tree: dice.chance(0.3) });
    } else this.#restart([...this.#world.fleet.instances.keys()]);
  }

  /** Refused while a rollout is under way of a program that is named. */
  #restart(named: readonly InstanceId[]): void {
    const { dice, fleet } = this.#world;
    const ids = named.filter((id) => {
      const program = fleet.instances.get(id)?.program.name;
      return program !== undefined && rolloutUnderWay(fleet, program) === undefined;
    });
    if (ids.length === 0) return;
    const plan = dice.chance(0.5) ? this.#somePlan() : undefined;
    if (plan !== undefined && rolloutUnderWay(this.#world.fleet, plan.name) === undefined) this.#write(plan);
    this.#world.post({ type: 'restart', ids, programs: plan === undefined ? [] : [plan] });
  }

  #scale(): void {
    const { dice } = this.#world;
    const [first, ...rest] = this.#names();
    if (first === undefined) return;
    const program = dice.pick(first, ...rest);
    this.#world.post({ type: 'scale', program, instances: dice.pick(0, dice.int(0, 5), dice.int(1, 3)) });
  }

  /** Refused while a rollout is under way of a program that would have to be rolled, or be of another number, or go. */
  #reload(): void {
    const { dice, fleet } = this.#world;
    const programs = this.#edits.all(this.#world.file);
    const isInTheWay = ({ program: name }: Rollout): boolean => {
      const fresh = programs.find((program) => program.name === name);
      const before = fleet.programs.get(name);
      if (fresh === undefined || before === undefined) return true;
      return before.instances !== fresh.instances || needsNewRun(before, fresh);
    };
    if (underWay(this.#world).some(isInTheWay)) return;
    this.#world.file = programs;
    this.#world.take(programs);
    this.#world.post({ type: 'reload', programs, shutdownTimeoutMs: dice.pick(null, dice.int(0, 1500)) });
    for (const program of programs) this.#rollChanged(program);
  }

  /** As the daemon does after a reload: whose run does not have the new plan is replaced in its turn. */
  #rollChanged(program: ProgramPlan): void {
    const { fleet } = this.#world;
    const seats = [...seatsOf(fleet, program.name).values()].filter(({ leaving }) => !leaving);
    const old = seats.filter((seat) => needsNewRun(seat.program, program));
    if (old.length === 0) return;
    this.#world.post({
      type: 'begin_rollout',
      program,
      ids: old.map(({ id }) => id),
      maxParallel: 1,
      surge: this.#world.dice.pick(0, 0, 1),
      canary: 0,
      cause: { kind: 'reload', by: null, words: null, of: null },
      after: null,
      replaces: false,
    });
  }

  #steerSome(): void {
    const { dice, fleet } = this.#world;
    for (const rollout of fleet.rollouts.values()) {
      if (dice.chance(0.3)) {
        this.steer(rollout.id, dice.pick('pause', 'resume', 'resume', 'promote', 'abort', 'revert'));
      }
    }
  }

  /** One of the programs, as the file has it or changed. */
  #somePlan(): ProgramPlan | undefined {
    const { dice } = this.#world;
    const [first, ...rest] = this.#world.file;
    if (first === undefined) return undefined;
    const program = dice.pick(first, ...rest);
    return dice.chance(0.5) ? program : this.#edits.one(program);
  }

  #write(program: ProgramPlan): void {
    this.#world.file = this.#world.file.map((before) => (before.name === program.name ? program : before));
    this.#world.take([program]);
  }

  #names(): ProgramName[] {
    return namesIn(this.#world);
  }
}

const namesIn = (world: World): ProgramName[] => [
  ...new Set([...world.fleet.instances.values()].map(({ program }) => program.name)),
];

/** Rollouts that are not over. */
export const underWay = ({ fleet }: World): Rollout[] =>
  [...fleet.rollouts.values()].filter((rollout) => !isOver(rollout));
