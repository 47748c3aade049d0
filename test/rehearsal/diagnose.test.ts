/** What was seen, and what the doctor says of it: one thing is wrong in each round, and that alone is named. */
import { constants } from 'node:os';
import { describe, expect, it } from 'vitest';
import { diagnose, isWell } from '../../src/rehearsal/diagnose.ts';
import type { Round } from '../../src/rehearsal/round.ts';
import { programOf } from '../config/config.ts';
import { child, found, ills, LEADER, round, twice, WORKER } from './rig.ts';

const { SIGINT, SIGTERM } = constants.signals;

describe('nothing is wrong with', () => {
  const GOOD: readonly (readonly [string, Round])[] = [
    ['one that drains', round()],
    [
      'one whose last job ends by chance in the moment of the signal',
      round({
        processes: [child({ pid: 198, firstAt: -1100, goneAt: -100 }), child({ firstAt: -900, goneAt: 100 })],
        reports: [
          { at: -900, inFlight: 1 },
          { at: 100, inFlight: 0 },
          { at: 101, drained: true },
        ],
        exit: { at: 102, code: 0, signal: null, oom: false },
        goneAt: 103,
      }),
    ],
    [
      'one that takes what was on its way when the signal came',
      round({
        reports: [
          { at: -900, inFlight: 1 },
          { at: 40, inFlight: 2 },
          { at: 1000, inFlight: 0 },
        ],
      }),
    ],
    [
      'one that says how many jobs it has only when it drains',
      round({
        reports: [
          { at: 300, inFlight: 1 },
          { at: 1000, inFlight: 0 },
        ],
      }),
    ],
    [
      'a job in its group that heeds neither Ctrl-C nor the signal',
      round({
        processes: [child({ group: LEADER, heeded: { ignored: [SIGINT, SIGTERM], caught: [] } })],
      }),
    ],
    [
      'the short sleeps of a loop in its group',
      round({
        processes: [child(), child({ pid: 300, group: LEADER, firstAt: -20, lastAt: 20, goneAt: 30 })],
      }),
    ],
    [
      'next steps of a job that is in flight',
      round({
        processes: [child({ goneAt: 500 }), child({ pid: 201, firstAt: 510, goneAt: 1000 })],
      }),
    ],
    [
      'an exit code that the config calls a success',
      round({
        program: programOf('success_exit_codes: [0, 3]\ndrain: { timeout: 5s }'),
        exit: { at: 1005, code: 3, signal: null, oom: false },
      }),
    ],
    [
      'a drain by its own word, ended by the stop signal that it then gets',
      round({
        program: programOf('drain: { timeout: 5s, done_when: notify }'),
        stopAt: 1004,
        exit: { at: 1010, code: null, signal: 'SIGTERM', oom: false },
      }),
    ],
    [
      'a drain without a limit',
      round({ drainTimeoutMs: null, program: programOf('drain: { timeout: none }') }),
    ],
  ];
  it.each(GOOD)('%s', (_, first) => {
    expect(ills(first, twice())).toEqual([]);
    expect(isWell(diagnose(first, { second: twice(), confirming: null, grouped: null }))).toBe(true);
  });
});

describe('what is wrong is named, and nothing else', () => {
  const SICK: readonly (readonly [string, readonly string[], RegExp, Round])[] = [
    [
      'a job that is ended by the signal',
      ['cut: fault'],
      /1 process ended within 8ms of TERM.*200 \(bash job\.sh 17\)/,
      round({
        processes: [child({ goneAt: 8, killedBy: SIGTERM })],
      }),
    ],
    [
      'two jobs that end in the moment of the signal, earlier than any other did',
      ['cut: fault'],
      /2 processes ended/,
      round({
        processes: [
          child({ pid: 199, firstAt: -5000, goneAt: -2000 }),
          child({ pid: 200, firstAt: -500, goneAt: 8 }),
          child({ pid: 201, firstAt: -500, goneAt: 9 }),
        ],
      }),
    ],
    [
      'no handler for the signal',
      ['exit: fault'],
      /was ended by SIGTERM 5ms after TERM: it has no handler/,
      round({
        exit: { at: 5, code: null, signal: 'SIGTERM', oom: false },
        processes: [],
      }),
    ],
    [
      'no handler for the signal, and nothing in flight',
      ['work: warning', 'exit: warning'],
      /it has no handler/,
      round({
        exit: { at: 5, code: null, signal: 'SIGTERM', oom: false },
        processes: [],
        reports: [{ at: -900, inFlight: 0 }],
      }),
    ],
    [
      'an exit with a job in flight',
      ['exit: fault'],
      /exited with code 0 5ms after TERM, with 1 job still in flight/,
      round({
        exit: { at: 5, code: 0, signal: null, oom: false },
        processes: [],
      }),
    ],
    [
      'an exit at once, without a word of the job that goes on',
      ['reports: warning', 'exit: fault', 'left: warning'],
      /while 200 \(bash job\.sh 17\) was still at work for it/,
      round({
        exit: { at: 5, code: 0, signal: null, oom: false },
        reports: [],
      }),
    ],
    [
      'an exit code that counts as a failure',
      ['exit: warning'],
      /exited with code 143 1s after TERM, which counts as a failure/,
      round({
        exit: { at: 1005, code: 143, signal: null, oom: false },
      }),
    ],
    [
      'a crash while it drains',
      ['exit: fault'],
      /was ended by SIGSEGV/,
      round({
        exit: { at: 1005, code: null, signal: 'SIGSEGV', oom: false },
      }),
    ],
    [
      'another job that is taken after the signal',
      ['quiet: fault'],
      /took another job 600ms after TERM: jobs in flight rose from 1 to 2/,
      round({
        reports: [
          { at: -900, inFlight: 1 },
          { at: 600, inFlight: 2 },
          { at: 1000, inFlight: 0 },
        ],
      }),
    ],
    [
      'processes begun after the signal by one that says nothing',
      ['quiet: warning', 'reports: warning'],
      /began 1 process after TERM: 201/,
      round({
        processes: [child({ goneAt: 400 }), child({ pid: 201, firstAt: 410, goneAt: 1000 })],
        reports: [],
      }),
    ],
    ['silence', ['reports: warning'], /reported neither X_INFLIGHT nor X_DRAINED/, round({ reports: [] })],
    [
      'idleness',
      ['work: warning'],
      /nothing was in flight when TERM was sent/,
      round({
        reports: [{ at: -900, inFlight: 0 }],
        processes: [],
      }),
    ],
    [
      'fewer jobs than were wanted',
      ['work: warning'],
      /only 1 job of 3 were in flight/,
      round({ wantedJobs: 3 }),
    ],
    [
      'a child in its process group',
      ['group: fault'],
      /has 200 \(bash job\.sh 17\) in its own process group: Ctrl-C/,
      round({
        processes: [child({ group: LEADER })],
      }),
    ],
    [
      'a child in its process group that ignores Ctrl-C alone',
      ['group: fault'],
      /would be the end of that/,
      round({
        processes: [child({ group: LEADER, heeded: { ignored: [SIGINT], caught: [] } })],
      }),
    ],
    [
      'a child that works on behind it',
      ['left: warning'],
      /left 1 process behind.*for another 995ms; tsup-visor waits/,
      round({
        exit: { at: 1005, code: 0, signal: null, oom: false },
        processes: [child({ goneAt: 2010, lastAt: 2000 })],
        goneAt: 2011,
      }),
    ],
    [
      'a child that never ends',
      ['drain: fault', 'left: fault', 'force: warning'],
      /had not drained after 5s.*its main process had ended/,
      round({
        processes: [child({ goneAt: 5010 })],
        overdueAt: 5000,
        stopAt: 5000,
        goneAt: 5011,
      }),
    ],
    [
      'a child that nobody waits for, since the config says so',
      ['left: fault'],
      /had to be ended/,
      round({
        program: programOf('drain: { timeout: 5s, wait_for: leader }'),
        processes: [child({ goneAt: 1100, lastAt: 1090 })],
        stopAt: 1006,
        goneAt: 1101,
      }),
    ],
    [
      'a drain that takes nearly all of its time',
      ['drain: warning'],
      /drained in 4\.9s of the 5s/,
      round({
        reports: [
          { at: -900, inFlight: 1 },
          { at: 4900, inFlight: 0 },
        ],
        processes: [child({ goneAt: 4900 })],
        exit: { at: 4901, code: 0, signal: null, oom: false },
        goneAt: 4902,
      }),
    ],
    [
      'a drain that takes too long',
      ['drain: fault', 'force: warning'],
      /had not drained after 5s.*its main process 100 was still there, it reported 1 job in flight, 200/,
      round({
        reports: [{ at: -900, inFlight: 1 }],
        processes: [child({ goneAt: 5020 })],
        overdueAt: 5000,
        stopAt: 5000,
        exit: { at: 5010, code: 0, signal: null, oom: false },
        goneAt: 5021,
      }),
    ],
    [
      'one that only SIGKILL ends',
      ['drain: fault', 'force: fault'],
      /had not drained/,
      round({
        overdueAt: 5000,
        stopAt: 5000,
        killedAt: 6000,
        exit: { at: 6001, code: null, signal: 'SIGKILL', oom: false },
        goneAt: 6002,
      }),
    ],
  ];
  it.each(SICK)('%s', (_, expected, words, first) => {
    expect(ills(first)).toEqual(expected);
    expect(diagnose(first).map(({ message }) => message)).toContainEqual(expect.stringMatching(words));
    expect(isWell(diagnose(first))).toBe(!expected.some((each) => each.endsWith('fault')));
  });

  it('each fault and each warning comes with a cure', () => {
    for (const [, , , first] of SICK) {
      for (const { level, cure, message } of diagnose(first)) {
        if (level === 'fault' || level === 'warning') expect(cure, message).toMatch(/\w/);
      }
    }
  });
});

describe('what never came to a signal', () => {
  const early = (more: Partial<Round>) =>
    round({ signalAt: null, readyAt: null, exit: null, processes: [], reports: [], ...more });
  const exit = { at: -1400, code: 1, signal: null, oom: false };

  it.each<[string, RegExp, Round]>([
    [
      'could not be started',
      /cannot start worker:1/,
      early({
        leader: null,
        troubles: [{ kind: 'spawn', detail: 'cannot start worker:1: no such program' }],
      }),
    ],
    ['ended before it was ready', /exited with code 1 after 100ms, before it was ready/, early({ exit })],
    [
      'was not ready in time',
      /was not ready in time: it did not say READY=1 within 30s/,
      early({
        stopAt: 0,
        exit: { ...exit, at: 5 },
      }),
    ],
    [
      'crashed before the signal',
      /exited with code 1 by itself 200ms after it was ready/,
      early({
        readyAt: -1200,
        exit: { ...exit, at: -1000 },
      }),
    ],
  ])('%s', (_, words, first) => {
    const findings = diagnose(first).filter(({ level }) => level !== 'ok');
    expect(findings).toHaveLength(1);
    expect(findings[0]).toMatchObject({ level: 'fault', message: expect.stringMatching(words) });
  });

  it('one that has finished by itself, as it should, is no fault', () => {
    const program = programOf('restart: never');
    const first = early({ program, readyAt: -1200, exit: { ...exit, code: 0 } });
    expect(ills(first)).toEqual(['work: warning']);
  });

  it('one that goes into the background is told to stay', () => {
    const [finding] = found('ready', early({ exit: { ...exit, code: 0 } }));
    expect(finding?.cure).toContain('stays in the foreground');
  });
});

describe('a second signal', () => {
  it('that changes nothing is well', () => {
    expect(found('again', round(), twice())).toMatchObject([
      { level: 'ok', message: 'a second TERM 50ms after the first changed nothing' },
    ]);
  });

  const HURT: readonly (readonly [string, RegExp, Round])[] = [
    [
      'makes it exit with a failure',
      /it exited with code 1, 4ms later/,
      twice({
        exit: { at: 54, code: 1, signal: null, oom: false },
        reports: [{ at: -1100, inFlight: 1 }],
      }),
    ],
    [
      'ends its jobs',
      /it ended 200 \(bash job/,
      twice({ processes: [child({ goneAt: 60, killedBy: SIGTERM })] }),
    ],
    [
      'makes it exit with jobs in flight',
      /with 1 job still in flight/,
      twice({
        exit: { at: 54, code: 0, signal: null, oom: false },
        processes: [],
        reports: [{ at: -1100, inFlight: 1 }],
      }),
    ],
    [
      'makes it leave its children',
      /exited while 200 \(bash job\.sh 17\) still worked/,
      twice({
        reports: [],
        exit: { at: 54, code: 0, signal: null, oom: false },
      }),
    ],
  ];
  it.each(HURT)('%s', (_, words, second) => {
    expect(found('again', round(), second)).toMatchObject([
      { level: 'fault', message: expect.stringMatching(words), cure: expect.stringContaining('250ms') },
    ]);
  });

  it('is not certain to hurt while a job has ended but once, and nobody saw of what', () => {
    const cut = twice({ processes: [child({ firstAt: -300, goneAt: 90 })] });
    expect(found('again', round(), cut)).toMatchObject([
      { level: 'warning', message: expect.stringContaining('may hurt: it ended 200') },
    ]);
    expect(found('again', round(), cut, null, cut)).toMatchObject([{ level: 'fault' }]);
    expect(found('again', round(), cut, null, twice())).toMatchObject([{ level: 'warning' }]);
  });

  it('that one signal was enough for is not said to hurt', () => {
    const exit = { at: 5, code: 1, signal: null, oom: false };
    const first = round({ exit, processes: [] });
    expect(found('again', first, twice({ exit: { ...exit, at: 54 }, processes: [] }))).toMatchObject([
      { level: 'ok' },
    ]);
  });

  it('that came to an idle instance, or to none, proves nothing', () => {
    const idle = twice({ reports: [{ at: -1100, inFlight: 0 }], processes: [] });
    expect(found('again', round(), idle)).toMatchObject([{ level: 'note' }]);
    expect(found('again', round(), round())).toMatchObject([{ level: 'note' }]);
  });
});

describe('an end in the moment of the signal', () => {
  const suspect = child({ firstAt: -300, goneAt: 80 });
  const first = round({ processes: [suspect] });

  it('is not certain while nobody knows how long such processes live', () => {
    expect(found('cut', first)).toMatchObject([{ level: 'warning' }]);
  });

  it('was a cut when others of its kind live longer, and it happens again', () => {
    const long = child({ pid: 300, firstAt: -3000, goneAt: -1000 });
    const again = twice({ processes: [long, child({ pid: 301, firstAt: -300, goneAt: 70 })] });
    expect(found('cut', first, again)).toMatchObject([{ level: 'fault' }]);
  });

  it('is doubtful when it does not happen again', () => {
    const long = child({ pid: 300, firstAt: -3000, goneAt: -1000 });
    expect(found('cut', first, twice({ processes: [long, child({ pid: 301 })] }))).toMatchObject([
      { level: 'warning', message: expect.stringContaining('not so in the second round') },
    ]);
  });

  it('was chance when others of its kind live no longer', () => {
    const short = child({ pid: 300, firstAt: -1000, goneAt: -640 });
    expect(found('cut', first, twice({ processes: [short] }))).toMatchObject([{ level: 'ok' }]);
  });

  it('is nobody’s job when it had said that it was idle', () => {
    const idle = round({ processes: [child({ goneAt: 5 })], reports: [{ at: -900, inFlight: 0 }] });
    expect(ills(idle)).toEqual(['work: warning']);
  });

  it('in a round that was for learning alone does not make a second signal', () => {
    expect(found('again', first, round({ isForLearning: true }))).toEqual([]);
  });
});

describe('a child in its process group that catches signals', () => {
  const caught = { ignored: [], caught: [SIGINT, SIGTERM] };
  const wilful = child({ group: LEADER, heeded: caught });
  const first = round({ processes: [wilful] });

  it('is doubtful while it was not tried', () => {
    expect(found('group', first)).toMatchObject([
      { level: 'warning', message: expect.stringContaining('was not tried') },
    ]);
  });

  it('is a fault when a signal to the group was its end', () => {
    const dead = child({ group: LEADER, heeded: caught, goneAt: 60, killedBy: SIGTERM });
    expect(found('group', first, null, twice({ processes: [dead] }))).toMatchObject([
      { level: 'fault', message: expect.stringContaining('a TERM to all of it was the end of that') },
    ]);
  });

  it('is well when it worked on', () => {
    expect(found('group', first, null, twice({ processes: [wilful] }))).toMatchObject([{ level: 'ok' }]);
  });

  it('does not matter beside one that has no handler', () => {
    const exposed = round({ processes: [wilful, child({ pid: 201, group: LEADER })] });
    expect(found('group', exposed)).toMatchObject([
      { level: 'fault', message: expect.stringMatching(/^has 201 \(/) },
    ]);
  });
});

describe('a worker that is a shell script', () => {
  const script = programOf('command: [bash, worker.sh]\ndrain: { timeout: 5s }');
  const pause = child({ pid: 201, group: LEADER, command: 'sleep 1' });

  it('may sleep in its loop while its jobs have a group of their own', () => {
    expect(found('group', round({ program: script, processes: [child(), pause] }))).toMatchObject([
      { level: 'ok' },
    ]);
  });

  it('that has nothing but a sleep is asked about that', () => {
    const first = round({ program: script, processes: [pause], reports: [] });
    expect(found('group', first)).toMatchObject([{ level: 'fault' }]);
  });

  it('a sleep of another program may stand for a job', () => {
    expect(found('group', round({ processes: [child(), pause] }))).toMatchObject([{ level: 'fault' }]);
  });
});

describe('a step of a job', () => {
  it('that ends in the moment of the signal, while the job goes on, was not cut', () => {
    const step = child({ pid: 201, ppid: 200, firstAt: -300, goneAt: 40 });
    expect(ills(round({ processes: [child(), step] }))).toEqual([]);
  });
});

describe('a shell in front of the worker', () => {
  const shelled = round({
    program: programOf('command: [sh, -c, "node worker.js; true"]\ndrain: { timeout: 5s }'),
    exit: { at: 3, code: null, signal: 'SIGTERM', oom: false },
    processes: [child({ command: 'node worker.js', group: LEADER })],
  });

  it('is told to give way, and its worker is taken for no job in its group', () => {
    expect(found('exit', shelled)).toMatchObject([{ cure: expect.stringContaining('`exec`') }]);
    expect(found('group', shelled)).toMatchObject([{ level: 'ok' }]);
  });
});

describe('what has no part in a rehearsal is said', () => {
  it.each([
    ['depends_on: { redis: ready }', 'depends on redis, which is not started here'],
    ['schedule: "* * * * *"\nrestart: never', 'runs on a schedule; here it was started at once'],
  ])('%s', (keys, message) => {
    const program = { ...WORKER, ...wanted(keys) };
    expect(found('alone', round({ program }))).toMatchObject([{ level: 'note', message }]);
  });

  const wanted = (keys: string) =>
    keys.startsWith('schedule')
      ? { schedule: programOf(keys).schedule }
      : { dependsOn: { redis: 'ready' as const } };
});
