/** Looks at the processes of the run, as often as it is told to, and keeps what it saw. */
import { run as runOf } from '../base/ids.ts';
import { type Family, familyOf } from '../os/family.ts';
import type { Notes } from './notes.ts';
import type { Sighting } from './round.ts';
import { Sightings } from './sightings.ts';

/** Less than the time between two signals. */
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
    const until = performance.now() + GLANCE_MS;
    while (performance.now() < until && this.#seen !== null && this.#notes.exit === null) {
      const { family, sightings } = this.#seen;
      sightings.note(family.glance());
      await new Promise((resolve) => setImmediate(resolve));
    }
    await this.look();
  }
}
