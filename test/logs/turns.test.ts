/** Whoever has much to move leaves room for others, and for the daemon. */
import { beforeEach, expect, test, vi } from 'vitest';
import { Turns } from '../../src/logs/turns.ts';

let now = 0;
beforeEach(() => {
  now = 0;
  vi.spyOn(performance, 'now').mockImplementation(() => now);
});

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Each goes on for ever, and takes so long each time. */
function tireless(turns: Turns, names: readonly string[], ms: number) {
  const took: string[] = [];
  const acts = names.map((name) => {
    const act = (): void => {
      took.push(name);
      now += ms;
      turns.add(act);
    };
    turns.add(act);
    return act;
  });
  const stop = (): void => {
    for (const act of acts) turns.remove(act);
  };
  return { took, stop };
}

test('those who go on without end take turns', async () => {
  const turns = new Turns();
  const { took, stop } = tireless(turns, ['a', 'b', 'c'], 0.25);
  await nextTurn();
  await nextTurn();
  stop();
  expect(took.join('')).toBe('abcabcab');
});

test('however many they are, and however long each takes, the loop goes on after a millisecond or so', async () => {
  const turns = new Turns();
  const names = Array.from({ length: 500 }, (_, n) => String(n));
  const { took, stop } = tireless(turns, names, 0.75);
  await nextTurn();
  expect(took).toEqual(['0', '1']);
  await nextTurn();
  stop();
  expect(took).toEqual(['0', '1', '2', '3']);
});

test('who is gone has no turn any more', async () => {
  const turns = new Turns();
  const { took, stop } = tireless(turns, ['a', 'b'], 0.75);
  await nextTurn();
  stop();
  await nextTurn();
  await nextTurn();
  expect(took).toEqual(['a', 'b']);
});
