/** How often the event loop looks at what is ready, when many things are ready often. */
import { closeSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { type Libc, loadLibc } from '../../src/os/libc.ts';
import { createWatch, type Watch } from '../../src/os/watch.ts';
import { useLeakCheck } from '../rig/leaks.ts';

useLeakCheck();
const libc = loadLibc();
const AT_ONCE = 64;
const REST_MS = 50;

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** A turn of the loop is what the test says it is. */
function looking(real: Libc) {
  let turn = (): void => {};
  let isListening = true;
  const through: Libc = {
    ...real,
    whenReadable: (_, callback) => {
      turn = () => {
        if (isListening) callback();
      };
      return {
        rest: () => {
          isListening = false;
        },
        listen: () => {
          isListening = true;
        },
        close: () => {
          isListening = false;
        },
      };
    },
  };
  const watch = createWatch(
    through,
    () => {},
    () => {},
    () => REST_MS,
  );
  if (watch === null) throw new Error('no epoll');
  return { watch, turn: () => turn(), isListening: () => isListening };
}

/** Pipes in which there always is something, and how often each has been called. */
function ready(real: Libc, watch: Watch, count: number) {
  const calls: number[] = Array.from({ length: count }, () => 0);
  const pipes = calls.map((_, n) => {
    const pipe = real.makePipe();
    if ('errno' in pipe) throw new Error(`no pipe: ${pipe.errno}`);
    // Nobody can write any more: that can be heard for ever.
    closeSync(pipe.write);
    watch.add(pipe.read, () => {
      calls[n] = (calls[n] ?? 0) + 1;
    });
    return pipe.read;
  });
  const close = (): void => {
    watch.close();
    for (const pipe of pipes) closeSync(pipe);
  };
  return { calls, close };
}

describe.skipIf(libc === null)('what is always ready', () => {
  test('is looked at once, and then not for a while', () => {
    if (libc === null) return;
    const { watch, turn, isListening } = looking(libc);
    const { calls, close } = ready(libc, watch, 3);
    turn();
    turn();
    expect([calls, isListening()]).toEqual([[1, 1, 1], false]);
    vi.advanceTimersByTime(REST_MS);
    turn();
    expect([calls, isListening()]).toEqual([[2, 2, 2], false]);
    close();
  });

  test('all of it is looked at before that, in as many turns of the loop as it takes, and none of it twice', () => {
    if (libc === null) return;
    const { watch, turn, isListening } = looking(libc);
    const { calls, close } = ready(libc, watch, 2 * AT_ONCE);
    turn();
    expect(isListening()).toBe(true); // others come in between
    turn();
    expect([new Set(calls), isListening()]).toEqual([new Set([1]), false]);
    close();
  });

  test('is not listened to any more after the end', () => {
    if (libc === null) return;
    const { watch, turn, isListening } = looking(libc);
    const { close } = ready(libc, watch, 1);
    turn();
    close();
    vi.advanceTimersByTime(REST_MS);
    expect(isListening()).toBe(false);
  });
});
