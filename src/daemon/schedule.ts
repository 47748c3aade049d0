/**
 * When scheduled programs run next, by the wall clock, which may jump: it is looked at often enough to notice.
 * Times that nobody could keep are kept once, at once, and counted. What was missed while no daemon ran is not made up for.
 */
import { type Moment, mono, type Wall } from '../base/clock.ts';
import { formatDuration } from '../base/duration.ts';
import type { ProgramName } from '../base/ids.ts';
import type { ProgramPlan, SchedulePlan } from '../core/plan.ts';

export interface ScheduleParts {
  readonly clock: { now(): Moment };
  /** The first time after `from`; null when there is none any more. */
  nextTime(schedule: SchedulePlan, from: Wall): Wall | null;
  /** How many times there are after `from`, up to and with `to`; never more than some thousands. */
  countTimes(schedule: SchedulePlan, from: Wall, to: Wall): number;
  due(program: ProgramName, at: Wall, missed: number): void;
  log(text: string): void;
}

interface Entry {
  readonly schedule: SchedulePlan;
  next: Wall | null;
}

/** The clock is looked at so often, also when nothing is due for days. */
export const LOOK_MS = 60_000;
/** By less than this a clock is put right all the time. */
const JUMP_MS = 5000;

export class Scheduler {
  readonly #parts: ScheduleParts;
  readonly #entries = new Map<ProgramName, Entry>();
  #lastLook: Moment;
  #timer: NodeJS.Timeout | undefined;

  /** When the daemon that has become this one looked last: what came since is not missed. */
  #since: Moment | null = null;

  /** `since`: that moment as a date; null: there was none. */
  constructor(parts: ScheduleParts, since: Wall | null = null) {
    this.#parts = parts;
    const now = parts.clock.now();
    this.#lastLook = now;
    if (since !== null && since <= now.wall)
      this.#since = { wall: since, mono: mono(now.mono - (now.wall - since)) };
  }

  /** These are the programs from now on. One whose schedule is as before keeps its next time. */
  follow(programs: readonly ProgramPlan[]): void {
    if (this.#entries.size > 0)
      this.#look(); // what is due by the old plan, and how the clock stands
    else this.#lastLook = this.#since ?? this.#parts.clock.now();
    this.#since = null;
    const before = new Map(this.#entries);
    this.#entries.clear();
    for (const { name, schedule } of programs) {
      if (schedule === null) continue;
      const entry = before.get(name);
      const isSame = entry !== undefined && keyOf(entry.schedule) === keyOf(schedule);
      const next = isSame ? entry.next : this.#parts.nextTime(schedule, this.#lastLook.wall);
      this.#entries.set(name, { schedule, next });
    }
    this.#arm();
  }

  nextOf = (program: ProgramName): Wall | null => this.#entries.get(program)?.next ?? null;

  close(): void {
    this.#entries.clear();
    this.#arm();
  }

  #arm(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#entries.size === 0) return;
    const { wall } = this.#parts.clock.now();
    let waitMs = LOOK_MS;
    for (const { next } of this.#entries.values()) {
      if (next !== null) waitMs = Math.min(waitMs, next - wall);
    }
    this.#timer = setTimeout(() => this.#wake(), Math.max(0, Math.ceil(waitMs)));
  }

  #wake(): void {
    this.#look();
    this.#arm();
  }

  #look(): void {
    const now = this.#parts.clock.now();
    const jumpedMs = now.wall - this.#lastLook.wall - (now.mono - this.#lastLook.mono);
    this.#lastLook = now;
    if (jumpedMs < -JUMP_MS) this.#beginAnew(now.wall, -jumpedMs);
    else if (jumpedMs > JUMP_MS) {
      this.#parts.log(
        `the clock has gone forward by ${formatDuration(jumpedMs)}: it was set, or the machine slept; what was due meanwhile is run once, now`,
      );
    }
    for (const [program, entry] of [...this.#entries]) this.#keep(program, entry, now.wall);
  }

  /** The times that have been are times to come again: the schedule follows the clock that people see. */
  #beginAnew(wall: Wall, backMs: number): void {
    this.#parts.log(
      `the clock was set back by ${formatDuration(backMs)}: schedules follow the new time, and what ran by the old one may run again`,
    );
    for (const entry of this.#entries.values()) entry.next = this.#parts.nextTime(entry.schedule, wall);
  }

  #keep(program: ProgramName, entry: Entry, wall: Wall): void {
    const { schedule, next: at } = entry;
    if (at === null || at > wall) return;
    const missed = this.#parts.countTimes(schedule, at, wall);
    entry.next = this.#parts.nextTime(schedule, wall);
    this.#parts.due(program, at, missed);
  }
}

/** What decides the times: overlap does not. */
const keyOf = ({ cron, timezone }: SchedulePlan): string => `${cron}\n${timezone ?? ''}`;
