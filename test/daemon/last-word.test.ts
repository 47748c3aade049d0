/** What only a planned end leaves to the next daemon: once, and to that one alone. */
import { describe, expect, it } from 'vitest';
import { lifeOf } from '../../src/core/instance/phase.ts';
import { leaveLastWord, takeBackLastWord } from '../../src/daemon/last-word.ts';
import { at, program } from '../core/rig.ts';
import { Heir as Daemon, useHeirs } from './heir.ts';

useHeirs();

/** The next daemon, when this one has left it its last word; `ms`: how late it is by then. */
function heirOf(daemon: Daemon, ms = 0, programs = [program()]): Daemon {
  leaveLastWord(daemon.journal, daemon.fleet, at(ms));
  return daemon.next({ programs, now: at(ms) });
}

const words = (daemon: Daemon): unknown[] => [...daemon.journal.under('left/')];

describe('a run that works', () => {
  it('is known to the next daemon by what it has said of itself', () => {
    const first = new Daemon().start().spawned();
    first.take({ type: 'notified', run: first.run(), message: { inFlight: 3, status: 'busy' } });
    const { phase } = first.seat();
    expect(phase).toMatchObject({ body: { said: { inFlight: 3, status: 'busy' } } });
    const second = heirOf(first);
    expect(second.seat().phase).toMatchObject({ body: { said: { inFlight: 3, status: 'busy' } } });
    expect(words(second), 'it is believed once').toEqual([]);
    expect(second.next().seat().phase).toMatchObject({ body: { said: { inFlight: null, status: '' } } });
  });

  it('is not believed to have said what an earlier one had', () => {
    const first = new Daemon().start().spawned();
    first.take({ type: 'notified', run: first.run(), message: { inFlight: 3 } });
    leaveLastWord(first.journal, first.fleet, at(0));
    const text = JSON.stringify(first.journal.get('left/worker:0', (value) => value));
    first.journal.put('left/worker:0', JSON.parse(text.replace(`"run":${first.run()}`, '"run":999')));
    expect(first.next().seat().phase).toMatchObject({ body: { said: { inFlight: null } } });
  });

  it('has left nothing behind when the daemon goes on after all', () => {
    const first = new Daemon().start().spawned();
    leaveLastWord(first.journal, first.fleet, at(0));
    takeBackLastWord(first.journal);
    expect(words(first)).toEqual([]);
  });
});

describe('one that has no run', () => {
  const backingOff = (): Daemon => new Daemon().start().spawned().exited(1).empty();

  it('waits for what is left of its time, and counts on', () => {
    const first = backingOff();
    const { phase, failures, restarts, lastExit } = first.seat();
    if (phase.kind !== 'backoff') throw new Error(`it is ${phase.kind}`);
    const second = heirOf(first, 10);
    expect(second.seat()).toMatchObject({
      phase: { ...phase, until: phase.until },
      failures,
      restarts,
      lastExit,
    });
    const armed: unknown[] = [];
    second.performs = (effect) => void armed.push(effect);
    second.goOn();
    expect(armed).toEqual([{ type: 'arm', timer: { of: 'instance', id: 'worker:0' }, at: phase.until }]);
    expect(second.seat().phase.kind, 'nobody has started it meanwhile').toBe('backoff');
  });

  it('stays given up', () => {
    const once = [program({ backoff: { giveUpAfter: 1 } })];
    const first = new Daemon({ programs: once }).start().spawned().exited(1).empty();
    const { phase, lastExit } = first.seat();
    expect(phase.kind).toBe('failed');
    const second = heirOf(first, 0, once).goOn();
    expect(second.seat()).toMatchObject({ phase, lastExit });
  });

  it('still tells how it ended', () => {
    const first = new Daemon().start().spawned().stop().exited().empty();
    const { lastExit, lastRun } = first.seat();
    expect(lastExit).not.toBeNull();
    const second = heirOf(first).goOn();
    expect(second.seat()).toMatchObject({
      phase: { kind: 'stopped' },
      wish: { want: 'down' },
      lastExit,
      lastRun,
    });
  });

  it('is gone where the config has it no more', () => {
    const first = backingOff();
    expect(heirOf(first, 0, [program({ instances: 0 })]).ids()).toEqual([]);
  });

  it('is started as after any death where nothing was left', () => {
    const second = backingOff().next().goOn();
    expect(lifeOf(second.seat().phase)).not.toBeNull();
  });
});
