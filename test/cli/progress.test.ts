/** How far a rollout is, told by its events alone. */
import { describe, expect, test } from 'vitest';
import { isNews } from '../../src/cli/event-news.ts';
import { Progress } from '../../src/cli/progress.ts';
import type { Happening, WireEvent } from '../../src/protocol/events.ts';
import { rollout, turn } from './samples.ts';

const event = (happening: Happening): WireEvent => ({
  version: 1,
  seq: 1,
  at: '',
  mono_ms: 1,
  message: '',
  ...happening,
});
const runs = (more: Partial<Extract<Happening, { type: 'rollout' }>> = {}): WireEvent =>
  event({ type: 'rollout', rollout: 7, program: 'worker', state: 'running', reason: null, ...more });
const done = (instance: string, more: { readonly back?: true } = {}): WireEvent =>
  event({ type: 'turn', rollout: 7, instance, step: 'done', ...more });

const turns = [
  turn('worker:3', 'serving', { extra: true }),
  turn('worker:0', 'done'),
  turn('worker:1'),
  turn('worker:2'),
];

describe('the count behind a turn', () => {
  test('goes on from what was done before, and leaves extra instances out', () => {
    const progress = new Progress([rollout({ turns })]);
    const counts = ['worker:1', 'worker:3', 'worker:2'].map((each) => progress.count(done(each)));
    expect(counts).toEqual([' (2 of 3)', '', ' (3 of 3)']);
  });

  test('stays what it was where a turn is told again', () => {
    const progress = new Progress([rollout({ turns })]);
    expect([done('worker:1'), done('worker:1')].map((each) => progress.count(each))).toEqual([
      ' (2 of 3)',
      ' (2 of 3)',
    ]);
  });

  test('begins anew on the way back, with those that have to go back', () => {
    const progress = new Progress([rollout({ turns })]);
    progress.count(done('worker:1'));
    progress.isToldAlready(runs({ begins: 'revert', reason: 'worker:2 exited' }));
    const back = [turn('worker:0'), turn('worker:1'), turn('worker:2', 'skipped')];
    progress.look([rollout({ turns: back, reverting: 'worker:2 exited' })]);
    expect(progress.count(done('worker:1', { back: true }))).toBe(' (1 of 2)');
  });

  test('is none for what is no end of a turn, and for others', () => {
    const progress = new Progress([rollout({ id: 8, turns })]);
    expect([runs(), done('worker:1')].map((each) => progress.count(each))).toEqual(['', '']);
  });
});

describe('that a rollout runs', () => {
  test('is no news while it does, whatever it has waited for', () => {
    const progress = new Progress([rollout({ turns })]);
    const reason = 'waits for worker:2 to be ready';
    const told = [runs(), runs({ reason }), runs()].map((each) => progress.isToldAlready(each));
    expect(told).toEqual([true, false, true]);
  });

  test('is news after a pause', () => {
    const progress = new Progress([rollout({ turns })]);
    const told = [runs({ state: 'paused' }), runs(), runs()].map((each) => progress.isToldAlready(each));
    expect(told).toEqual([false, false, true]);
  });

  test('is news of one that has waited for another, whose first line has said so', () => {
    const reason = 'waits for rollout 6 of redis';
    const progress = new Progress([rollout({ after: 6, reason, turns: [turn('worker:0')] })]);
    const told = [runs({ reason }), runs({ reason: `${reason}, which is paused` }), runs(), runs()];
    expect(told.map((each) => progress.isToldAlready(each))).toEqual([true, false, false, true]);
  });

  test('is news when a hold begins or ends', () => {
    const progress = new Progress([rollout({ turns })]);
    const told = [runs({ begins: 'hold', reason: 'held' }), runs({ begins: 'rest' })];
    expect(told.map((each) => progress.isToldAlready(each))).toEqual([false, false]);
  });
});

test('an extra instance that goes is not said to be back', () => {
  const progress = new Progress([rollout({ turns })]);
  const told = [done('worker:3', { back: true }), done('worker:1', { back: true }), done('worker:3')];
  expect(told.map((each) => progress.isToldAlready(each))).toEqual([true, false, false]);
});

test('whose turns had not come when it ended is not told one by one', () => {
  const skipped = (why: string) =>
    isNews(event({ type: 'turn', rollout: 7, instance: 'worker:0', step: 'skipped', why }));
  expect(['the rollout was aborted', 'the rollout was reverted', 'it is stopped'].map(skipped)).toEqual([
    false,
    false,
    true,
  ]);
});

test('a turn that is done is worth a line, one that is begun is told by its drain', () => {
  expect(isNews(done('worker:0'))).toBe(true);
  expect(isNews(event({ type: 'turn', rollout: 7, instance: 'worker:0', step: 'draining' }))).toBe(false);
});
