/** What of a fleet is found again by the next daemon, whenever the last one was killed. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Moment, mono, wall } from '../../src/base/clock.ts';
import { instanceId, pid, programName, type Run, rolloutId, run } from '../../src/base/ids.ts';
import type { FleetEffect } from '../../src/core/fleet/effect.ts';
import type { FleetEvent } from '../../src/core/fleet/event.ts';
import { createFleet, type Fleet } from '../../src/core/fleet/fleet.ts';
import { stepFleet } from '../../src/core/fleet/step.ts';
import { lifeOf } from '../../src/core/instance/phase.ts';
import type { ProgramPlan } from '../../src/core/plan.ts';
import { recall } from '../../src/daemon/adopt.ts';
import { Journal } from '../../src/daemon/journal.ts';
import { MemoryKeeper, readMemory } from '../../src/daemon/memory.ts';
import type { Unrecorded } from '../../src/ports/processes.ts';
import { at, plan, program, worker } from '../core/rig.ts';

let folder: string;
let daemons: Daemon[];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'memory-'));
  daemons = [];
});
afterEach(() => {
  for (const { journal } of daemons) journal.close();
  rmSync(folder, { recursive: true, force: true });
});

interface Options {
  readonly programs?: readonly ProgramPlan[];
  /** What bears our mark although nobody has recorded it. */
  readonly found?: readonly Unrecorded[];
  readonly now?: Moment;
}

/** A daemon without hands and without a clock; the next one on the same folder knows what this one has flushed. */
class Daemon {
  readonly journal = new Journal(join(folder, 'journal'), () => {});
  readonly fleet: Fleet;
  readonly identities: Map<Run, string>;
  /** Called with each effect as it is performed. */
  performs: (effect: FleetEffect) => void = () => {};
  readonly #keeper: MemoryKeeper;
  readonly #now: Moment;

  constructor({ programs = [program()], found = [], now = at(0) }: Options = {}) {
    this.#now = now;
    daemons.push(this);
    const { memory, identities } = readMemory(this.journal, this.#now);
    this.identities = identities;
    const whole = plan(programs);
    this.fleet = createFleet(
      whole,
      recall(memory, identities, whole, { unrecorded: () => found }, this.#now),
    );
    const clock = { now: () => this.#now };
    this.#keeper = new MemoryKeeper(this.journal, this.fleet, clock, (run) => `identity of ${run}`);
  }

  take(event: FleetEvent): this {
    for (const effect of stepFleet(this.fleet, event, this.#now)) {
      if (effect.type === 'record') this.#keeper.keep(effect.what);
      this.performs(effect);
    }
    return this;
  }

  seat(index = 0) {
    const seat = this.fleet.instances.get(worker(index));
    if (seat === undefined) throw new Error(`no worker:${index}`);
    return seat;
  }

  run = (index = 0): Run => lifeOf(this.seat(index).phase)?.run ?? run(0);
  ids = () => [...this.fleet.instances.keys()];
  start = () => this.take({ type: 'start', ids: this.ids(), because: 'operator' });
  spawned = (index = 0) => this.take({ type: 'spawned', run: this.run(index), pid: pid(4711) });
  stop = () => this.take({ type: 'stop', ids: this.ids(), how: 'drain' });
  exited = (code = 0) => this.take({ type: 'exited', run: this.run(), exit: { kind: 'code', code } });
  empty = () => this.take({ type: 'tree', run: this.run(), left: 0 });

  /** The one after it, when this one has been killed after all of it was written. */
  next(options?: Options): Daemon {
    this.journal.flush();
    return new Daemon(options);
  }

  /** When it has been killed before anything since the last flush was written. */
  nextAtOnce(options?: Options): Daemon {
    return new Daemon(options);
  }
}

const marked = (number: number): Unrecorded => ({
  run: run(number),
  pid: pid(4000 + number),
  instance: 'worker:0',
  identity: `boot ${4000 + number}`,
});

describe('the next daemon', () => {
  it('knows nothing any more of a run that ended at once after it was adopted', () => {
    const second = new Daemon().start().spawned().exited(1).next();
    expect(second.seat().phase.kind).toBe('sweeping');
    second.empty().stop();
    const third = second.next();
    expect(third.seat()).toMatchObject({
      phase: { kind: 'stopped' },
      wish: { want: 'down', because: 'operator' },
    });
  });

  it('has been told of a run number before that number is given to anybody', () => {
    const first = new Daemon({ programs: [program({ instances: 3 })] });
    const begun: number[] = [];
    first.performs = (effect) => {
      if (effect.type !== 'spawn') return;
      begun.push(effect.life.run);
      const journal = new Journal(join(folder, 'journal'), () => {});
      expect(readMemory(journal, at(0)).memory.nextRun).toBeGreaterThan(Math.max(...begun));
      journal.close();
    };
    first.start();
    expect(begun).toHaveLength(3);
  });

  it('gives no number again that it has found on a process, whatever the records say', () => {
    const second = new Daemon({ found: [marked(5)] });
    expect(second.fleet.nextRun).toBe(6);
  });

  it('takes up the run that was begun last, not the recorded one before it', () => {
    const first = new Daemon().start().spawned();
    first.journal.flush();
    first.exited(1).empty();
    const second = first.nextAtOnce({ found: [marked(2)] });
    expect(second.seat()).toMatchObject({ phase: { kind: 'running', body: { pid: 4002 } }, lastRun: 2 });
    expect(second.identities.get(run(2))).toBe('boot 4002');
  });

  it('leaves a recorded run alone for one from before it', () => {
    const first = new Daemon().start().spawned().stop().exited(0).empty().start().spawned();
    expect(first.run()).toBe(2);
    const second = first.next({ found: [marked(1)] });
    expect(second.run()).toBe(2);
  });

  it('knows that what a rollout had left hanging was taken on by the operator', () => {
    const first = new Daemon({ programs: [program({ ready: { when: 'notify', timeoutMs: null } })] });
    first
      .start()
      .spawned()
      .take({ type: 'notified', run: first.run(), message: { ready: true } });
    first.take({ type: 'begin_rollout', program: first.seat().program, ids: first.ids(), maxParallel: 1 });
    expect(first.seat().phase).toMatchObject({ kind: 'draining', onTimeout: 'pause' });
    first.take({ type: 'steer_rollout', id: rolloutId(1), command: 'abort' });
    first.take({ type: 'restart', ids: first.ids(), programs: [] });
    expect(first.next().seat().phase).toMatchObject({ kind: 'draining', onTimeout: 'stop' });
  });

  it('gives a drain the time that it has left, not a fresh deadline, on a stopwatch of its own', () => {
    const first = new Daemon().start().spawned().stop();
    const later = { mono: mono(7), wall: wall(at(100).wall) };
    expect(first.next({ now: later }).seat().phase).toMatchObject({
      kind: 'draining',
      deadline: 207,
      ending: { since: { mono: -93, wall: at(0).wall } },
    });
  });

  it('gives the generation that its program has to a run that nobody had recorded', () => {
    const first = new Daemon().start().spawned();
    first.take({ type: 'begin_rollout', program: program(), ids: first.ids(), maxParallel: 1 });
    first.exited().empty().spawned().stop().exited().empty();
    const second = first.next({ found: [marked(9)] });
    expect(second.seat()).toMatchObject({ generation: 1, phase: { body: { life: { generation: 1 } } } });
  });

  it('keeps a stop of the operator’s although a shutdown came before it was over', () => {
    const first = new Daemon().start().spawned().stop();
    first.take({ type: 'shutdown', how: 'drain', timeoutMs: null }).exited();
    expect(first.next().seat()).toMatchObject({ phase: { kind: 'draining' }, wish: { because: 'operator' } });
  });

  it('does not take a shutdown that was cut off for a stop of the operator’s', () => {
    const first = new Daemon().start().spawned();
    first.take({ type: 'shutdown', how: 'drain', timeoutMs: null });
    expect(first.next().seat()).toMatchObject({ wish: { want: 'down', because: 'shutdown' } });
  });
});

describe('an instance that the config has no more', () => {
  const other = program({ name: programName('other') });

  it('is not remembered as stopped by the operator: it may come back', () => {
    const second = new Daemon()
      .start()
      .spawned()
      .next({ programs: [other] });
    second.take({
      type: 'stop',
      ids: [instanceId(programName('worker'), 0)],
      how: 'drain',
      because: 'reload',
    });
    second.exited().empty();
    expect(second.next().seat()).toMatchObject({ wish: { want: 'down', because: 'start' } });
  });
});

it.each([{}, { id: 'worker:0' }, { id: 7, run: {} }, [], 'x', 7])(
  'a record of another shape (%j) is passed over, and what is well recorded is known',
  (record) => {
    const journal = new Journal(join(folder, 'journal'), () => {});
    journal.put('run/worker:0', record);
    journal.put('stopped/worker:1', true);
    journal.close();
    const { memory } = readMemory(new Daemon().journal, at(0));
    expect([...memory.alive.keys()]).toEqual([]);
    expect([...memory.stopped]).toEqual(['worker:1']);
  },
);
