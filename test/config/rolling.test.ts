/** The keys below `rollout`: how each is read, what is said of those that cannot be, and of what hardly was meant. */
import { describe, expect, test } from 'vitest';
import { doubtsAbout } from '../../src/config/doubts.ts';
import { parseConfig } from '../../src/config/load.ts';
import { showConfig } from '../../src/config/show.ts';
import type { ProgramPlan, RolloutPlan } from '../../src/core/plan.ts';
import { aProgram, planOf, programOf, saidOf, within } from './config.ts';

const rolloutOf = (keys: string): RolloutPlan => programOf(`rollout: { ${keys} }`).rollout;

describe('rollout', () => {
  test.each<[keys: string, key: keyof RolloutPlan, expected: unknown]>([
    ['max_surge: 2', 'maxSurge', { kind: 'count', count: 2 }],
    ['max_surge: 0', 'maxSurge', { kind: 'count', count: 0 }],
    ['max_surge: 10000', 'maxSurge', { kind: 'count', count: 10_000 }],
    ['max_surge: 0%', 'maxSurge', { kind: 'percent', percent: 0 }],
    ['max_surge: 12.5%', 'maxSurge', { kind: 'percent', percent: 12.5 }],
    ['max_surge: "1"', 'maxSurge', { kind: 'count', count: 1 }],
    ['canary: 1', 'canary', { kind: 'count', count: 1 }],
    ['canary: 100%', 'canary', { kind: 'percent', percent: 100 }],
    ['canary: 1, canary_hold: 10m', 'canaryHoldMs', 600_000],
    ['canary: 1, canary_hold: 0s', 'canaryHoldMs', 0],
    ['canary: 1, canary_hold: manual', 'canaryHoldMs', null],
    ['canary_hold: manual', 'canaryHoldMs', null],
    ['check: none', 'check', null],
    [
      'check: { exec: "./good {{index}}" }',
      'check',
      { check: { kind: 'exec', command: ['./good', '{{index}}'] }, timeoutMs: 30_000 },
    ],
    [
      'check: { http: "http://localhost:80{{index}}/", timeout: 5s }',
      'check',
      { check: { kind: 'http', url: 'http://localhost:80{{index}}/' }, timeoutMs: 5000 },
    ],
    [
      'check: { tcp: 80 }',
      'check',
      { check: { kind: 'tcp', host: 'localhost', port: '80' }, timeoutMs: 30_000 },
    ],
    ['max_failures: 3', 'maxFailures', 3],
    ['on_failure: pause', 'onFailure', 'pause'],
    ['on_failure: abort', 'onFailure', 'abort'],
    ['on_failure: revert', 'onFailure', 'revert'],
    ['after_kill_hold: 15m', 'afterKillHoldMs', 900_000],
  ])('is read from %j', (keys, key, expected) => {
    expect(rolloutOf(keys)[key]).toEqual(expected);
  });

  test.each(['pause', 'skip', 'kill'])('may have a drain that is too long %s it', (word) => {
    expect(programOf(`drain: { on_timeout: ${word} }`).drain.onTimeout).toBe(word);
  });

  test('takes its words from variables as well', () => {
    const world = within({ HOLD: 'manual', CHECK: 'none', SURGE: '25%' });
    const keys = `rollout: { canary: 1, canary_hold: "\${HOLD}", check: "\${CHECK}", max_surge: "\${SURGE}" }`;
    expect(programOf(keys, world).rollout).toMatchObject({
      canaryHoldMs: null,
      check: null,
      maxSurge: { kind: 'percent', percent: 25 },
    });
  });

  test('is shown as it was written, and what is shown is read as the same', () => {
    const keys =
      'rollout: { max_surge: 5%, canary: 2, canary_hold: manual, check: { exec: a "b c", timeout: 1m }, max_failures: 1, on_failure: revert, after_kill_hold: 90s }';
    const plan = planOf(aProgram(`${keys}\ndrain: { on_timeout: skip }`));
    const shown = showConfig(plan);
    for (const line of ['max_surge: 5%', 'canary_hold: manual', 'on_failure: revert', 'on_timeout: skip']) {
      expect(shown).toContain(line);
    }
    expect(planOf(shown).programs).toEqual(plan.programs);
  });
});

describe('what defaults say about it', () => {
  const read = (defaults: string, keys: string): ProgramPlan | undefined =>
    planOf(`defaults: { rollout: { ${defaults} } }\nprograms: { a: { command: x, ${keys} } }`).programs[0];

  test('is laid under a program, key by key', () => {
    expect(read('canary: 2, canary_hold: 1m', 'rollout: { canary: 1 }')?.rollout).toMatchObject({
      canary: { count: 1 },
      canaryHoldMs: 60_000,
    });
  });

  test('gives way to another check, and keeps its time', () => {
    const defaults = 'check: { exec: a, timeout: 5s }';
    expect(read(defaults, 'rollout: { check: { tcp: 1 } }')?.rollout.check).toMatchObject({
      check: { kind: 'tcp' },
      timeoutMs: 5000,
    });
    expect(read(defaults, 'rollout: { check: none }')?.rollout.check).toBe(null);
  });
});

const SHARED = 'cannot share one log file; put {{index}} into its path';

describe('a mistake', () => {
  test.each<[keys: string, said: string]>([
    [
      'rollout: { max_surge: -1 }',
      '-1 | worker.rollout.max_surge must be a number from 0 to 10000 or a percentage up to 100%, not "-1"',
    ],
    [
      'rollout: { max_surge: 10001 }',
      '10001 | worker.rollout.max_surge must be a number from 0 to 10000 or a percentage up to 100%, not "10001"',
    ],
    [
      'rollout: { max_surge: 101% }',
      '101% | worker.rollout.max_surge must be a number from 0 to 10000 or a percentage up to 100%, not "101%"',
    ],
    [
      'rollout: { max_surge: none }',
      'none | worker.rollout.max_surge must be a number from 0 to 10000 or a percentage up to 100%, not "none"',
    ],
    [
      'rollout: { canary: 1.5 }',
      '1.5 | worker.rollout.canary must be a number from 0 up or a percentage up to 100%, not "1.5"',
    ],
    [
      'rollout: { canary: [1] }',
      '[1] | worker.rollout.canary must be a number from 0 up or a percentage such as 25%, not a list',
    ],
    ['rollout: { canary_hold: 10 }', '10 | worker.rollout.canary_hold is a duration and needs a unit [10s]'],
    [
      'rollout: { canary_hold: manuel }',
      'manuel | worker.rollout.canary_hold must be a duration such as 10s, or manual, not "manuel" [manual]',
    ],
    [
      'rollout: { canary_hold: none }',
      'none | worker.rollout.canary_hold must be a duration such as 10s, or manual, not "none"',
    ],
    ['rollout: { check: ./good }', './good | worker.rollout.check must be a map, not "./good"'],
    ['rollout: { check: {} }', 'check | rollout.check needs one of exec, http and tcp: what to ask'],
    [
      'rollout: { check: { timeout: 5s } }',
      'check | rollout.check needs one of exec, http and tcp: what to ask',
    ],
    ['rollout: { check: { exec: a, tcp: 1 } }', '1 | rollout.check cannot have both "exec" and "tcp"'],
    ['rollout: { check: { exec: "" } }', '"" | the command is empty'],
    ['rollout: { check: { htp: a } }', 'htp | unknown key "htp" [http]'],
    [
      'rollout: { check: { exec: b, file: a } }',
      'file | unknown key "file" here; it belongs under ready.when',
    ],
    [
      'rollout: { check: { exec: a, timeout: 0s } }',
      '0s | worker.rollout.check.timeout must be at least 1ms, not "0s"',
    ],
    [
      'rollout: { check: { exec: a, timeout: none } }',
      'none | worker.rollout.check.timeout cannot be none: it needs an end, such as 10s',
    ],
    [
      'rollout: { max_failures: 10% }',
      '10% | worker.rollout.max_failures must be a whole number from 0 to 10000, not "10%"',
    ],
    [
      'rollout: { on_failure: reverted }',
      'reverted | worker.rollout.on_failure must be pause, abort or revert, not "reverted" [revert]',
    ],
    [
      'rollout: { on_failure: rollback }',
      'rollback | worker.rollout.on_failure must be pause, abort or revert, not "rollback" [revert]',
    ],
    [
      'rollout: { on_failure: continue }',
      'continue | worker.rollout.on_failure cannot be continue; `max_failures: 3` lets so many turns fail',
    ],
    [
      'rollout: { after_kill_hold: none }',
      'none | worker.rollout.after_kill_hold cannot be none: it needs an end, such as 10s',
    ],
    [
      'rollout: { order: start-first }',
      'start-first | worker.rollout.order says whose turn is first: idle_first, oldest or index; to start extra instances first, write `max_surge: 1`',
    ],
    [
      'rollout: { order: stop-first }',
      'stop-first | worker.rollout.order says whose turn is first: idle_first, oldest or index; an old run is always gone before its replacement is started',
    ],
    [
      'drain: { on_timeout: skipp }',
      'skipp | worker.drain.on_timeout must be pause, skip or kill, not "skipp" [skip]',
    ],
    ['max_surge: 1', 'max_surge | unknown key "max_surge" here; it belongs under rollout'],
    ['canary: 1', 'canary | unknown key "canary" here; it belongs under rollout'],
    ['rollout: { on_timeout: kill }', 'on_timeout | unknown key "on_timeout" here; it belongs under drain'],
    [
      'logs: { stdout: a.log }\nrollout: { max_surge: 1 }',
      `a.log | worker and its extra instances, by \`max_surge\`, ${SHARED}`,
    ],
    [
      'logs: { stdout: a.log }\nrollout: { max_surge: 1% }',
      `a.log | worker and its extra instances, by \`max_surge\`, ${SHARED}`,
    ],
    [
      'instances: 2\nlogs: { stdout: a.log }\nrollout: { max_surge: 1 }',
      `a.log | the 2 instances of worker ${SHARED}`,
    ],
  ])('is found in %j', (keys, said) => {
    expect(saidOf(aProgram(keys))).toEqual([said]);
  });

  test('is none where each extra instance has a log of its own', () => {
    expect(saidOf(aProgram('logs: { stdout: "a-{{index}}.log" }\nrollout: { max_surge: 2 }'))).toEqual([]);
  });

  test.each(['schedule: "@daily"', 'schedule: "@daily"\nrestart: on_failure', 'restart: never'])(
    'is none where %s has no extra instances',
    (keys) => {
      expect(saidOf(aProgram(`${keys}\nlogs: { stdout: a.log }\nrollout: { max_surge: 1 }`))).toEqual([]);
    },
  );
});

/** What Kubernetes, Nomad, Docker and Ansible write there. */
test.each([
  ['maxSurge', 'max_surge'],
  ['maxUnavailable', 'max_parallel'],
  ['minReadySeconds', 'min_healthy_time'],
  ['progressDeadlineSeconds', 'healthy_deadline'],
  ['revisionHistoryLimit', 'the last 10 revisions are kept'],
  ['rollingUpdate', 'right below "rollout"'],
  ['type', 'always rolling'],
  ['auto_revert', '`on_failure: revert`'],
  ['auto_promote', '`canary_hold: 10m`'],
  ['health_check', '`check: { exec: … }`'],
  ['progress_deadline', 'healthy_deadline'],
  ['stagger', '`min_healthy_time`'],
  ['parallelism', 'max_parallel'],
  ['delay', '`min_healthy_time`'],
  ['failure_action', 'on_failure'],
  ['monitor', 'min_healthy_time'],
  ['max_failure_ratio', '`max_failures: 1`'],
  ['update_config', 'right below "rollout"'],
  ['rollback_config', '`on_failure: revert`'],
  ['replicas', '`instances`'],
  ['serial', 'max_parallel'],
  ['max_fail_percentage', '`max_failures: 1`'],
  ['canaries', 'canary'],
])('%s below rollout: %s', (key, said) => {
  const [found, ...others] = saidOf(aProgram(`rollout: { ${key}: 1 }`));
  expect(others).toEqual([]);
  expect(found).toMatch(new RegExp(`^${key} \\| unknown key "${key}"`));
  if (/^\w+$/.test(said)) expect(found).toMatch(new RegExp(` \\[${said}\\]$`));
  else expect(found).toContain(said);
});

function doubtsIn(keys: string): string[] {
  const text = aProgram(`command: sh\ndirectory: /\n${keys}`);
  const world = within({ PATH: '/bin' });
  const loaded = parseConfig(text, '/srv/orders/supervisor.yaml', world);
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.error));
  const accounts = { hasUser: () => undefined, hasGroup: () => undefined };
  const lines = text.split('\n');
  return doubtsAbout(loaded.value, world, accounts).map(({ line, column, length, message }) => {
    const marked = (lines[line - 1] ?? '').slice(column - 1, column - 1 + length);
    return `${marked} | ${message}`;
  });
}

const TWICE =
  'a job that is killed, and tried again by an instance whose turn is still to come, may be killed again';

describe('a doubt', () => {
  test.each<[why: string, keys: string, doubts: string[]]>([
    [
      'all of it',
      'instances: 4\nrollout: { max_surge: 1, canary: 1, canary_hold: manual, max_failures: 3 }',
      [],
    ],
    [
      'a hold without a canary',
      'rollout: { canary_hold: manual }',
      [
        'manual | nothing is held without a canary; write `canary: 1`, or say --canary 1 with each rolling restart',
      ],
    ],
    [
      'a hold after a canary of none',
      'instances: 4\nrollout: { canary: 0%, canary_hold: 1m }',
      [expect.stringMatching(/^1m \| nothing is held/)],
    ],
    [
      'a canary of all',
      'instances: 4\nrollout: { canary: 76%, canary_hold: 1m }',
      ['76% | the canary is all there is (instances: 4): nothing is left to hold'],
    ],
    ['a canary of all but one', 'instances: 4\nrollout: { canary: 75%, canary_hold: 1m }', []],
    ['a canary of all that is not held', 'rollout: { canary: 1 }', []],
    [
      'more extra instances than there are',
      'instances: 2\nrollout: { max_surge: 3 }',
      ['3 | so many extra instances are more than the program has (instances: 2)'],
    ],
    ['as many extra instances as there are', 'instances: 2\nrollout: { max_surge: 2 }', []],
    [
      'extra instances of what runs to completion',
      'restart: never\nrollout: { max_surge: 1 }',
      ['1 | what runs to completion (`restart: never`) has no extra instances'],
    ],
    [
      'as many failures as there are instances',
      'instances: 2\nrollout: { max_failures: 2 }',
      ['2 | no failure ends a rolling restart when all may fail (instances: 2)'],
    ],
    [
      'a wait after kills that there are none of',
      'drain: { on_timeout: skip }\nrollout: { after_kill_hold: 1m }',
      ['1m | no drain ends in a kill here: `drain: { on_timeout: skip }`'],
    ],
    [
      'kills, and no wait after them',
      'instances: 2\ndrain: { on_timeout: kill, timeout: 1m }',
      [`kill | ${TWICE}; \`rollout: { after_kill_hold: 1m }\` gives it that long`],
    ],
    [
      'kills of all at once',
      'instances: 2\ndrain: { on_timeout: kill }\nrollout: { max_parallel: 100% }',
      [],
    ],
    [
      'kills of the only one, of which a share would be none',
      'drain: { on_timeout: kill }\nrollout: { max_parallel: 10% }',
      [],
    ],
    ['no extra instances of what runs to completion', 'restart: never\nrollout: { max_surge: 0 }', []],
    ['kills of the only one', 'drain: { on_timeout: kill }', []],
    [
      'kills, and a wait after them',
      'instances: 2\ndrain: { on_timeout: kill }\nrollout: { after_kill_hold: 1m }',
      [],
    ],
    [
      'what is done about a drain that is never too long',
      'drain: { on_timeout: kill, timeout: none }',
      ['kill | no drain is too long: `drain: { timeout: none }`'],
    ],
    [
      'anything where a schedule decides',
      'schedule: "@daily"\nrollout: { max_surge: 2, canary_hold: 1m }',
      ['rollout | a program with a schedule has no turns: each run takes the config as it is by then'],
    ],
    [
      'a check for a shell',
      'rollout: { check: { exec: test -s $LOG } }',
      [`test -s $LOG | no shell runs this, so "$LOG" is only a word to it; write sh -c '…' for one`],
    ],
  ])('about %s', (_why, keys, doubts) => {
    expect(doubtsIn(keys)).toEqual(doubts);
  });

  test('is none about what a program has from `defaults`, which are for others as well', () => {
    const text =
      'defaults: { directory: /, rollout: { canary_hold: 1m, max_surge: 5, after_kill_hold: 1m }, drain: { on_timeout: skip, timeout: none } }\n' +
      'programs: { a: { command: sh }, b: { command: sh, rollout: { canary: 1 }, instances: 9 }, c: { command: sh, schedule: "@daily" } }\n';
    const world = within({ PATH: '/bin' });
    const loaded = parseConfig(text, '/srv/orders/supervisor.yaml', world);
    if (!loaded.ok) throw new Error(JSON.stringify(loaded.error));
    const accounts = { hasUser: () => undefined, hasGroup: () => undefined };
    expect(doubtsAbout(loaded.value, world, accounts)).toEqual([]);
  });
});
