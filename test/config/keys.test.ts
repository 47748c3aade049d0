import { describe, expect, test } from 'vitest';
import type { LogsPlan, Plan, ProgramPlan } from '../../src/core/plan.ts';
import { aProgram, planOf, programOf, saidOf } from './config.ts';

/** What the config says, where it is found in the plan, and what is found there. */
type Good = [keys: string, found: (program: ProgramPlan) => unknown, expected: unknown];

const LOGS: LogsPlan = {
  stdout: { kind: 'default' },
  stderr: 'merge',
  maxBytes: 50 * 1024 * 1024,
  keep: 10,
  maxAgeMs: null,
  compress: false,
  timestamps: false,
  format: 'raw',
  whenFull: 'drop',
};

const good: Good[] = [
  ['command: node "a b" c\\ d', (p) => p.command, ['node', 'a b', 'c d']],
  ['command: [node, "a b", 3]', (p) => p.command, ['node', 'a b', '3']],
  ['command: sleep 1; date\nshell: true', (p) => p.command, ['/bin/sh', '-c', 'sleep 1; date']],
  ['command: |\n  a\n  b\nshell: true', (p) => p.command, ['/bin/sh', '-c', 'a\nb\n']],
  ['command: node x {{ index }}', (p) => p.command, ['node', 'x', '{{index}}']],
  ['x-note: mine', (p) => p.instances, 1],
  ['instances: 0', (p) => p.instances, 0],
  ['instances: 10000', (p) => p.instances, 10000],
  ['x-a: 1', (p) => p.directory, '/srv/orders'],
  ['directory: ../b', (p) => p.directory, '/srv/b'],
  ['directory: /b', (p) => p.directory, '/b'],
  ['directory: "a/{{index}}"', (p) => p.directory, '/srv/orders/a/{{index}}'],
  ['x-a: 1', (p) => p.environment, {}],
  [
    'environment: { A: b, PORT: 0800, T: true, E: "" }',
    (p) => p.environment,
    { A: 'b', PORT: '0800', T: 'true', E: '' },
  ],
  ['environment: { __proto__: x }', (p) => Object.entries(p.environment), [['__proto__', 'x']]],
  ['x-a: 1', (p) => p.inheritEnvironment, true],
  ['inherit_environment: false', (p) => p.inheritEnvironment, false],
  ['inherit_environment: [PATH, HOME]', (p) => p.inheritEnvironment, ['PATH', 'HOME']],
  ['x-a: 1', (p) => p.autostart, true],
  ['autostart: false', (p) => p.autostart, false],
  ['x-a: 1', (p) => p.restart, 'always'],
  ['restart: on_failure', (p) => p.restart, 'on_failure'],
  ['restart: never', (p) => p.restart, 'never'],
  ['x-a: 1', (p) => p.successExitCodes, [0]],
  ['success_exit_codes: [0, 2, 255]', (p) => p.successExitCodes, [0, 2, 255]],
  ['success_exit_codes: []', (p) => p.successExitCodes, []],
  [
    'x-a: 1',
    (p) => p.backoff,
    { initialMs: 100, factor: 2, maxMs: 30_000, jitter: 0.1, resetAfterMs: 10_000, giveUpAfter: 10 },
  ],
  ['backoff: none', (p) => p.backoff, null],
  ['backoff: { give_up_after: none }', (p) => p.backoff?.giveUpAfter, null],
  ['backoff: { initial: 1s, max: 1s }', (p) => p.backoff?.maxMs, 1000],
  ['backoff: { factor: 1.5 }', (p) => p.backoff?.factor, 1.5],
  ['backoff: { jitter: 0% }', (p) => p.backoff?.jitter, 0],
  ['backoff: { reset_after: 1m30s }', (p) => p.backoff?.resetAfterMs, 90_000],
  ['x-a: 1', (p) => p.ready, { when: 'spawned', forMs: 1000 }],
  ['ready: { for: 0s }', (p) => p.ready, { when: 'spawned', forMs: 0 }],
  ['ready: { when: notify }', (p) => p.ready, { when: 'notify', timeoutMs: 30_000 }],
  ['ready: { when: notify, timeout: none }', (p) => p.ready, { when: 'notify', timeoutMs: null }],
  [
    'x-a: 1',
    (p) => p.drain,
    {
      signal: 'TERM',
      doneWhen: 'exit',
      check: null,
      waitFor: 'tree',
      timeoutMs: 300_000,
      onTimeout: 'pause',
    },
  ],
  [
    'drain: { signal: SIGUSR1, done_when: notify, wait_for: leader, timeout: none, on_timeout: kill }',
    (p) => p.drain,
    {
      signal: 'USR1',
      doneWhen: 'notify',
      check: null,
      waitFor: 'leader',
      timeoutMs: null,
      onTimeout: 'kill',
    },
  ],
  ['x-a: 1', (p) => p.stop, { signal: 'TERM', timeoutMs: 10_000 }],
  ['stop: { signal: int, timeout: 250ms }', (p) => p.stop, { signal: 'INT', timeoutMs: 250 }],
  [
    'x-a: 1',
    (p) => p.rollout,
    {
      maxParallel: { kind: 'count', count: 1 },
      maxSurge: { kind: 'count', count: 0 },
      minHealthyTimeMs: 10_000,
      healthyDeadlineMs: 300_000,
      canary: { kind: 'count', count: 0 },
      canaryHoldMs: 0,
      check: null,
      maxFailures: 0,
      onFailure: 'pause',
      afterKillHoldMs: 0,
      order: 'idle_first',
    },
  ],
  ['rollout: { max_parallel: 25% }', (p) => p.rollout.maxParallel, { kind: 'percent', percent: 25 }],
  ['rollout: { max_parallel: 100% }', (p) => p.rollout.maxParallel, { kind: 'percent', percent: 100 }],
  ['rollout: { max_parallel: 3 }', (p) => p.rollout.maxParallel, { kind: 'count', count: 3 }],
  ['rollout: { healthy_deadline: none }', (p) => p.rollout.healthyDeadlineMs, null],
  ['rollout: { order: oldest, min_healthy_time: 0s }', (p) => p.rollout.order, 'oldest'],
  ['x-a: 1', (p) => p.logs, LOGS],
  [
    'logs: { stdout: none, stderr: default }',
    (p) => p.logs,
    { ...LOGS, stdout: { kind: 'none' }, stderr: { kind: 'default' } },
  ],
  ['logs: { stdout: inherit }', (p) => p.logs, { ...LOGS, stdout: { kind: 'inherit' } }],
  [
    'logs: { max_size: none, keep: 0, max_age: 1d, compress: true, timestamps: true, when_full: block }',
    (p) => p.logs,
    {
      ...LOGS,
      maxBytes: null,
      keep: 0,
      maxAgeMs: 86_400_000,
      compress: true,
      timestamps: true,
      whenFull: 'block',
    },
  ],
  ['logs: { max_size: 1KB, format: json }', (p) => p.logs, { ...LOGS, maxBytes: 1024, format: 'json' }],
  [
    'logs: { stdout: "a-{{index}}.log", stderr: /b.log }',
    (p) => p.logs,
    {
      ...LOGS,
      stdout: { kind: 'file', path: '/srv/orders/a-{{index}}.log' },
      stderr: { kind: 'file', path: '/b.log' },
    },
  ],
];

describe('a program', () => {
  test.each(good)('is read from %j', (keys, found, expected) => {
    expect(found(programOf(keys))).toEqual(expected);
  });
});

const OWN_LOG = { maxBytes: 52_428_800, keep: 10, maxAgeMs: null, compress: false, format: 'raw' };

const supervisor: [keys: string, found: (plan: Plan) => unknown, expected: unknown][] = [
  ['x: 1', (p) => p.name, 'orders'],
  ['name: a-b', (p) => p.name, 'a-b'],
  ['name: a', (p) => p.runDir, '/tmp/tsup-visor-1000/a'],
  ['name: a', (p) => p.stateDir, '/home/ada/.local/state/tsup-visor/a'],
  ['name: a', (p) => p.logDir, '/home/ada/.local/state/tsup-visor/a/logs'],
  ['run_dir: run', (p) => p.runDir, '/srv/orders/run'],
  ['state_dir: /state', (p) => p.stateDir, '/state'],
  ['state_dir: /state', (p) => p.logDir, '/state/logs'],
  ['log_dir: /logs', (p) => p.logDir, '/logs'],
  ['socket_mode: "0660"', (p) => p.socketMode, 0o660],
  ['socket_mode: 0660', (p) => p.socketMode, 0o660],
  ['socket_mode: 0o660', (p) => p.socketMode, 0o660],
  ['x: 1', (p) => p.socketMode, 0o600],
  ['x: 1', (p) => p.shutdownTimeoutMs, null],
  ['shutdown_timeout: 90s', (p) => p.shutdownTimeoutMs, 90_000],
  ['x: 1', (p) => p.ownLog, OWN_LOG],
  ['name: a', (p) => p.ownLog, OWN_LOG],
  ['logs: {}', (p) => p.ownLog, OWN_LOG],
  [
    'logs: { format: json, max_size: none, max_age: 1d, keep: 3, compress: true }',
    (p) => p.ownLog,
    { format: 'json', maxBytes: null, maxAgeMs: 86_400_000, keep: 3, compress: true },
  ],
];

describe('the supervisor', () => {
  test.each(supervisor)('is read from %j', (keys, found, expected) => {
    const block = keys === 'x: 1' ? '' : `supervisor: { ${keys} }\n`;
    expect(found(planOf(`${block}${aProgram('')}`))).toEqual(expected);
  });
});

/** The key below a program, and `what is marked | the sentence [the likely word]`. */
const bad: [keys: string, said: string][] = [
  ['command: ""', '"" | the command is empty'],
  ['command: []', '[] | the command is empty'],
  ['command: ["", a]', '["", a] | the command is empty'],
  ['command:', 'command | worker.command has no value; it must be a command line or a list of words'],
  ['command: { a: b }', '{ a: b } | worker.command must be a command line or a list of words, not a map'],
  ['command: [a, [b]]', '[b] | worker.command[1] must be a text, not a list'],
  ['command: [a, ]\nshell: true', '[a, ] | `shell: true` needs the command as one text: write a'],
  [
    "command: it's",
    "it's | cannot split the command into words: a single quote (') is opened and not closed",
  ],
  [
    'command: a "b',
    'a "b | cannot split the command into words: a double quote (") is opened and not closed',
  ],
  ['command: " "\nshell: true', '" " | the command is empty'],
  ['shell: maybe', 'maybe | worker.shell must be true or false, not "maybe"'],
  ['instances: -1', '-1 | worker.instances must be a whole number from 0 to 10000, not "-1"'],
  ['instances: 10001', '10001 | worker.instances must be a whole number from 0 to 10000, not "10001"'],
  ['instances: 1.5', '1.5 | worker.instances must be a whole number from 0 to 10000, not "1.5"'],
  ['instances: four', 'four | worker.instances must be a whole number from 0 to 10000, not "four"'],
  [
    'instances: "4"',
    '"4" | worker.instances must be a whole number from 0 to 10000, not a text; remove the quotes',
  ],
  ['directory: ~/x', `~/x | worker.directory does not know "~"; write \${HOME}/x`],
  ['directory: ""', '"" | worker.directory is empty; it must be a path'],
  ['environment: [A=b]', '[A=b] | worker.environment must be a map, not a list'],
  ['environment: { A: }', 'A | worker.environment.A has no value; it must be a text; "" for an empty one'],
  ['environment: { A: [b] }', '[b] | worker.environment.A must be a text; "" for an empty one, not a list'],
  ['environment: { "A B": c }', '"A B" | "A B" cannot name a variable; use letters, digits and _'],
  ['environment: { A: "a\\0b" }', '"a\\0b" | worker.environment.A cannot hold a NUL character'],
  [
    'environment: { TSUP_VISOR_RUN: 1 }',
    'TSUP_VISOR_RUN | TSUP_VISOR_RUN is set by tsup-visor itself; choose another name',
  ],
  [
    'environment: { NOTIFY_SOCKET: 1 }',
    'NOTIFY_SOCKET | NOTIFY_SOCKET is set by tsup-visor itself; choose another name',
  ],
  ['inherit_environment: PATH', 'PATH | worker.inherit_environment must be true or false, not "PATH"'],
  ['autostart: yes', 'yes | worker.autostart must be true or false, not "yes" [true]'],
  ['autostart: Off', 'Off | worker.autostart must be true or false, not "Off" [false]'],
  [
    'restart: allways',
    'allways | worker.restart must be always, on_failure or never, not "allways" [always]',
  ],
  [
    'restart: on-failure',
    'on-failure | worker.restart must be always, on_failure or never, not "on-failure" [on_failure]',
  ],
  [
    'success_exit_codes: 0',
    '0 | worker.success_exit_codes must be a list of exit codes, such as [0], not "0"',
  ],
  [
    'success_exit_codes: [256]',
    '256 | worker.success_exit_codes[0] must be a whole number from 0 to 255, not "256"',
  ],
  ['success_exit_codes: [1, 2, 1]', '1 | worker.success_exit_codes has 1 twice'],
  ['backoff: never', 'never | worker.backoff must be a map, not "never"'],
  ['backoff: { initial: 100 }', '100 | worker.backoff.initial is a duration and needs a unit [100s]'],
  ['backoff: { factor: 0.5 }', '0.5 | worker.backoff.factor must be a number from 1 to 100, not "0.5"'],
  ['backoff: { max: 50ms }', '50ms | backoff.max (50ms) is less than backoff.initial (100ms)'],
  ['backoff: { initial: 1m }', '1m | backoff.max (30s) is less than backoff.initial (1m)'],
  [
    'backoff: { jitter: 0.1 }',
    '0.1 | worker.backoff.jitter must be a percentage from 0% to 100%, such as 10%, not "0.1"',
  ],
  [
    'backoff: { jitter: 101% }',
    '101% | worker.backoff.jitter must be a percentage from 0% to 100%, such as 10%, not "101%"',
  ],
  [
    'backoff: { reset_after: none }',
    'none | worker.backoff.reset_after cannot be none: it needs an end, such as 10s',
  ],
  [
    'backoff: { give_up_after: 0 }',
    '0 | worker.backoff.give_up_after must be a whole number from 1 to 1000000, not "0"',
  ],
  ['ready: notify', 'notify | worker.ready must be a map, not "notify"'],
  [
    'ready: { when: notfy }',
    'notfy | worker.ready.when must be spawned, notify, { log: … }, { exec: … }, { http: … }, { tcp: … } or { file: … }, not "notfy" [notify]',
  ],
  ['ready: { when: notify, for: 1s }', 'for | "for" does not go with `when: notify`; it is for spawned'],
  [
    'ready: { for: 1s, timeout: 3s }',
    'timeout | "timeout" does not go with `when: spawned`; it is for notify, log, exec, http, tcp or file',
  ],
  ['ready: { when: spawned, four: 1s }', 'four | unknown key "four" [for]'],
  ['drain: 5m', '5m | worker.drain must be a map, not "5m"'],
  ['drain:', 'drain | worker.drain is empty; give it a value or remove it'],
  [
    'drain: { signal: TREM }',
    'TREM | worker.drain.signal must be a signal such as TERM, INT, QUIT or USR1, not "TREM"',
  ],
  [
    'drain: { signal: KILL }',
    'KILL | worker.drain.signal cannot be KILL: it would cut the jobs; it belongs to `stop`',
  ],
  [
    'drain: { done_when: exited }',
    'exited | worker.drain.done_when must be exit, notify, { exec: … } or { http: … }, not "exited" [exit]',
  ],
  ['drain: { wait_for: all }', 'all | worker.drain.wait_for must be tree or leader, not "all"'],
  ['drain: { timeout: 5 }', '5 | worker.drain.timeout is a duration and needs a unit [5s]'],
  [
    'drain: { timeout: 5 m }',
    '5 m | worker.drain.timeout is wrong: "5 m" is not a duration; write for example 250ms, 10s, 5m or 1h',
  ],
  ['drain: { timeout: 9999d }', '9999d | worker.drain.timeout is longer than 365d'],
  ['stop: { timeout: none }', 'none | worker.stop.timeout cannot be none: it needs an end, such as 10s'],
  [
    'rollout: { max_parallel: 0 }',
    '0 | worker.rollout.max_parallel must be a number from 1 up or a percentage up to 100%, not "0"',
  ],
  [
    'rollout: { max_parallel: 101% }',
    '101% | worker.rollout.max_parallel must be a number from 1 up or a percentage up to 100%, not "101%"',
  ],
  [
    'rollout: { max_parallel: 0% }',
    '0% | worker.rollout.max_parallel must be a number from 1 up or a percentage up to 100%, not "0%"',
  ],
  [
    'rollout: { min_healthy_time: 10m }',
    '10m | rollout.healthy_deadline (5m) leaves no time for rollout.min_healthy_time (10m); it must be longer',
  ],
  [
    'rollout: { order: random }',
    'random | worker.rollout.order must be idle_first, oldest or index, not "random"',
  ],
  ['logs: { stdout: merge/ }', 'merge/ | worker.logs.stdout names a folder; it must be a file'],
  ['logs: { keep: -1 }', '-1 | worker.logs.keep must be a whole number from 0 to 1000, not "-1"'],
  ['logs: { max_age: 0s }', '0s | worker.logs.max_age must be at least 1ms, not "0s"'],
  [
    'logs: { format: json, timestamps: true }',
    'true | `format: json` has the time of each line in it; leave `timestamps` out',
  ],
  ['logs: { stdout: a, stderr: ./a }', './a | stdout and stderr cannot share a file; write `stderr: merge`'],
  ['drian: {}', 'drian | unknown key "drian" [drain]'],
  [
    'environment: { TSUP_VISOR_ANY: 1 }',
    'TSUP_VISOR_ANY | TSUP_VISOR_ANY is set by tsup-visor itself; choose another name',
  ],
  ['stop: { constructor: 3 }', 'constructor | unknown key "constructor"; known here: signal and timeout'],
  ['numprocs: 4', 'numprocs | unknown key "numprocs" [instances]'],
  ['successExitCodes: [0]', 'successExitCodes | unknown key "successExitCodes" [success_exit_codes]'],
  [
    'timeout: 5s',
    'timeout | unknown key "timeout" here; it belongs under ready, health, drain, stop, rollout.check or a hook',
  ],
  ['drain: { instances: 3 }', 'instances | unknown key "instances" here; it belongs under a program'],
  ['drain: { x-mine: 3 }', 'x-mine | unknown key "x-mine"; keys of your own go to the top or into a program'],
  ['stop: { qqqqqq: 3 }', 'qqqqqq | unknown key "qqqqqq"; known here: signal and timeout'],
];

describe('a mistake', () => {
  test.each(bad)('is found in %j', (keys, said) => {
    expect(saidOf(aProgram(keys))).toEqual([said]);
  });
});

const badAtTop: [text: string, said: string][] = [
  [
    'supervisor: { name: "a b" }',
    '"a b" | supervisor.name must be a name of letters, digits, _ . -, not "a b"',
  ],
  [
    'supervisor: { name: ../x }',
    '../x | supervisor.name must be a name of letters, digits, _ . -, not "../x"',
  ],
  [
    'supervisor: { socket_mode: 0900 }',
    '0900 | supervisor.socket_mode must be permission bits such as "0600", not "0900"',
  ],
  ['supervisor: { rundir: /x }', 'rundir | unknown key "rundir" [run_dir]'],
  [
    'supervisor: { run_dir: "/{{index}}" }',
    '{{ | supervisor.run_dir cannot hold {{…}}: it is not read for each instance',
  ],
  [
    'supervisor: { shutdown_timeout: 10 }',
    '10 | supervisor.shutdown_timeout is a duration and needs a unit [10s]',
  ],
  ['groups: { batch: [wroker] }', 'wroker | the group "batch" names "wroker", which is no program [worker]'],
  ['groups: { batch: worker }', 'worker | groups.batch must be a list of programs, not "worker"'],
  [
    'groups: { "@b": [worker] }',
    '"@b" | "@b" cannot name a group; use letters, digits, _ . - and begin with a letter or digit',
  ],
  ['program: {}', 'program | unknown key "program" [programs]'],
  ['instances: 3', 'instances | unknown key "instances" here; it belongs under a program'],
  ['defaults: { stop: { timeout: 3 } }', '3 | defaults.stop.timeout is a duration and needs a unit [3s]'],
  ['defaults: { comand: x }', 'comand | unknown key "comand" [command]'],
  ['defaults: [x]', '[x] | defaults must be a map, not a list'],
];

describe('a mistake above the programs', () => {
  test.each(badAtTop)('is found in %j', (line, said) => {
    expect(saidOf(`${line}\n${aProgram('')}`)).toEqual([said]);
  });

  test('is a program without a proper name', () => {
    expect(saidOf('programs: { _a: { command: b } }')).toEqual([
      '_a | "_a" cannot name a program; use letters, digits, _ . - and begin with a letter or digit',
    ]);
  });

  test('is a program without a command', () => {
    expect(saidOf('programs:\n  worker: { instances: 2 }')).toEqual([
      'worker | worker.command is missing; it must be a command line or a list of words',
    ]);
  });

  test('is a mistyped command, told once', () => {
    expect(saidOf('programs:\n  worker: { comand: x }')).toEqual(['comand | unknown key "comand" [command]']);
  });

  test('is a config without programs', () => {
    expect(saidOf('supervisor: { name: a }')).toEqual([
      'supervisor: { name: a } | programs is missing; it must be a map',
    ]);
  });

  test('is a run folder in which no socket has room', () => {
    const long = `/${'a'.repeat(90)}`; // 91 + "/notify/0000000000.sock" is 114
    expect(saidOf(`supervisor: { run_dir: ${long} }\n${aProgram('')}`)).toEqual([
      `${long} | the run folder ${long} is 7 bytes too long for the sockets in it; give supervisor.run_dir a shorter path`,
    ]);
    expect(saidOf(`supervisor: { run_dir: ${long.slice(0, -7)} }\n${aProgram('')}`)).toEqual([]);
  });
});
