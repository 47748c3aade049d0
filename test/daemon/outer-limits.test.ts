/** What is said about a systemd that would do something else at an end than the config says. */
import { beforeEach, expect, it } from 'vitest';
import { OuterLimits } from '../../src/daemon/outer-limits.ts';
import type { OwnUnit } from '../../src/ports/own-unit.ts';
import { program } from '../core/rig.ts';

const unit = (change: Partial<OwnUnit> = {}): OwnUnit => ({
  name: 'orders.service',
  stopMs: 90_000,
  killMode: 'process',
  ...change,
});
const plan = (drainMs: number | null) => ({
  programs: [program({ drain: { timeoutMs: drainMs }, stop: { timeoutMs: 5000 } })],
  shutdownTimeoutMs: null,
});
let log: string[] = [];
const limits = (drainMs: number | null, asksForTime = false) =>
  new OuterLimits(plan(drainMs), asksForTime, (text) => void log.push(text));
beforeEach(() => {
  log = [];
});

const SHORT =
  'systemd gives orders.service 1m30s to stop (TimeoutStopSec), and the end of everything may take 5m10s (worker)';

it('nothing where systemd waits long enough, or is not there', () => {
  const one = limits(60_000);
  one.know(unit());
  const other = limits(null);
  other.know(unit({ stopMs: null }));
  other.know(null);
  expect([one.warnings, other.warnings, log]).toEqual([[], [], []]);
});

it('that jobs would be cut, with what helps, in the log once and in the status as long as it is so', () => {
  const one = limits(300_000);
  expect(one.warnings).toEqual([]);
  one.know(unit());
  expect(one.warnings).toEqual([
    `${SHORT}: it would cut jobs; orders.service may be written anew by "tsup-visor export systemd"`,
  ]);
  one.follow(plan(300_000));
  expect(log).toEqual(one.warnings);
  one.follow(plan(1000));
  expect(one.warnings).toEqual([]);
  one.follow(plan(null));
  expect(one.warnings).toEqual([expect.stringContaining('the end of everything may take any time (worker)')]);
});

it('in the log alone where the daemon asks for more time, which systemd gives', () => {
  const one = limits(300_000, true);
  one.know(unit());
  expect(one.warnings).toEqual([]);
  expect(log).toEqual([`${SHORT}; the daemon asks for more as long as it takes`]);
});

it.each([
  ['control-group', /signals each process of every instance/],
  ['mixed', /when the daemon dies, systemd kills all instances/],
])('that KillMode=%s touches the instances', (killMode, words) => {
  const one = limits(1000, true);
  one.know(unit({ killMode }));
  expect(one.warnings).toEqual([expect.stringMatching(words)]);
  expect(log).toEqual(one.warnings);
});
