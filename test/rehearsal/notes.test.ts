/** What is written down of what the daemon tells. */
import { describe, expect, it } from 'vitest';
import type { EventHead, Happening, WireEvent } from '../../src/protocol/events.ts';
import { Notes } from '../../src/rehearsal/notes.ts';

const about = { instance: 'worker:1', run: 1 } as const;
const event = (what: Happening, monoMs = 0): WireEvent => {
  const head: EventHead = { version: 1, seq: 1, at: '', mono_ms: monoMs, message: `it is ${what.type}` };
  return { ...head, ...what };
};
const signalled = (signal: string): WireEvent => event({ type: 'signalled', ...about, signal, to: 'leader' });

describe('notes', () => {
  it('tell the drain’s signal from those that follow, and from those before', () => {
    const notes = new Notes();
    notes.take(signalled('HUP'), 5, false);
    notes.take(signalled('TERM'), 10, true);
    notes.take(signalled('TERM'), 20, true);
    notes.take(signalled('KILL'), 30, true);
    notes.take(signalled('KILL'), 40, true);
    expect(notes).toMatchObject({ signalAt: 10, stopAt: 5, killedAt: 30 });
  });

  it('keep who it is, when it was ready, and how it ended', () => {
    const notes = new Notes();
    const exit = {
      code: 3,
      signal: null,
      at: '',
      because: 'shutdown',
      drained: false,
      killed: false,
      oom: false,
    };
    notes.take(event({ type: 'spawned', ...about, pid: 17, generation: 0 }), 0, false);
    notes.take(event({ type: 'ready', ...about }, 7), 9, false);
    notes.take(event({ type: 'exited', ...about, exit }, 50), 51, true);
    notes.take(event({ type: 'gone', ...about, drained: true, killed: false }, 52), 53, true);
    expect(notes).toMatchObject({ leader: 17, run: 1, readyAt: 7, goneAt: 52 });
    expect(notes.exit).toEqual({ at: 50, code: 3, signal: null, oom: false });
  });

  it.each<[string, Happening]>([
    ['spawn', { type: 'spawn_failed', ...about, stage: 'exec', error: '' }],
    ['hook', { type: 'hook_failed', ...about, hook: 'pre_start', error: '' }],
    ['watchdog', { type: 'watchdog', ...about, detail: '' }],
    ['health', { type: 'health', ...about, ok: false, detail: '' }],
  ])('keep a trouble with its %s in the words of the daemon', (kind, what) => {
    const notes = new Notes();
    notes.take(event(what), 0, false);
    expect(notes.troubles).toEqual([{ kind, detail: `it is ${what.type}` }]);
  });

  it('do not call it a trouble that it is healthy again', () => {
    const notes = new Notes();
    notes.take(event({ type: 'health', ...about, ok: true, detail: '' }), 0, false);
    expect(notes.troubles).toEqual([]);
  });

  it('wake who waits, at the next event or when the time is over', async () => {
    const notes = new Notes();
    const next = notes.next(60_000);
    notes.hear({ at: 0, inFlight: 1 });
    await next;
    await notes.next(1);
    expect(notes.reports).toEqual([{ at: 0, inFlight: 1 }]);
  });
});
