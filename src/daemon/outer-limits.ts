/** What whoever runs the daemon would do to its instances at an end, where that is not what the config says. */
import { formatDuration } from '../base/duration.ts';
import { longestStop } from '../config/stop-time.ts';
import type { Plan } from '../core/plan.ts';
import type { OwnUnit } from '../ports/own-unit.ts';

type Planned = Pick<Plan, 'programs' | 'shutdownTimeoutMs'>;

export class OuterLimits {
  readonly #log: (text: string) => void;
  /** It is asked for more time while everything ends, and gives it. */
  readonly #extends: boolean;
  #unit: OwnUnit | null = null;
  #plan: Planned;
  #warnings: readonly string[] = [];
  #logged: readonly string[] = [];

  constructor(plan: Planned, asksForTime: boolean, log: (text: string) => void) {
    this.#plan = plan;
    this.#extends = asksForTime;
    this.#log = log;
  }

  /** As they are by the config that holds now. */
  get warnings(): readonly string[] {
    return this.#warnings;
  }

  know(unit: OwnUnit | null): void {
    this.#unit = unit;
    this.#judge();
  }

  follow(plan: Planned): void {
    this.#plan = plan;
    this.#judge();
  }

  #judge(): void {
    if (this.#unit === null) return;
    const late = lateness(this.#unit, this.#plan);
    const kill = killing(this.#unit);
    const hint = `${this.#unit.name} may be written anew by "tsup-visor export systemd"`;
    const cut = late === null || this.#extends ? [] : [`${late}: it would cut jobs; ${hint}`];
    const eased =
      late !== null && this.#extends ? [`${late}; the daemon asks for more as long as it takes`] : [];
    this.#warnings = [...cut, ...(kill === null ? [] : [`${kill}; ${hint}`])];
    const said = [...this.#warnings, ...eased];
    for (const text of said) if (!this.#logged.includes(text)) this.#log(text);
    this.#logged = said;
  }
}

/** Null: systemd waits long enough. */
function lateness({ name, stopMs }: OwnUnit, plan: Planned): string | null {
  const { ms, programs } = longestStop(plan);
  if (stopMs === null || (ms !== null && ms <= stopMs)) return null;
  const whose = programs.length === 0 ? '' : ` (${programs.join(', then ')})`;
  const takes = ms === null ? `may take any time${whose}` : `may take ${formatDuration(ms)}${whose}`;
  return `systemd gives ${name} ${formatDuration(stopMs)} to stop (TimeoutStopSec), and the end of everything ${takes}`;
}

const HARMLESS = new Set(['process', 'none', '']);

function killing({ name, killMode }: OwnUnit): string | null {
  if (HARMLESS.has(killMode)) return null;
  const mode = `${name} has KillMode=${killMode}`;
  return killMode === 'mixed'
    ? `${mode}: when the daemon dies, systemd kills all instances`
    : `${mode}: systemd signals each process of every instance itself, when it stops the daemon and when that dies`;
}
