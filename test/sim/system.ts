/** The rude system behind core's effects: processes that live, fork, die and ignore as their conduct has it. */
import type { ExitStatus } from '../../src/base/exit-status.ts';
import { type InstanceId, type Pid, pid, type Run } from '../../src/base/ids.ts';
import type { SignalName } from '../../src/base/signal-name.ts';
import type { FleetEvent } from '../../src/core/fleet/event.ts';
import type { Life } from '../../src/core/instance/phase.ts';
import type { Processes, Unrecorded } from '../../src/ports/processes.ts';
import type { Agenda } from './agenda.ts';
import { broken } from './broken.ts';
import { type Act, type Child, type Conduct, kind, rude } from './conduct.ts';
import type { Dice } from './dice.ts';
import { Gates } from './gates.ts';
import { Hooks } from './hooks.ts';
import { Judges } from './judges.ts';
import { Looks } from './looks.ts';

interface Family {
  readonly life: Life;
  readonly id: InstanceId;
  conduct: Conduct;
  leaderAlive: boolean;
  readonly children: Set<Child>;
  /** The signal of its drain has come. */
  asked: boolean;
  /** Signals by core. */
  signals: number;
  /** A survey is open: each change of the number is answered. */
  surveyed: boolean;
  lastAnswer: number | null;
  forgotten: boolean;
  /** The system has answered the spawn. */
  answered: boolean;
  /** An earlier daemon began it: what its leader ended with may be known to nobody. */
  adopted: boolean;
  /** A daemon has written down that it asks it to drain, and died before it did. */
  owed: boolean;
  /** To SIGCONT, by whether it has been asked to drain. */
  readonly answers: boolean;
  /** What it has said while no daemon lived, and waits in its channel. */
  readonly unheard: FleetEvent[];
  /** Events to be heard once more when the run is over. */
  readonly echoes: FleetEvent[];
  /** WATCHDOG=1 has to come so often; null: it need not. */
  withinMs: number | null;
}

export class System {
  readonly looks: Looks;
  readonly hooks: Hooks;
  readonly gates: Gates;
  readonly judges: Judges;
  readonly #dice: Dice;
  readonly #agenda: Agenda;
  readonly #post: (event: FleetEvent) => void;
  readonly #families = new Map<Run, Family>();
  /** Everybody behaves. */
  isCalm = false;
  #isHeard = true;

  constructor(dice: Dice, agenda: Agenda, post: (event: FleetEvent) => void) {
    this.#dice = dice;
    this.#agenda = agenda;
    this.#post = post;
    this.looks = new Looks(dice, agenda, post);
    this.hooks = new Hooks(dice, agenda, post);
    this.gates = new Gates(dice);
    this.judges = new Judges(dice, agenda, post);
  }

  spawn(life: Life, id: InstanceId): void {
    const draw = this.isCalm ? kind : rude;
    const family: Family = {
      life,
      id,
      conduct: draw(this.#dice, life.program),
      leaderAlive: false,
      children: new Set(),
      asked: false,
      signals: 0,
      surveyed: false,
      lastAnswer: null,
      forgotten: false,
      answered: false,
      adopted: false,
      owed: false,
      answers: this.#dice.chance(0.5) && ['TERM', 'INT'].includes(life.program.drain.signal),
      unheard: [],
      echoes: [],
      withinMs: life.program.watchdogMs,
    };
    this.#families.set(life.run, family);
    const { answersMs } = family.conduct;
    if (this.gates.open(life) || answersMs === null) this.#answerSpawn(family);
    else this.#agenda.after(answersMs, () => this.#answerSpawn(family));
  }

  /** `byHand`: the operator's own, of which nothing follows for what core sends later. */
  signal(run: Run, name: SignalName, byHand: boolean): void {
    const family = this.#families.get(run);
    if (!family?.leaderAlive) return;
    const { drain, stop } = family.life.program;
    if (name === 'CONT' && !byHand) this.#answer(family);
    if (name === 'KILL') this.#endLeader(family, { kind: 'signal', signal: 'SIGKILL' });
    const isAsk = !family.asked && name === drain.signal;
    if (!isAsk && name !== stop.signal) return; // nothing that it knows
    if (!byHand) {
      family.signals++;
      family.asked = true;
    }
    this.#play(family, isAsk ? family.conduct.asked : family.conduct.told);
  }

  /** Once, as a pipe carries it. What nobody hears is known by the next daemon to be old, and passed over. */
  #answer(family: Family): void {
    if (!family.answers) return;
    this.#agenda.after(this.#dice.pick(0, this.#dice.int(0, 500)), () => {
      if (!family.leaderAlive || !this.#isHeard) return;
      this.#post({ type: 'notified', run: family.life.run, message: { asked: family.asked } });
    });
  }

  /** The signal of its drain has come, sent by a daemon. */
  wasAsked(run: Run): boolean {
    return this.#families.get(run)?.asked === true;
  }

  signalTree(run: Run, name: SignalName): void {
    const family = this.#families.get(run);
    if (family === undefined) return;
    if (name === 'KILL') this.#killAll(family);
    else for (const child of family.children) if (!child.deaf) this.#endChild(family, child, this.#soon());
  }

  survey(run: Run): void {
    const family = this.#families.get(run);
    if (family === undefined) return;
    family.surveyed = true;
    family.lastAnswer = null;
    if (this.#dice.chance(0.5)) this.#answerSurvey(family);
    else this.#agenda.after(this.#dice.int(0, 50), () => this.#answerSurvey(family));
  }

  forget(run: Run): void {
    const family = this.#families.get(run);
    if (family === undefined) return;
    family.forgotten = true;
    for (const event of family.echoes) this.#agenda.after(this.#dice.int(0, 500), () => this.#post(event));
  }

  /** The daemon dies. What it was about to begin has begun, or never will. */
  die(): void {
    this.#isHeard = false;
    this.looks.die();
    this.hooks.die();
    this.gates.die();
    this.judges.die();
    for (const family of this.#families.values()) {
      family.surveyed = false;
      family.echoes.length = 0;
      if (family.answered) continue;
      if (this.#dice.chance(0.5)) this.#answerSpawn(family);
      else family.answered = true;
    }
  }

  /** Another one lives, and will hear what is said. */
  raise(): void {
    this.#isHeard = true;
  }

  /** Wanted, written down, and never sent: its daemon died in between. */
  owes(run: Run): void {
    const family = this.#families.get(run);
    if (family !== undefined) family.owed = true;
    if (this.isCalm && family?.answers === false) this.#pay(run);
  }

  /** Somebody does by hand what the daemon did not live to do. */
  #pay(run: Run): void {
    const family = this.#families.get(run);
    if (!family?.owed || !family.leaderAlive) return;
    family.owed = false;
    family.signals++;
    family.asked = true;
    this.#play(family, family.conduct.told);
  }

  /** What a new daemon finds by its mark. A run of which only children are left is found by nobody. */
  marks(): Pick<Processes, 'unrecorded'> {
    return {
      unrecorded: (known) => {
        const unknown = [...this.#families.values()].filter(
          ({ life, forgotten }) => !known.has(life.run) && !forgotten,
        );
        for (const family of unknown) if (!family.leaderAlive) family.children.clear();
        return unknown.flatMap(({ life, id, leaderAlive }) => (leaderAlive ? [markOf(life, id)] : []));
      },
    };
  }

  identity(run: Run): string | null {
    return this.leaderLives(run) ? `leader of ${run}` : null;
  }

  adopt(run: Run): void {
    const family = this.#families.get(run) ?? broken(`run ${run} is adopted, and never was`);
    family.adopted = true;
    // What nobody has taken out of the channel stays there.
    for (const event of family.unheard.splice(0))
      this.#agenda.after(0, () => (this.#isHeard ? this.#post(event) : family.unheard.push(event)));
    if (family.leaderAlive) return;
    this.#agenda.after(this.#soon(), () => this.#tell(family, { type: 'exited', run, exit: UNKNOWN }));
  }

  /** From now on everybody behaves, those who are alive as well. */
  calm(): void {
    this.isCalm = true;
    this.looks.calm();
    this.hooks.calm();
    this.judges.calm();
    for (const family of this.#families.values()) {
      if (family.forgotten) continue;
      family.conduct = kind(this.#dice, family.life.program);
      for (const child of family.children) this.#endChild(family, child, this.#dice.int(0, 40));
      this.#pay(family.life.run);
      this.#play(family, family.signals > 0 ? family.conduct.told : family.conduct.ofItself);
      this.#beat(family, family.conduct, this.#agenda.now);
      // It beats from now on, and says so at once: its time may nearly be over.
      this.#agenda.after(0, () => this.#play(family, [{ ms: 0, says: { watchdog: 'alive' } }]));
    }
  }

  /** How many processes of this instance live, of all its runs together. */
  livingOf(id: InstanceId): number {
    let living = 0;
    for (const family of this.#families.values()) if (family.id === id) living += sizeOf(family);
    return living;
  }

  livingIn(run: Run): number {
    const family = this.#families.get(run);
    return family === undefined ? 0 : sizeOf(family);
  }

  childrenOf(run: Run): number {
    return this.#families.get(run)?.children.size ?? 0;
  }

  leaderLives(run: Run): boolean {
    return this.#families.get(run)?.leaderAlive === true;
  }

  #answerSpawn(family: Family): void {
    if (family.answered) return;
    family.answered = true;
    const { run } = family.life;
    if (!family.conduct.spawns) {
      this.#tell(family, { type: 'spawn_failed', run, stage: 'exec', error: 'no such file' });
      return;
    }
    family.leaderAlive = true;
    this.#tell(family, { type: 'spawned', run, pid: pidOf(run) });
    this.#play(family, family.conduct.ofItself);
    this.#beat(family, family.conduct, this.#agenda.now);
  }

  /** WATCHDOG=1, again and again. */
  #beat(family: Family, conduct: Conduct, since: number): void {
    const { beats } = conduct;
    if (family.withinMs === null || beats === null) return;
    this.#agenda.after(
      Math.max(1, Math.floor(beats.share * family.withinMs)),
      () => {
        if (!family.leaderAlive || family.conduct !== conduct || this.#agenda.now > since + beats.ms) return;
        this.#post({ type: 'notified', run: family.life.run, message: { watchdog: 'alive' } });
        this.#beat(family, conduct, since);
      },
      true,
    );
  }

  /** Acts of a conduct that has changed since are not carried out. */
  #play(family: Family, acts: readonly Act[]): void {
    const { conduct } = family;
    for (const act of acts) {
      this.#agenda.after(act.ms, () => {
        if (family.leaderAlive && family.conduct === conduct) this.#perform(family, act);
      });
    }
  }

  #perform(family: Family, act: Act): void {
    if ('exits' in act) this.#endLeader(family, act.exits);
    else if ('forks' in act) this.#addChild(family, act.forks);
    else this.#speak(family, act.says);
  }

  #speak(family: Family, message: Extract<Act, { says: unknown }>['says']): void {
    if (message.watchdogMs !== undefined) family.withinMs = message.watchdogMs;
    const event: FleetEvent = { type: 'notified', run: family.life.run, message };
    const deliver = (): void => {
      if (this.#isHeard) this.#tell(family, event);
      else if (this.isCalm || this.#dice.chance(0.7)) family.unheard.push(event);
    };
    if (this.isCalm || this.#dice.chance(0.6)) deliver();
    else this.#agenda.after(this.#dice.int(0, 300), deliver);
    if (!this.isCalm && this.#dice.chance(0.1)) this.#agenda.after(this.#dice.int(0, 1000), deliver);
  }

  /** The one place that posts: in order, and some of it once more when the run is over. */
  #tell(family: Family, event: FleetEvent): void {
    if (this.#dice.chance(0.05)) family.echoes.push(event);
    this.#post(event);
    const twice = event.type === 'exited' || event.type === 'spawned';
    if (twice && this.#dice.chance(0.05)) this.#agenda.after(this.#dice.int(0, 50), () => this.#post(event));
  }

  #addChild(family: Family, shape: Child): void {
    const child: Child = { ...shape };
    family.children.add(child);
    this.#changed(family);
    if (child.livesMs !== null) this.#endChild(family, child, child.livesMs);
  }

  #endChild(family: Family, child: Child, ms: number): void {
    this.#agenda.after(ms, () => {
      if (family.children.delete(child)) this.#changed(family);
    });
  }

  #endLeader(family: Family, exit: ExitStatus): void {
    if (!family.leaderAlive) return;
    family.leaderAlive = false;
    const told = family.adopted && this.#dice.chance(0.8) ? UNKNOWN : exit;
    const report = (): void => this.#tell(family, { type: 'exited', run: family.life.run, exit: told });
    if (this.#dice.chance(0.5)) report();
    else this.#agenda.after(this.#dice.int(0, 20), report);
  }

  /** Now and then a fork slips away just before, or a process hangs in the kernel for a while. */
  #killAll(family: Family): void {
    const slipsAway = sizeOf(family) > 0 && !this.isCalm && this.#dice.chance(0.1);
    const dies = (): number => (this.#dice.chance(0.1) ? this.#dice.int(0, 2500) : this.#soon());
    for (const child of family.children) this.#endChild(family, child, dies());
    this.#agenda.after(dies(), () => this.#endLeader(family, { kind: 'signal', signal: 'SIGKILL' }));
    if (slipsAway) this.#addChild(family, { livesMs: null, deaf: true });
  }

  #changed(family: Family): void {
    if (family.surveyed && !family.forgotten) this.#answerSurvey(family);
  }

  #answerSurvey(family: Family): void {
    const left = family.children.size;
    if (!family.surveyed || left === family.lastAnswer) return;
    family.lastAnswer = left;
    if (left === 0) family.surveyed = false;
    this.#tell(family, { type: 'tree', run: family.life.run, left });
  }

  #soon(): number {
    return this.#dice.pick(0, this.#dice.int(0, 5));
  }
}

const UNKNOWN: ExitStatus = { kind: 'unknown' };

function markOf({ run, program, generation }: Life, instance: InstanceId): Unrecorded {
  const { revision } = program;
  return { run, pid: pidOf(run), instance, identity: `leader of ${run}`, ageMs: 0, revision, generation };
}

export const pidOf = (run: Run): Pid => pid(1000 + run);

const sizeOf = (family: Family): number => family.children.size + (family.leaderAlive ? 1 : 0);
