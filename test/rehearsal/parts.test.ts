/** The small parts of a rehearsal, each by itself. */
import { describe, expect, it, test } from 'vitest';
import { Interrupts } from '../../src/rehearsal/interrupts.ts';
import { judge, kindOf, livesIn } from '../../src/rehearsal/lives.ts';
import { hasLearnt, isMoment, type Scene } from '../../src/rehearsal/moment.ts';
import { overdueAt } from '../../src/rehearsal/overdue.ts';
import { reduce, rehearsedInstance } from '../../src/rehearsal/reduce.ts';
import { type Seen, Sightings } from '../../src/rehearsal/sightings.ts';
import { named } from '../../src/rehearsal/words.ts';
import { planOf } from '../config/config.ts';
import { child, LEADER, round, WORKER } from './rig.ts';

describe('the reduced plan', () => {
  const plan = planOf(`
supervisor: { run_dir: /srv/run, state_dir: /srv/state, log_dir: /srv/log, shutdown_timeout: 1s }
groups: { all: [redis, worker] }
programs:
  redis: { command: redis-server }
  worker:
    command: node worker.js
    instances: 4
    user: www-data
    environment: { QUEUE: jobs }
    depends_on: { redis: ready }
    max_age: 1h
    max_memory: 1GB
    essential: true
    health: { exec: "true" }
    hooks: { pre_drain: { exec: "echo" } }
    drain: { timeout: 5m }
    logs: { stdout: '/srv/worker-{{index}}.log' }
`);
  const program = plan.programs.find(({ name }) => name === 'worker');
  if (program === undefined) throw new Error('no worker');
  const folders = { runDir: '/tmp/r', stateDir: '/tmp/s', logDir: '/tmp/l' };
  const reduced = reduce(plan, program, folders);
  const [only] = reduced.programs;

  it('has one program, whose extra instance has the first free number', () => {
    expect(reduced.programs).toHaveLength(1);
    expect(rehearsedInstance(program)).toBe('worker:4');
    expect(only).toMatchObject({ instances: 5, autostart: false });
  });

  it('shares no folder and no file with the fleet', () => {
    expect(reduced).toMatchObject({ ...folders, groups: {}, shutdownTimeoutMs: null });
    expect(only?.logs).toMatchObject({ stdout: { kind: 'default' }, stderr: 'merge' });
  });

  it('has nothing that would keep it from starting, or start it again', () => {
    expect(only).toMatchObject({
      dependsOn: {},
      schedule: null,
      restart: 'never',
      maxAgeMs: null,
      maxMemory: null,
    });
    expect(only).toMatchObject({ essential: false, backoff: { giveUpAfter: 1 }, health: { action: 'none' } });
  });

  it('runs and ends it as configured, and tells it that it is a rehearsal', () => {
    const { user, hooks, drain, stop, ready, revision, command } = program;
    expect(only).toMatchObject({ user, hooks, drain, stop, ready, revision, command });
    expect(only?.environment).toEqual({ QUEUE: 'jobs', TSUP_VISOR_REHEARSAL: '1' });
  });

  it('may give a drain less time, never more', () => {
    const limited = (ms: number) => reduce(plan, program, folders, ms).programs[0]?.drain.timeoutMs;
    expect([limited(1000), limited(600_000)]).toEqual([1000, 300_000]);
  });
});

describe('the moment for the signal', () => {
  const scene = (more: Partial<Scene> = {}): Scene => ({
    now: 0,
    leader: LEADER,
    reports: [],
    processes: [],
    jobs: null,
    matureMs: 0,
    ...more,
  });
  const there = child({ goneAt: null, lastAt: 0, firstAt: -100 });

  it.each<[string, boolean, Scene]>([
    ['has not come while there is nothing', false, scene()],
    ['has come with a process of its own', true, scene({ processes: [there] })],
    [
      'has not come with one that was there for a moment',
      false,
      scene({ processes: [{ ...there, firstAt: -20 }] }),
    ],
    [
      'has not come when the program says that it is idle',
      false,
      scene({
        processes: [there],
        reports: [{ at: -10, inFlight: 0 }],
      }),
    ],
    [
      'has not come when a job has just begun, and its process may follow',
      false,
      scene({
        reports: [{ at: -10, inFlight: 1 }],
      }),
    ],
    [
      'has come when a job has gone on for a while without a process',
      true,
      scene({
        reports: [{ at: -300, inFlight: 1 }],
      }),
    ],
    [
      'has come when a job has a process',
      true,
      scene({ processes: [there], reports: [{ at: -10, inFlight: 1 }] }),
    ],
    ['has not come with one job of two', false, scene({ jobs: 2, processes: [there] })],
    ['has come with two of two', true, scene({ jobs: 2, processes: [there, child({ ...there, pid: 201 })] })],
    [
      'counts no child of a job as one more',
      false,
      scene({
        jobs: 2,
        processes: [there, child({ ...there, pid: 201, ppid: 200 })],
      }),
    ],
  ])('%s', (_, expected, given) => expect(isMoment(given)).toBe(expected));

  it('has not come when a job has a process that was there for a moment only, until that can be no job’s', () => {
    const given = scene({
      processes: [{ ...there, firstAt: -20 }],
      reports: [{ at: -1900, inFlight: 1 }],
    });
    expect(isMoment(given)).toBe(false);
    expect(isMoment({ ...given, now: 100 })).toBe(true);
  });

  it('has come with short jobs, one after another, that have no process', () => {
    const reports = Array.from({ length: 50 }, (_, at) => ({ at: at * 50 - 2450, inFlight: (at + 1) % 2 }));
    expect(isMoment(scene({ now: -90, reports }))).toBe(false);
    expect(isMoment(scene({ now: -40, reports }))).toBe(true);
    expect(isMoment(scene({ now: -1540, reports }))).toBe(false);
  });

  it('has come, where a kind of process is watched, only with a young one', () => {
    const gone = child({ pid: 198, firstAt: -3000, goneAt: -2000 });
    const old = child({ firstAt: -900, lastAt: 0, goneAt: null });
    expect(isMoment(scene({ processes: [gone, old] }), ['bash job.sh'])).toBe(false);
    expect(isMoment(scene({ processes: [gone, there] }), ['bash job.sh'])).toBe(true);
    expect(isMoment(scene({ processes: [gone, there] }), ['ffmpeg'])).toBe(false);
  });

  it('has come, where children are to have set up their handlers, only when they are old enough', () => {
    const given = scene({ matureMs: 1000, processes: [there], reports: [{ at: -200, inFlight: 1 }] });
    expect(isMoment(given)).toBe(false);
    expect(isMoment({ ...given, processes: [{ ...there, firstAt: -1000 }] })).toBe(true);
  });

  it('a kind is learnt when one of it has come and gone', () => {
    expect(hasLearnt(scene({ processes: [there] }), ['bash job.sh'])).toBe(false);
    expect(hasLearnt(scene({ processes: [child()] }), ['bash job.sh'])).toBe(true);
    const fleeting = child({ firstAt: -1000, lastAt: -980, goneAt: -970 });
    expect(hasLearnt(scene({ processes: [fleeting] }), ['bash job.sh'])).toBe(false);
    expect(hasLearnt(scene(), [])).toBe(true);
  });
});

describe('lives', () => {
  test.each([
    ['/bin/bash hello.sh 17', 'bash hello.sh'],
    ['bash -c sleep 3', 'bash'],
    ['ffmpeg -i a.mp4', 'ffmpeg'],
    ['node /srv/job.js 17', 'node job.js'],
    ['sleep', 'sleep'],
  ])('%s is a %s', (command, kind) => expect(kindOf({ command })).toBe(kind));

  it('one that ends in the moment of the signal lived at least so long', () => {
    const processes = [
      child({ firstAt: -1000, goneAt: -400 }),
      child({ firstAt: -1000, goneAt: 50, lastAt: 45 }),
      child({ firstAt: -1000, goneAt: 2000 }),
    ];
    expect(livesIn(round({ processes }))).toEqual([
      { kind: 'bash job.sh', ms: 600, ended: true },
      { kind: 'bash job.sh', ms: 1000, ended: false },
      { kind: 'bash job.sh', ms: 3000, ended: true },
    ]);
  });

  it.each([
    ['unknown', []],
    ['cut', [{ kind: 'bash job.sh', ms: 1000, ended: true }]],
    ['natural', [{ kind: 'bash job.sh', ms: 500, ended: true }]],
    ['natural', [{ kind: 'bash job.sh', ms: 590, ended: true }]],
    ['cut', [{ kind: 'bash job.sh', ms: 1000, ended: false }]],
    ['unknown', [{ kind: 'bash job.sh', ms: 500, ended: false }]],
    ['unknown', [{ kind: 'ffmpeg', ms: 1000, ended: true }]],
  ])('an end after about 400ms is %s beside %j', (verdict, lives) => {
    expect(judge(child({ firstAt: -300, goneAt: 100 }), lives)).toBe(verdict);
  });

  it('what was seen to be killed was cut, however long others live', () => {
    expect(judge(child({ firstAt: -300, goneAt: 100, killedBy: 15 }), [])).toBe('cut');
  });
});

describe('sightings', () => {
  const seen = (more: Partial<Seen> = {}): Seen => ({
    pid: 200,
    start: '1',
    ppid: LEADER,
    group: LEADER,
    session: LEADER,
    command: 'node',
    ended: false,
    killedBy: null,
    bare: false,
    heeded: { ignored: [], caught: [] },
    ...more,
  });

  it('keep what was known of a process that is about to be gone', () => {
    const sightings = new Sightings(LEADER);
    const heeded = { ignored: [], caught: [15] };
    sightings.take([seen({ command: 'node job.js', heeded })], 10);
    sightings.take([seen({ command: 'node', bare: true })], 20);
    expect(sightings.all()).toMatchObject([{ command: 'node job.js', heeded, lastAt: 20 }]);
  });

  it('keep the handlers that a program has had, though it lays them down before it exits', () => {
    const sightings = new Sightings(LEADER);
    sightings.take([seen({ heeded: { ignored: [2], caught: [15] } })], 10);
    sightings.take([seen({ heeded: { ignored: [], caught: [1] } })], 20);
    expect(sightings.all()).toMatchObject([{ heeded: { ignored: [2], caught: [15, 1] } }]);
    sightings.take([seen({ command: 'another', heeded: { ignored: [], caught: [] } })], 30);
    expect(sightings.all()).toMatchObject([{ heeded: { ignored: [], caught: [] } }]);
  });

  it('follow a process through what it becomes, and remember who began it', () => {
    const sightings = new Sightings(LEADER);
    sightings.take([seen({ pid: LEADER }), seen()], 10);
    sightings.take([seen({ pid: LEADER }), seen({ group: 200, command: 'bash job.sh', ppid: 1 })], 20);
    sightings.take([seen({ pid: LEADER })], 30);
    expect(sightings.all()).toEqual([
      {
        pid: 200,
        ppid: LEADER,
        group: 200,
        session: LEADER,
        command: 'bash job.sh',
        heeded: { ignored: [], caught: [] },
        firstAt: 10,
        lastAt: 20,
        goneAt: 30,
        killedBy: null,
      },
    ]);
  });

  it('take a zombie for gone, and what ended it from it', () => {
    const sightings = new Sightings(LEADER);
    sightings.take([seen()], 10);
    sightings.take([seen({ ended: true, killedBy: 15 })], 20);
    expect(sightings.all()).toMatchObject([{ lastAt: 10, goneAt: 20, killedBy: 15 }]);
  });

  it('tell apart two processes that had one number', () => {
    const sightings = new Sightings(LEADER);
    sightings.take([seen()], 10);
    sightings.take([seen({ start: '2' })], 20);
    expect(sightings.all()).toMatchObject([{ goneAt: 20 }, { firstAt: 20, goneAt: null }]);
  });
});

describe('interrupts', () => {
  it('are counted, but one that comes twice within moments is one', () => {
    const interrupts = new Interrupts();
    const heard: number[] = [];
    const deafen = interrupts.listen(() => heard.push(interrupts.count));
    for (const at of [0, 150, 1000]) interrupts.take(at);
    deafen();
    interrupts.take(5000);
    expect({ heard, count: interrupts.count }).toEqual({ heard: [1, 2], count: 3 });
  });
});

test('a list of processes is short, and can move no cursor', () => {
  const many = Array.from({ length: 6 }, (_, at) => child({ pid: at, command: 'a\n\u001b[2Jb' }));
  expect(named(many)).toBe('0 (a [2Jb), 1 (a [2Jb), 2 (a [2Jb), 3 (a [2Jb) and 2 more');
  expect(named([child({ command: 'x'.repeat(200) })]).length).toBeLessThan(80);
});

describe('a drain was cut short', () => {
  const { drain } = WORKER;
  const told = { stopAt: 5000, killedAt: null, exit: null, reports: [], signalAt: 0 };
  const exit = { at: 4000, code: 0, signal: null, oom: false };
  const drained = [{ at: 4000, drained: true }];

  it.each([
    ['when it was told to stop', 5000, told, drain],
    ['when all that is left was told to stop', 5000, { ...told, exit }, drain],
    ['when it was killed', 6000, { ...told, stopAt: null, killedAt: 6000 }, drain],
    ['not when it ended by itself', null, { ...told, stopAt: null }, drain],
    [
      'not when nobody waits for what the main process left',
      null,
      { ...told, exit },
      { ...drain, waitFor: 'leader' as const },
    ],
    [
      'not when it had said that it had drained',
      null,
      { ...told, reports: drained },
      { ...drain, doneWhen: 'notify' as const },
    ],
    ['when it had not said so', 5000, told, { ...drain, doneWhen: 'notify' as const }],
    ['when its check has taken all the time there was', 5000, told, { ...drain, doneWhen: 'check' as const }],
    [
      'not when its check was faster',
      null,
      { ...told, stopAt: 800 },
      { ...drain, doneWhen: 'check' as const },
    ],
    ['not before it was asked', null, { ...told, signalAt: null }, drain],
  ])('%s', (_, expected, given, plan) => expect(overdueAt(given, plan, 5000)).toBe(expected));
});
