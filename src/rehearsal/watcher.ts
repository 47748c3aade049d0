/** Looks at the processes of the run, as often as it is told to, and keeps what it saw. */
import { run as runOf } from '../base/ids.ts';
import { type Family, familyOf } from '../os/family.ts';
import type { Notes } from './notes.ts';
import type { Sighting } from './round.ts';
import { Sightings } from './sightings.ts';

const GLANCE_MS = 40;

export class Watcher {
  readonly #runDir: string;
  readonly #notes: Notes;
  #seen: { readonly family: Family; readonly sightings: Sightings } | null = null;

  constructor(runDir: string, notes: Notes) {
    this.#runDir = runDir;
    this.#notes = notes;
  }

  get processes(): readonly Sighting[] {
    return this.#seen?.sightings.all() ?? [];
  }

  /** There is nothing to be seen before there is a leader. */
  async look(): Promise<void> {
    const { leader, run } = this.#notes;
    if (leader === null || run === null) return;
    this.#seen ??= {
      family: familyOf(this.#runDir, runOf(run), leader),
      sightings: new Sightings(leader),
    };
    const { family, sightings } = this.#seen;
    const at = performance.now();
    sightings.take(await family.look(), at);
  }

  /** All the time, for a moment: what a signal ends is a zombie for as long as its parent takes to see it. */
  async glance(): Promise<void> {
    await this.glanceUntil(performance.now() + GLANCE_MS);
    await this.look();
  }

  /** At those that are known already: to look for more takes long on a busy machine, and `until` is not to be missed. */
  async glanceUntil(until: number): Promise<void> {
    while (performance.now() < until && this.#notes.exit === null) {
      if (this.#seen !== null) this.#seen.sightings.note(this.#seen.family.glance());
      await new Promise((resolve) => setImmediate(resolve));
    }
    const known = this.#seen?.family.lookAgain() ?? null;
    if (known !== null) this.#seen?.sightings.take(known, performance.now());
  }
}
