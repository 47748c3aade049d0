/**
 * The calendar as it stood when the machine was started, carried on by its stopwatch. Deadlines are written down by it:
 * whoever sets the clock while no daemon runs, or while one does, moves none of them.
 */
import { wall } from '../base/clock.ts';
import type { Clock } from '../ports/clock.ts';
import type { Journal } from './journal.ts';
import { fieldsOf } from './plan-shelf.ts';

/** The stopwatch that all processes of this boot share. */
const sinceBoot = (): number => Number(process.hrtime.bigint() / 1000n) / 1000;

/** `boot`: names this start of the machine; where nobody knows, the calendar itself has to do. */
export function steadyClock(
  clock: Clock,
  journal: Journal,
  boot: string | null,
  uptimeMs: () => number = sinceBoot,
): Clock {
  if (boot === null) return clock;
  const born = clock.now();
  const aheadMs = uptimeMs() - born.mono;
  const zeroMs = zeroOf(journal, boot) ?? Math.round(born.wall - born.mono - aheadMs);
  journal.put('calendar', { boot, zero: zeroMs });
  return {
    now() {
      const { mono } = clock.now();
      return { mono, wall: wall(zeroMs + mono + aheadMs) };
    },
  };
}

/** When the stopwatch stood at zero, by the first daemon of this boot. */
function zeroOf(journal: Journal, boot: string): number | null {
  return journal.get('calendar', (value) => {
    const { boot: of, zero } = fieldsOf(value);
    return of === boot && typeof zero === 'number' ? zero : null;
  });
}
