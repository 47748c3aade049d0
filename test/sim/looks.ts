/** What core has looked at while a run works: answers that come late, after nobody asks any more, or never. */
import type { Run } from '../../src/base/ids.ts';
import type { FleetEvent } from '../../src/core/fleet/event.ts';
import type { Life } from '../../src/core/instance/phase.ts';
import type { Purpose, Watch } from '../../src/core/instance/watch.ts';
import type { Agenda } from './agenda.ts';
import { broken } from './broken.ts';
import { isBad } from './conduct.ts';
import type { Dice } from './dice.ts';
import { MUCH } from './plans.ts';

interface Look {
  readonly era: number;
  readonly run: Run;
  readonly watch: Watch;
  /** Of a build that does not work. */
  readonly bad: boolean;
  /** What is still to be answered: yes or no, or so many bytes. After the last there is silence. */
  script: (boolean | number)[];
  open: boolean;
}

export class Looks {
  readonly #dice: Dice;
  readonly #agenda: Agenda;
  readonly #post: (event: FleetEvent) => void;
  readonly #open = new Map<string, Look>();
  #calm = false;
  /** So many daemons have died. */
  #era = 0;

  constructor(dice: Dice, agenda: Agenda, post: (event: FleetEvent) => void) {
    this.#dice = dice;
    this.#agenda = agenda;
    this.#post = post;
  }

  get size(): number {
    return this.#open.size;
  }

  /** What is looked at of this run now. */
  of(run: Run): Watch[] {
    return [...this.#open.values()].flatMap((look) => (look.run === run ? look.watch : []));
  }

  watch({ run, program }: Life, watch: Watch): void {
    if (this.#open.has(nameOf(run, watch.purpose))) broken(`${watch.purpose} of run ${run} is watched twice`);
    const bad = isBad(program);
    const look: Look = { era: this.#era, run, watch, bad, script: [], open: true };
    look.script = this.#scriptFor(look);
    this.#open.set(nameOf(run, watch.purpose), look);
    this.#lookOnce(look, watch.purpose === 'log' ? this.#whenever() : 0);
  }

  unwatch(run: Run, purpose: Purpose): void {
    const look = this.#open.get(nameOf(run, purpose));
    if (look === undefined) throw broken(`${purpose} of run ${run} is not watched`);
    look.open = false;
    this.#open.delete(nameOf(run, purpose));
  }

  /** The daemon has died: no answer comes any more, and the next one asks anew. */
  die(): void {
    this.#era++;
    this.#open.clear();
  }

  calm(): void {
    this.#calm = true;
    for (const look of this.#open.values()) {
      look.script = this.#scriptFor(look);
      this.#lookOnce(look, this.#dice.int(0, 20));
    }
  }

  #lookOnce(look: Look, inMs: number): void {
    const { script } = look;
    this.#agenda.after(inMs + this.#takes(), () => {
      if (look.era !== this.#era) return;
      // An answer that was on its way when nobody wanted it any more may come all the same.
      const late = !this.#calm && this.#dice.chance(0.3);
      const answer = look.script === script && (look.open || late) ? script.shift() : undefined;
      if (answer === undefined) return;
      if (look.open && script.length > 0)
        this.#lookOnce(look, 'everyMs' in look.watch ? look.watch.everyMs : 0);
      this.#tell(answerOf(look, answer));
    });
  }

  #tell(event: FleetEvent): void {
    this.#post(event);
    const era = this.#era;
    if (!this.#calm && this.#dice.chance(0.05)) {
      this.#agenda.after(this.#dice.int(0, 600), () => {
        if (!this.#calm && era === this.#era) this.#post(event); // it could be the last word for ever
      });
    }
  }

  #takes(): number {
    return this.#calm ? this.#dice.int(0, 5) : this.#dice.pick(0, this.#dice.int(0, 40));
  }

  #whenever(): number {
    return this.#calm
      ? this.#dice.int(0, 40)
      : this.#dice.pick(0, this.#dice.int(0, 100), this.#dice.int(0, 2000));
  }

  #scriptFor({ watch: { purpose }, bad }: Look): (boolean | number)[] {
    const dice = this.#dice;
    if (bad && (purpose === 'ready' || purpose === 'log')) return [];
    if (purpose === 'memory') return this.#calm ? [0] : stretches(dice, 0, 2 * MUCH);
    if (this.#calm) return purpose === 'ready' ? [false, true] : [true];
    if (purpose === 'health') return stretches(dice, true, false);
    if (dice.chance(0.12)) return []; // never
    if (purpose === 'log') return [true];
    return [
      ...Array.from({ length: dice.pick(0, dice.int(0, 5)) }, () => false),
      true,
      ...dice.some([false, true]),
    ];
  }
}

/** The one for a while, then the other, and so on. */
function stretches<T>(dice: Dice, good: T, bad: T): T[] {
  const long = (value: T, most: number): T[] => Array.from({ length: dice.int(0, most) }, () => value);
  if (dice.chance(0.4)) return [good];
  return [...long(good, 4), ...long(bad, 5), ...long(good, 3), ...long(bad, 5), good];
}

function answerOf({ run, watch: { purpose } }: Look, answer: boolean | number): FleetEvent {
  if (purpose === 'memory') return { type: 'measured', run, bytes: Number(answer) };
  return { type: 'checked', run, purpose, ok: answer === true, detail: answer === true ? 'yes' : 'no' };
}

const nameOf = (run: Run, purpose: Purpose): string => `${run} ${purpose}`;
