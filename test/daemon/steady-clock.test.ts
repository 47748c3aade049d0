/** Deadlines that are written down stay where they are, whatever somebody does to the clock of the machine. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { after, dateOf, deadlineOf, mono, wall } from '../../src/base/clock.ts';
import { Journal } from '../../src/daemon/journal.ts';
import { steadyClock } from '../../src/daemon/steady-clock.ts';
import type { Clock } from '../../src/ports/clock.ts';

let folder: string;
let journal: Journal;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'steady-'));
  journal = new Journal(join(folder, 'journal'), () => {});
});
afterEach(() => {
  journal.close();
  rmSync(folder, { recursive: true, force: true });
});

/** One machine: its stopwatch, and its calendar, which is as far ahead of that as somebody has set it. */
const machine = { uptimeMs: 0, setTo: 0 };
beforeEach(() => Object.assign(machine, { uptimeMs: 5_000_000, setTo: 1_700_000_000_000 }));

/** The clock of a daemon that is born now. */
function daemonClock(boot: string | null = 'this'): { readonly plain: Clock; readonly steady: Clock } {
  const born = machine.uptimeMs;
  const plain: Clock = {
    now: () => ({ mono: mono(machine.uptimeMs - born), wall: wall(machine.setTo + machine.uptimeMs) }),
  };
  return { plain, steady: steadyClock(plain, journal, boot, () => machine.uptimeMs) };
}

const HOUR = 3_600_000;

it.each([
  ['back, while no daemon runs', -HOUR, 'between'],
  ['forward, while no daemon runs', HOUR, 'between'],
  ['back, while the daemon runs that writes it down', -HOUR, 'before'],
  ['forward, while the daemon runs that writes it down', HOUR, 'before'],
  ['not at all', 0, 'before'],
] as const)('the clock is set %s', (_, byMs, when) => {
  const first = daemonClock();
  machine.uptimeMs += 1000;
  if (when === 'before') machine.setTo += byMs;
  const now = first.steady.now();
  expect(now.mono).toBe(first.plain.now().mono);
  const date = dateOf(after(now.mono, 60_000), now);
  machine.uptimeMs += 10_000;
  if (when === 'between') machine.setTo += byMs;
  const second = daemonClock();
  machine.uptimeMs += 2000;
  const later = second.steady.now();
  expect(deadlineOf(date, later) - later.mono).toBeCloseTo(48_000, 3);
});

it('begins with the calendar as it is after a boot, and where nobody knows the boot it is the calendar', () => {
  daemonClock();
  machine.setTo += HOUR;
  const other = daemonClock('another');
  expect(other.steady.now().wall).toBeCloseTo(other.plain.now().wall, 0);
  const unknown = daemonClock(null);
  expect(unknown.steady).toBe(unknown.plain);
});
