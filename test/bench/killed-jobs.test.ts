import { describe, expect, it } from 'vitest';
import { killedJobs, type Setting } from './killed-jobs.ts';

const ROUNDS = 200;
const DEFAULTS: Setting = {
  onTimeout: 'pause',
  hold: 0,
  maxParallel: 1,
  surge: 0,
  order: 'idle_first',
  busy: 8,
  retry: 'at_once',
};

function total(setting: Partial<Setting>): { readonly killed: number; readonly share: number } {
  let killed = 0;
  let twice = 0;
  for (let seed = 1; seed <= ROUNDS; seed++) {
    const round = killedJobs(seed, { ...DEFAULTS, ...setting });
    killed += round.killed;
    twice += round.twice;
  }
  return { killed, share: killed === 0 ? 0 : twice / killed };
}

describe('a job longer than the whole rolling restart', () => {
  it.each([
    { onTimeout: 'pause' },
    { onTimeout: 'pause', maxParallel: 2 },
    { onTimeout: 'pause', surge: 1 },
    { onTimeout: 'skip' },
    { onTimeout: 'skip', maxParallel: 2, surge: 2 },
  ] as const)('is never killed with %j', (setting) => {
    expect(total(setting).killed).toBe(0);
  });

  it.each([
    { maxParallel: 1 },
    { maxParallel: 2 },
    { surge: 1 },
    { surge: 1, retry: 'newest' },
    { busy: 4, order: 'index' },
  ] as const)(
    'is killed but never twice when kills are wanted and held for as long as a job: %j',
    (setting) => {
      const { killed, share } = total({ onTimeout: 'kill', hold: 1, ...setting });
      expect(killed).toBeGreaterThan(ROUNDS);
      expect(share).toBe(0);
    },
  );

  it('is killed twice as often as reckoned where nothing is held: half of the time at once, 3.5 in 8 later', () => {
    const { share: atOnce } = total({ onTimeout: 'kill' });
    const { share: later } = total({ onTimeout: 'kill', retry: 'later' });
    expect(atOnce).toBeCloseTo(3.5 / 7, 1);
    expect(later).toBeCloseTo(3.5 / 8, 1);
  });

  it('is seldom killed twice by a queue that prefers the newest generation, or when the idle come first', () => {
    const { share: newest } = total({ onTimeout: 'kill', retry: 'newest' });
    const { share: idleFirst } = total({ onTimeout: 'kill', busy: 4 });
    expect(newest).toBeCloseTo(1 / 8, 1);
    expect(idleFirst).toBeCloseTo(1.5 / 7, 1);
  });
});
