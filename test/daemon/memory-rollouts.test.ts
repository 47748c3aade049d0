/** What of rollouts, of plans that were kept, and of wishes is found again by the next daemon, whenever the last one was killed. */
import { appendFileSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { mono, wall } from '../../src/base/clock.ts';
import { pid, programName, revision, rolloutId, run } from '../../src/base/ids.ts';
import type { FleetEffect } from '../../src/core/fleet/effect.ts';
import { lifeOf } from '../../src/core/instance/phase.ts';
import type { Unrecorded } from '../../src/ports/processes.ts';
import { at, BEGIN, program, worker } from '../core/rig.ts';
import { askFile, Heir, journalFile, useHeirs } from './heir.ts';

useHeirs();

const NOTIFY = { when: 'notify', timeoutMs: null } as const;
const OLD = program({ instances: 3, ready: NOTIFY });
const NEW = { ...OLD, command: ['new'], revision: revision('two') };
/** As it is written of `halfway`, in short. */
const WHOLE = { id: 1, program: 'worker', plan: 'two', count: 3, state: 'running', canary: { kind: 'none' } };
const LATER = { mono: mono(7), wall: wall(at(100).wall) };

const ready = (heir: Heir, index = 0): Heir =>
  heir.take({ type: 'notified', run: heir.run(index), message: { ready: true } });

/** All three work with the old plan. */
function working(programs = [OLD]): Heir {
  const heir = new Heir({ programs }).start();
  for (const index of [0, 1, 2]) ready(heir.spawned(index), index);
  return heir;
}

/** A rollout of them to the new plan; the first is drained and replaced. */
function halfway(): Heir {
  const heir = rolling();
  return heir.exited(0).empty(0).spawned(0);
}

const rolling = (): Heir => {
  const heir = working();
  return heir.follow([NEW]).take({ ...BEGIN, program: NEW, ids: heir.ids(), maxParallel: 1 });
};

const rolloutOf = (heir: Heir, id = 1) => heir.fleet.rollouts.get(rolloutId(id));
const steps = (heir: Heir) => rolloutOf(heir)?.turns.map(({ step }) => step.kind);
const linesOf = (prefix: string): string[] =>
  readFileSync(journalFile(), 'utf8')
    .split('\n')
    .filter((line) => line.startsWith(`"${prefix}`));

describe('a rollout whose daemon was killed', () => {
  it('goes on with all that it was, its deadlines on the stopwatch of the next daemon', () => {
    const first = ready(halfway());
    const before = rolloutOf(first);
    expect(steps(first)).toEqual(['settling', 'pending', 'pending']);
    const second = first.next({ programs: [NEW], now: LATER });
    const moment = { mono: -93, wall: at(0).wall };
    expect(rolloutOf(second)).toEqual({
      ...before,
      startedAt: moment,
      turns: [
        {
          ...before?.turns[0],
          step: { ...before?.turns[0]?.step, since: moment, began: moment, healthyAt: 407, deadline: 1907 },
        },
        before?.turns[1],
        before?.turns[2],
      ],
    });
    second.goOn();
    expect(steps(second)).toEqual(['settling', 'pending', 'pending']);
    second.at(408).take({ type: 'due', timer: { of: 'rollout', id: rolloutId(1) } });
    expect(steps(second), 'after the rest of its time').toEqual(['done', 'draining', 'pending']);
  });

  it('brings up again who was about to be started, with what its turn says', () => {
    const first = rolling().exited(0).empty(0);
    expect(first.seat(0).phase.kind).toBe('spawning');
    const second = first.next({ programs: [NEW] }).goOn();
    expect(second.seat(0)).toMatchObject({
      wish: { want: 'up' },
      phase: { kind: 'spawning', life: { program: { revision: 'two' }, generation: 1 } },
    });
    expect(second.seat(1).program.revision, 'whose turn has not come has what it had').toBe('one');
  });

  it('leaves whose turn has not come as it is, also in what takes effect at once', () => {
    const target = { ...NEW, maxAgeMs: 1000, dependsOn: {} };
    const first = working([{ ...OLD, maxAgeMs: null }]).follow([target]);
    first.take({ ...BEGIN, program: target, ids: first.ids(), maxParallel: 1 });
    const before = first.seat(1);
    const second = first.next({ programs: [target] }).goOn();
    expect(second.seat(1).program).toEqual(before.program);
    expect(lifeOf(second.seat(1).phase)?.program).toEqual(before.program);
  });

  it('leaves it what a reload has given it meanwhile', () => {
    const target = { ...NEW, maxAgeMs: 1000 };
    const first = working().follow([target]);
    first.take({ type: 'reload', programs: [target], shutdownTimeoutMs: null });
    first.take({ ...BEGIN, program: target, ids: first.ids(), maxParallel: 1 });
    const given = { revision: 'one', maxAgeMs: 1000 };
    expect(lifeOf(first.seat(1).phase)?.program).toMatchObject(given);
    const second = first.next({ programs: [{ ...target, maxAgeMs: 7 }] }).goOn();
    expect(lifeOf(second.seat(1).phase)?.program).toMatchObject(given);
    expect(second.seat(1).program).toMatchObject(given);
  });

  it('goes back for each that is to be taken back, which is what it was until then', () => {
    const first = ready(halfway())
      .at(500)
      .take({ type: 'due', timer: { of: 'rollout', id: rolloutId(1) } });
    ready(first.exited(0, 1).empty(1).spawned(1), 1);
    first.take({ type: 'steer_rollout', id: rolloutId(1), command: 'revert' });
    expect(steps(first)).toEqual(['draining', 'pending', 'skipped']);
    const before = first.seat(1);
    expect(before).toMatchObject({ program: { revision: 'two' }, generation: 1 });
    const second = first.next({ programs: [NEW] }).goOn();
    expect(second.seat(1)).toMatchObject({ program: before.program, generation: 1 });
    expect(lifeOf(second.seat(1).phase)?.program).toEqual(before.program);
    expect(second.seat(0).program.revision, 'what its turn brings').toBe('one');
  });

  it('that is paused stays paused', () => {
    const first = halfway().take({ type: 'steer_rollout', id: rolloutId(1), command: 'pause' });
    const second = first.next({ programs: [NEW] }).goOn();
    expect(rolloutOf(second)).toMatchObject({ state: 'paused', reason: 'paused by the operator' });
  });

  it('that is held after its canary is held as long as it was to be', () => {
    const rollout = { canaryHoldMs: 1000, minHealthyTimeMs: 0 };
    const target = { ...NEW, rollout: { ...NEW.rollout, ...rollout } };
    const first = working();
    first.take({ ...BEGIN, program: target, ids: first.ids(), maxParallel: 1, canary: 1 });
    ready(first.exited(0).empty(0).spawned(0));
    expect(rolloutOf(first)?.canary).toMatchObject({ kind: 'held', until: 1000 });
    const second = first.next({ programs: [target], now: LATER });
    expect(rolloutOf(second)?.canary).toMatchObject({ kind: 'held', until: 907, since: { mono: -93 } });
  });

  it('is rolled to what it was begun with, although the file says another by now; the file is for the next request', () => {
    const third = { ...OLD, command: ['third'], revision: revision('three') };
    const second = halfway().next({ programs: [third] });
    expect(rolloutOf(second)?.target.revision).toBe('two');
    expect(second.plan.programs[0]?.revision).toBe('two');
  });

  it('is one of the history once it is over, and leaves nothing else in the journal', () => {
    const first = halfway().take({ type: 'steer_rollout', id: rolloutId(1), command: 'abort' });
    const second = first.next({ programs: [OLD] });
    expect(second.fleet.rollouts.size).toBe(0);
    expect([...second.journal.under('rolling/'), ...second.journal.under('turn/')]).toEqual([]);
    expect(second.history.all(second.fleet, at(0))).toMatchObject([{ id: 1, state: 'aborted' }]);
  });

  it('is given up when the config has its program no more, and nothing of it stays in the journal', () => {
    const second = halfway().next({ programs: [{ ...OLD, name: programName('other') }] });
    expect(second.fleet.rollouts.size).toBe(0);
    expect(second.warnings).toEqual([]);
    expect([...second.journal.under('rolling/'), ...second.journal.under('turn/')]).toEqual([]);
    expect(second.history.all(second.fleet, at(0))).toMatchObject([{ id: 1, state: 'aborted' }]);
  });

  it('costs a line for the whole and one for each turn that has moved, and none for the others', () => {
    const first = halfway();
    const before = linesOf('turn/').length;
    ready(first);
    first.journal.flush();
    expect(linesOf('turn/').slice(before)).toEqual([expect.stringContaining('"settling"')]);
    expect(linesOf('turn/')[0], 'and a turn names its plans').not.toContain('command');
  });
});

describe('what cannot be read of a rollout', () => {
  it('is passed over and said, and the history tells that it was cut off', () => {
    const first = halfway();
    first.journal.put('turn/1/1', { step: 'nonsense' });
    const second = first.next({ programs: [NEW] });
    expect(second.fleet.rollouts.size).toBe(0);
    expect(second.warnings.join()).toContain('rollout 1');
    expect(second.history.all(second.fleet, at(0))).toMatchObject([{ state: 'aborted' }]);
    expect(second.next().warnings, 'once').toEqual([]);
  });

  it.each([
    ['a turn that is missing', 'turn/1/2', null],
    ['a plan that is missing', 'plan/worker/two', null],
    [
      'a state that there is not',
      'rolling/1',
      { id: 1, program: 'worker', plan: 'two', count: 3, state: 'x' },
    ],
    ['a number in its place', 'rolling/1', 7],
    ['one that another version has written', 'rolling/1', { ...WHOLE, format: 0 }],
  ])('be it %s', (_, key, value) => {
    const first = halfway();
    first.journal.put(key, value);
    const second = first.next({ programs: [NEW] });
    expect(second.fleet.rollouts.size).toBe(0);
    expect(second.warnings).toHaveLength(2);
    expect(second.warnings.join()).toMatch(/rolling\/1.*kept as journal\.corrupt-/);
    second.goOn();
  });

  it('since the last line was torn, is what was written before it', () => {
    const first = halfway();
    first.journal.flush();
    appendFileSync(journalFile(), '"rolling/1"\t{"id":1,"pro');
    const second = new Heir({ programs: [NEW] });
    expect(steps(second)).toEqual(['starting', 'pending', 'pending']);
  });

  it('since an earlier version has written the journal, is nothing', () => {
    const first = working();
    first.journal.flush();
    const lines = readFileSync(journalFile(), 'utf8').split('\n');
    const kept = lines.filter((line) => !/^"(wanted|revisions|kept|rolling|turn)\//.test(line));
    const older = kept.map((line) =>
      line.replace(/"plan":"one",/, '').replace(/"signalled":(true|false),/, ''),
    );
    writeFileSync(
      journalFile(),
      `${older.join('\n')}"rollout/3"\t{"id":3,"program":"worker","state":"running","turns":[{"instance":"worker:0","step":"pending"}]}\n`,
    );
    const second = new Heir({ programs: [OLD] });
    expect(second.seat(0).phase.kind).toBe('running');
    expect(second.warnings).toEqual([]);
    expect(second.history.all(second.fleet, at(0))).toMatchObject([
      { id: 3, state: 'aborted', cause: { by: null }, turns: [{ extra: false }] },
    ]);
  });
});

describe('nothing is done that the next daemon does not know of', () => {
  /** Killed just as this effect was to be performed; before it, or after it. */
  function killedAt(heir: Heir, type: FleetEffect['type']): { heir: Heir | null } {
    const found: { heir: Heir | null } = { heir: null };
    heir.performs = (effect) => {
      if (effect.type === type) found.heir ??= heir.nextAtOnce({ programs: [OLD], now: LATER });
    };
    return found;
  }

  it('one that was about to be asked to drain may have been: it drains, and is not asked again', () => {
    const first = working();
    const found = killedAt(first, 'signal');
    first.take({ type: 'stop', ids: [worker(0)], how: 'drain' });
    const second = found.heir;
    expect(second?.seat(0)).toMatchObject({
      wish: { want: 'down' },
      phase: { kind: 'draining', asked: 'perhaps', deadline: 207 },
    });
  });

  it.each([
    ['that it drains', { stopping: true }, true],
    ['what it is doing', { status: 'three of nine' }, 'perhaps'],
  ] as const)('one that may have been says %s', (_, message, asked) => {
    const first = working();
    const found = killedAt(first, 'signal');
    first.take({ type: 'stop', ids: [worker(0)], how: 'drain' });
    const second = found.heir?.take({ type: 'notified', run: first.run(), message });
    expect(second?.seat(0).phase).toMatchObject({ kind: 'draining', asked });
    expect(second?.next().seat(0).phase, 'and the next one knows').toMatchObject({ asked });
  });

  describe('of several that are asked in one step', () => {
    const ids = [worker(0), worker(1), worker(2)];
    /** Killed when so many signals had been sent, and was about to send the next: the highest goes first. */
    function killedAfter(
      sent: number,
      then: (second: Heir) => Heir = (second) => second.next({ programs: [OLD], now: LATER }),
    ): readonly [second: Heir, third: Heir] {
      const first = working();
      let signals = 0;
      const heirs: Heir[] = [];
      first.performs = ({ type }) => {
        if (type !== 'signal' || signals++ !== sent) return;
        const second = first.nextAtOnce({ programs: [OLD], now: LATER });
        heirs.push(second, then(second));
      };
      first.take({ type: 'stop', ids, how: 'drain' });
      const [second, third] = heirs;
      if (second === undefined || third === undefined) throw new Error(`no signal after ${sent}`);
      return [second, third];
    }
    const asked = (heir: Heir) =>
      ids.map((_, index) => {
        const { phase } = heir.seat(index);
        if (phase.kind !== 'draining') return phase.kind;
        return phase.asked === 'perhaps' && phase.deadline === LATER.mono ? 'owed' : phase.asked;
      });

    it.each([
      [0, ['owed', 'owed', 'perhaps']],
      [1, ['owed', 'perhaps', true]],
      [2, ['perhaps', true, true]],
    ] as const)('after %i it is known of all but one', (sent, expected) => {
      const [second, third] = killedAfter(sent);
      expect(asked(second)).toEqual(expected);
      expect(asked(third), 'in the one after that, too').toEqual(expected);
    });

    it('whoever has not been is asked as soon as the next daemon is there, and has all its time', () => {
      const signals: unknown[] = [];
      const [second, third] = killedAfter(1, (heir) => {
        heir.performs = (effect) => {
          if (effect.type === 'signal') signals.push([effect.instance.id, effect.signal]);
        };
        return heir.goOn().next({ programs: [OLD], now: LATER });
      });
      expect(signals).toEqual([[worker(0), OLD.drain.signal]]);
      expect(asked(second)).toEqual([true, 'perhaps', true]);
      expect(second.seat(0).phase).toMatchObject({ deadline: LATER.mono + (OLD.drain.timeoutMs ?? 0) });
      expect(asked(third), 'which the one after that knows').toEqual([true, 'perhaps', true]);
    });

    it('the doubts of one daemon are not taken for those of the next', () => {
      const [, third] = killedAfter(1, (second) => {
        const found: { heir: Heir | null } = { heir: null };
        second.performs = ({ type }) => {
          if (type === 'signal') found.heir ??= second.nextAtOnce({ programs: [OLD], now: LATER });
        };
        second.goOn();
        return found.heir ?? second;
      });
      expect(asked(third)).toEqual(['perhaps', 'perhaps', true]);
    });

    it('nothing is known where there is no list any more, and nobody is asked twice for that', () => {
      const [, third] = killedAfter(1, (second) => {
        rmSync(askFile());
        return second.nextAtOnce({ programs: [OLD], now: LATER });
      });
      expect(asked(third)).toEqual(['perhaps', 'perhaps', 'perhaps']);
    });

    it('a step that was over leaves nothing in doubt', () => {
      const first = working().take({ type: 'stop', ids, how: 'drain' });
      expect(asked(first.next())).toEqual([true, true, true]);
    });
  });

  it('one that was asked has been, once its step is over', () => {
    const first = working().take({ type: 'stop', ids: [worker(0)], how: 'drain' });
    expect(first.next().seat(0).phase).toMatchObject({ kind: 'draining', asked: true });
  });

  it('what is not sure stays so in the one after that', () => {
    const first = working();
    const found = killedAt(first, 'signal');
    first.take({ type: 'stop', ids: [worker(0)], how: 'drain' });
    const second = found.heir;
    second?.take({ type: 'notified', run: first.run(), message: { status: 'busy' } });
    expect(second?.next().seat(0).phase).toMatchObject({ kind: 'draining', asked: 'perhaps' });
  });

  it('a turn that was about to begin has begun', () => {
    const first = working();
    const found = killedAt(first, 'signal');
    first.take({ ...BEGIN, program: NEW, ids: first.ids(), maxParallel: 1 });
    expect(found.heir && steps(found.heir)).toEqual(['draining', 'pending', 'pending']);
  });
});

describe('a run that nobody has recorded', () => {
  const found: Unrecorded = {
    run: run(9),
    pid: pid(4009),
    instance: 'worker:0',
    identity: 'boot 4009',
    ageMs: 0,
    revision: 'two',
    generation: 1,
  };

  it('has the plan and the generation that its mark names, where the journal knows that plan', () => {
    const first = rolling().exited(0).empty(0);
    const second = first.next({ programs: [OLD], found: [found] });
    expect(second.seat(0).phase).toMatchObject({
      kind: 'running',
      body: { life: { run: 9, generation: 1, program: { command: ['new'] } } },
    });
  });

  it('is what the last daemon was about to begin: it starts, and has not said yet that it is ready', () => {
    const first = rolling().exited(0).empty(0);
    expect(first.seat(0).phase.kind).toBe('spawning');
    const mark = { ...found, run: first.run(0) };
    const second = first.next({ programs: [OLD], found: [mark] });
    expect(second.begun).toEqual([{ run: mark.run, pid: mark.pid }]);
    second.goOn();
    expect(second.seat(0)).toMatchObject({
      generation: 1,
      phase: {
        kind: 'starting',
        body: { pid: 4009, life: { because: 'rollout 1', program: { revision: 'two' } } },
      },
    });
    expect(steps(second)).toEqual(['starting', 'pending', 'pending']);
  });

  it('ends as soon as it is found, where that was wished for while it was being begun', () => {
    const first = new Heir({ programs: [OLD] });
    first.start().stop();
    const second = first.next({ programs: [OLD], found: [{ ...found, run: first.run(0), revision: 'one' }] });
    second.goOn();
    expect(second.seat(0)).toMatchObject({ wish: { want: 'down' }, phase: { kind: 'draining' } });
  });

  it('is nobody where no process bears its number: it is begun anew', () => {
    const second = new Heir({ programs: [OLD] }).start().next({ programs: [OLD] });
    expect(second.begun).toEqual([]);
    expect(second.goOn().run(0)).toBeGreaterThan(1000);
  });

  it('keeps the plan that it is begun with on the shelf', () => {
    const first = rolling().exited(0).empty(0);
    const mark = { ...found, run: first.run(0) };
    const third = first.next({ programs: [OLD] }).next({ programs: [OLD], found: [mark] });
    expect(third.begun).toHaveLength(1);
  });

  it('has what the config says where it does not', () => {
    const second = working().next({ programs: [OLD], found: [{ ...found, revision: 'other' }] });
    expect(second.seat(0).phase).toMatchObject({
      body: { life: { generation: 0, program: { revision: 'one' } } },
    });
  });
});

describe('a plan that was gone back to', () => {
  const aborted = (): Heir => halfway().take({ type: 'steer_rollout', id: rolloutId(1), command: 'abort' });

  it('is kept as long as the file says what was taken back, with the file’s number of instances', () => {
    const second = aborted().next({ programs: [{ ...NEW, instances: 4, autostart: false }] });
    expect(second.plan.programs).toMatchObject([{ revision: 'one', instances: 4, autostart: false }]);
    expect(second.next({ programs: [NEW] }).plan.programs, 'and by the one after that').toMatchObject([
      { revision: 'one' },
    ]);
  });

  it('gives way to a file that says something else, for good', () => {
    const third = { ...OLD, command: ['third'], revision: revision('three') };
    const second = aborted().next({ programs: [third] });
    expect(second.plan.programs).toMatchObject([{ revision: 'three' }]);
    expect(second.next({ programs: [NEW] }).plan.programs).toMatchObject([{ revision: 'two' }]);
  });

  it('is not kept in the place of a file that said something else already while the rollout was under way', () => {
    const third = { ...OLD, command: ['third'], revision: revision('three') };
    const second = halfway().next({ programs: [third] });
    second.take({ type: 'steer_rollout', id: rolloutId(1), command: 'abort' });
    expect(second.next({ programs: [third] }).plan.programs).toMatchObject([{ revision: 'three' }]);
  });

  it('gives way once the file is taken at its word', () => {
    expect(
      aborted()
        .follow([NEW])
        .next({ programs: [NEW] }).plan.programs,
    ).toMatchObject([{ revision: 'two' }]);
  });

  it('is forgotten with its program', () => {
    const second = aborted().next({ programs: [] });
    expect(second.next({ programs: [NEW] }).plan.programs).toMatchObject([{ revision: 'two' }]);
  });
});

describe('the revisions of a program', () => {
  it('are known to the next daemon, and which was whole', () => {
    const second = halfway().next({ programs: [NEW] });
    expect(second.fleet.revisions.get(OLD.name)).toMatchObject([
      { plan: { revision: 'one', command: ['worker'] }, whole: true, at: at(0).wall },
      { plan: { revision: 'two', command: ['new'] }, whole: false },
    ]);
  });

  it('go from the journal with their plans, when there are newer ones', () => {
    const first = working();
    for (let n = 2; n < 20; n++) {
      const target = { ...OLD, command: [`build ${n}`], revision: revision(`r${n}`) };
      first.take({ ...BEGIN, program: target, ids: first.ids(), maxParallel: 1 });
      first.take({ type: 'steer_rollout', id: rolloutId(n - 1), command: 'abort' });
      for (const index of [0, 1, 2]) {
        if (first.seat(index).phase.kind === 'draining')
          ready(first.exited(0, index).empty(index).spawned(index), index);
      }
    }
    expect([...first.journal.under('plan/')].length).toBeLessThanOrEqual(13);
    const second = first.next({ programs: [OLD] });
    expect(second.fleet.revisions.get(OLD.name)).toHaveLength(10);
    expect(second.seat(0).phase.kind).toBe('running');
  });

  it('are all that keeps their plans in the journal', () => {
    const first = halfway();
    expect(linesOf('plan/worker/one')).not.toEqual([]);
    const second = first.next({ programs: [NEW] });
    second.journal.put('revisions/worker', null);
    second.journal.put('rolling/1', null);
    for (const index of [0, 1, 2]) {
      second.journal.put(`turn/1/${index}`, null);
      second.journal.put(`run/worker:${index}`, null);
    }
    const third = second.next({ programs: [] });
    expect([...third.journal.under('plan/')]).toEqual([]);
  });
});

describe('plans of one revision', () => {
  it('that differ in what takes effect at once are told apart', () => {
    const health = {
      check: { kind: 'tcp', host: 'x', port: '1' },
      intervalMs: 1,
      timeoutMs: 1,
      failures: 1,
      action: 'none',
    } as const;
    const first = working();
    first.take({ ...BEGIN, program: NEW, ids: [worker(0)], maxParallel: 1 });
    first.take({ type: 'reload', programs: [{ ...NEW, health }], shutdownTimeoutMs: null });
    expect(first.seat(2).phase, 'a run with the old command, and the new check').toMatchObject({
      body: { life: { program: { revision: 'one', health } } },
    });
    first.take({ type: 'notified', run: first.run(2), message: { watchdogMs: 300 } });
    const second = first.next({ programs: [OLD] });
    const [past] = second.fleet.revisions.get(OLD.name) ?? [];
    expect(past?.plan).toMatchObject({ revision: 'one', health: null });
    const plans = [...second.journal.under('plan/worker/one')].map(([, plan]) => plan);
    expect(plans).toMatchObject([{ health: null }, { health }]);
  });
});

describe('what was wanted when the daemon died', () => {
  it.each([
    ['was about to be tried again', (heir: Heir) => heir.exited(1).empty(), 'spawning'],
    [
      'was stopped by the operator',
      (heir: Heir) =>
        heir
          .take({ type: 'stop', ids: [worker(0)], how: 'drain' })
          .exited()
          .empty(),
      'stopped',
    ],
    ['works', (heir: Heir) => heir, 'running'],
  ] as const)('and %s', (_, lead, phase) => {
    const first = lead(working([{ ...OLD, autostart: false }]));
    const second = first.next({ programs: [{ ...OLD, autostart: false }] }).goOn();
    expect(second.seat(0).phase.kind).toBe(phase);
  });

  it('is not wanted any more after a shutdown', () => {
    const first = working();
    first.exited(1).empty().take({ type: 'shutdown', how: 'drain', timeoutMs: null });
    expect(
      first
        .next({ programs: [OLD] })
        .goOn()
        .seat(0),
    ).toMatchObject({ wish: { want: 'down' } });
  });
});
