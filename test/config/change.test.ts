/** Each key of a program, changed alone: the revision sees it, the comparison names it and says what it means. */
import { describe, expect, test } from 'vitest';
import { comparePlans, compareSupervisor } from '../../src/config/compare.ts';
import { PROGRAM } from '../../src/config/program-keys.ts';
import { keysIn } from '../../src/config/walk.ts';
import { aProgram, planOf, programOf, saidOf } from './config.ts';

/** The key, and two ways to write it that differ in nothing else. */
type Change = [key: string, before: string, after: string];

const below = (key: string, fixed: string, before: string, after: string): Change => {
  const keys = key.split('.');
  const last = keys.pop() ?? '';
  const written = (value: string): string =>
    keys.reduceRight((inner, name) => `${name}: { ${inner} }`, `${fixed}${last}: ${value}`);
  return [key, written(before), written(after)];
};

const limit = (name: string, after = '1'): Change => below(`limits.${name}`, '', 'inherit', after);
const hook = (name: string): Change[] => [
  below(`hooks.${name}`, '', 'none', 'a'),
  [`hooks.${name}.exec`, `hooks: { ${name}: { exec: a b } }`, `hooks: { ${name}: { exec: a c } }`],
  below(`hooks.${name}.timeout`, 'exec: a, ', '1s', '2s'),
  below(`hooks.${name}.on_failure`, 'exec: a, ', 'fail', 'ignore'),
];

const changes: Change[] = [
  ['command', 'command: a b', 'command: a c'],
  ['instances', 'instances: 3', 'instances: 4'],
  ['directory', 'directory: /a', 'directory: /b'],
  ['environment.A', 'environment: { A: 1 }', 'environment: { A: 2 }'],
  ['environment.A', 'environment: { A: 1, B: 1 }', 'environment: { B: 1 }'],
  ['env_file', 'env_file: a', 'env_file: [a, b]'],
  ['env_file', 'env_file: ["a, b"]', 'env_file: [a, b]'],
  ['inherit_environment', 'inherit_environment: true', 'inherit_environment: [A]'],
  ['user', 'user: inherit', 'user: www'],
  ['group', 'group: a', 'group: b'],
  ['umask', 'umask: inherit', 'umask: 000'],
  ['nice', 'nice: inherit', 'nice: 0'],
  limit('nofile'),
  limit('core', '0'),
  limit('nproc', 'unlimited'),
  limit('memlock'),
  limit('fsize'),
  limit('stack'),
  limit('cpu'),
  limit('as'),
  limit('data'),
  limit('rss'),
  below('limits.memory_max', '', 'none', '1GB'),
  below('limits.cpu_max', '', '100%', '150%'),
  ['max_memory', 'max_memory: none', 'max_memory: 1GB'],
  ['max_memory.size', 'max_memory: 1GB', 'max_memory: 1025MB'],
  below('max_memory.for', 'size: 1GB, ', '30s', '0s'),
  ['max_age', 'max_age: none', 'max_age: 1h'],
  ['autostart', 'autostart: true', 'autostart: false'],
  ['essential', 'essential: false', 'essential: true'],
  ['depends_on.b', 'depends_on: {}', 'depends_on: [b]'],
  ['depends_on.b', 'depends_on: [b]', 'depends_on: { b: started }'],
  ['priority', 'priority: 0', 'priority: 1'],
  ['restart', 'restart: always', 'restart: never'],
  ['success_exit_codes', 'success_exit_codes: [0]', 'success_exit_codes: [0, 1]'],
  ['backoff', 'backoff: {}', 'backoff: none'],
  below('backoff.initial', '', '1s', '2s'),
  below('backoff.factor', '', '2', '3'),
  below('backoff.max', '', '1m', '2m'),
  below('backoff.jitter', '', '0%', '1%'),
  below('backoff.reset_after', '', '1s', '2s'),
  below('backoff.give_up_after', '', '1', 'none'),
  ['schedule', 'restart: never', 'restart: never\nschedule: "@daily"'],
  below('schedule.cron', '', '"@daily"', '"@hourly"'),
  below('schedule.timezone', 'cron: "@daily", ', 'local', 'UTC'),
  below('schedule.overlap', 'cron: "@daily", ', 'skip', 'queue'),
  below('ready.for', '', '1s', '2s'),
  below('ready.timeout', 'when: notify, ', '1s', 'none'),
  below('ready.interval', 'when: { tcp: 1 }, ', '1s', '2s'),
  below('ready.when.log', '', 'a', '/a/'),
  below('ready.when.exec', '', '[a, b c]', '[a, b, c]'),
  below('ready.when.http', '', '"http://a"', '"http://a/"'),
  below('ready.when.tcp', '', '1', '2'),
  below('ready.when.file', '', 'a', 'b'),
  ['ready.when', 'ready: { when: notify }', 'ready: { when: { log: a } }'],
  ['health', 'health: none', 'health: { tcp: 1 }'],
  below('health.exec', '', 'a', 'b'),
  below('health.http', '', '"http://a"', '"http://b"'),
  below('health.tcp', '', '1', '2'),
  below('health.interval', 'tcp: 1, ', '1s', '2s'),
  below('health.timeout', 'tcp: 1, ', '1s', '2s'),
  below('health.failures', 'tcp: 1, ', '1', '2'),
  below('health.action', 'tcp: 1, ', 'restart', 'none'),
  ['watchdog', 'watchdog: none', 'watchdog: 1m'],
  below('drain.signal', '', 'TERM', 'INT'),
  below('drain.done_when', '', 'exit', '{ exec: a }'),
  below('drain.done_when.exec', '', 'a', 'b'),
  below('drain.done_when.http', '', '"http://a"', '"http://b"'),
  below('drain.wait_for', '', 'tree', 'leader'),
  below('drain.timeout', '', '1s', 'none'),
  below('drain.on_timeout', '', 'pause', 'kill'),
  below('drain.on_timeout', '', 'kill', 'skip'),
  below('stop.signal', '', 'TERM', 'INT'),
  below('stop.timeout', '', '1s', '2s'),
  below('rollout.max_parallel', '', '1', '1%'),
  below('rollout.max_parallel', '', '10%', '10.5%'),
  below('rollout.max_surge', '', '0', '1'),
  below('rollout.max_surge', '', '0', '0%'),
  below('rollout.canary', '', '1', '10%'),
  below('rollout.canary_hold', 'canary: 1, ', '0s', '1m'),
  below('rollout.canary_hold', 'canary: 1, ', '1m', 'manual'),
  below('rollout.check', '', 'none', '{ exec: a }'),
  ['rollout.check.exec', 'rollout: { check: { exec: a b } }', 'rollout: { check: { exec: a c } }'],
  [
    'rollout.check.http',
    'rollout: { check: { http: "http://a" } }',
    'rollout: { check: { http: "http://b" } }',
  ],
  ['rollout.check.tcp', 'rollout: { check: { tcp: 1 } }', 'rollout: { check: { tcp: 2 } }'],
  ['rollout.check.timeout', 'rollout: { check: { tcp: 1 } }', 'rollout: { check: { tcp: 1, timeout: 2s } }'],
  below('rollout.max_failures', '', '0', '1'),
  below('rollout.on_failure', '', 'pause', 'abort'),
  below('rollout.on_failure', '', 'abort', 'revert'),
  below('rollout.after_kill_hold', '', '0s', '1m'),
  below('rollout.min_healthy_time', '', '1s', '2s'),
  below('rollout.healthy_deadline', '', '1m', 'none'),
  below('rollout.order', '', 'oldest', 'index'),
  ...['pre_start', 'post_start', 'pre_drain', 'post_stop'].flatMap(hook),
  below('logs.stdout', '', 'none', 'a'),
  below('logs.stderr', '', 'none', 'merge'),
  below('logs.stderr', '', 'none', 'inherit'),
  below('logs.max_size', '', '1MB', 'none'),
  below('logs.keep', '', '0', '1'),
  below('logs.max_age', '', '1h', 'none'),
  below('logs.compress', '', 'true', 'false'),
  below('logs.timestamps', '', 'true', 'false'),
  below('logs.format', '', 'raw', 'json'),
  below('logs.when_full', '', 'drop', 'block'),
];

const OTHERS = '  b: { command: x }\n';
const read = (keys: string) => {
  const [program] = planOf(`${aProgram(keys)}${OTHERS}`).programs;
  if (program === undefined) throw new Error('expected a program');
  return program;
};

/** These say how many there are and when they start, not how each one runs. */
const FREE = ['instances', 'autostart'];

describe('a change of one key alone', () => {
  test.each(changes)('of %s is seen: %j, %j', (key, before, after) => {
    const [one, two] = [read(before), read(after)];
    expect(comparePlans(one, two).map((change) => change.key)).toEqual([key]);
    expect(comparePlans(two, one).map((change) => change.key)).toEqual([key]);
    expect(comparePlans(one, read(before))).toEqual([]);
    expect(one.revision === two.revision).toBe(FREE.includes(key));
    const [change] = comparePlans(one, two);
    expect(change?.from).not.toBe(change?.to);
  });

  test('is tried for every key that there is', () => {
    const tried = new Set(changes.flatMap(([key]) => [key, key.split('.')[0] ?? '']));
    const untried = [...keysIn(PROGRAM)].map(({ path }) => path.join('.')).filter((key) => !tried.has(key));
    expect(untried).toEqual(['shell']);
  });

  test('of shell is one of the command', () => {
    expect(comparePlans(programOf('command: a'), programOf('command: a\nshell: true'))).toMatchObject([
      { key: 'command', from: 'a', to: '/bin/sh -c a', effect: 'rolling' },
    ]);
  });
});

describe('the effect of a change', () => {
  test.each([
    ['command: a', 'command: b', 'rolling'],
    ['environment: { A: 1 }', '', 'rolling'],
    ['user: a', '', 'rolling'],
    ['limits: { core: 0 }', '', 'rolling'],
    ['watchdog: 1s', '', 'rolling'],
    ['logs: { stdout: a }', '', 'rolling'],
    ['logs: { format: json }', '', 'rolling'],
    ['logs: { keep: 1 }', '', 'live'],
    ['logs: { stdout: a, keep: 1 }', 'logs: { stdout: a }', 'live'],
    ['logs: { stdout: a, keep: 1 }', '', 'rolling'],
    ['ready: { for: 2s }', '', 'next_start'],
    ['stop: { timeout: 1s }', '', 'next_start'],
    ['drain: { timeout: 1s }', '', 'next_start'],
    ['hooks: { pre_start: a }', '', 'next_start'],
    ['instances: 3', '', 'live'],
    ['health: { tcp: 1 }', '', 'live'],
    ['max_memory: 1GB', '', 'live'],
    ['depends_on: [b]', '', 'live'],
    ['backoff: none', '', 'live'],
    ['rollout: { order: index }', '', 'live'],
    ['schedule: "@daily"', 'schedule: "@hourly"', 'live'],
    ['schedule: "@daily"\nrestart: never', 'restart: never', 'rolling'],
  ])('of %j to %j is %s', (before, after, effect) => {
    const found = comparePlans(read(before), read(after));
    expect(found.length).toBeGreaterThan(0);
    expect(new Set(found.map((change) => change.effect))).toEqual(new Set([effect]));
  });
});

describe('what is secret', () => {
  const environment = (before: string, after: string) =>
    comparePlans(programOf(`environment: { ${before} }`), programOf(`environment: { ${after} }`)).map(
      ({ key, from, to }) => `${key}: ${from} -> ${to}`,
    );

  test.each([
    'DB_PASSWORD',
    'PGPASS',
    'API_KEY',
    'client_secret',
    'GH_TOKEN',
    'AWS_CREDENTIALS',
    'BASIC_AUTH',
  ])('by its name, %s, is changed without being told', (name) => {
    expect(environment(`${name}: one`, `${name}: two`)).toEqual([
      `environment.${name}: (changed) -> (changed)`,
    ]);
    expect(environment('A: 1', `A: 1, ${name}: two`)).toEqual([
      `environment.${name}: (not set) -> (changed)`,
    ]);
  });

  test('in an address is changed without being told', () => {
    expect(environment('DB: "pg://ada:pw@db/a"', 'DB: "pg://db/a"')).toEqual([
      'environment.DB: (changed) -> (changed)',
    ]);
  });

  test('is nothing else', () => {
    expect(environment('PATH: /a, PORT: 1', 'PATH: /b, PORT: 2')).toEqual([
      'environment.PATH: /a -> /b',
      'environment.PORT: 1 -> 2',
    ]);
  });
});

describe('the keys of the daemon', () => {
  const compared = (before: string, after: string) =>
    compareSupervisor(planOf(`${before}\n${aProgram('')}`), planOf(`${after}\n${aProgram('')}`));
  const note = 'not applied: it takes effect when the daemon is started anew';

  test.each([
    ['name', 'orders', 'b'],
    ['run_dir', '/run/a', '/run/b'],
    ['state_dir', '/a', '/b'],
    ['log_dir', '/a', '/b'],
    ['socket_mode', '0600', '0660'],
  ])('cannot change while it runs: %s', (key, from, to) => {
    const rest = '"run_dir": /r, "state_dir": /s, "log_dir": /l,';
    const fixed = rest.replace(new RegExp(`"${key}": [^,]*,`), '').replaceAll('"', '');
    expect(
      compared(`supervisor: { ${fixed} ${key}: ${from} }`, `supervisor: { ${fixed} ${key}: ${to} }`),
    ).toEqual([{ program: '', key: `supervisor.${key}`, from, to, effect: 'immutable', note }]);
  });

  test('are live where they are of its log', () => {
    expect(compared('', 'supervisor: { logs: { format: json, keep: 3 } }')).toEqual([
      { program: '', key: 'supervisor.logs.keep', from: '10', to: '3', effect: 'live', note: null },
      { program: '', key: 'supervisor.logs.format', from: 'raw', to: 'json', effect: 'live', note: null },
    ]);
  });

  test('are live where they are shutdown_timeout', () => {
    expect(compared('', 'supervisor: { shutdown_timeout: 1m }')).toEqual([
      { program: '', key: 'supervisor.shutdown_timeout', from: 'none', to: '1m', effect: 'live', note: null },
    ]);
  });

  test('name the folders that follow from one that changed', () => {
    expect(compared('', 'supervisor: { state_dir: /s }').map(({ key }) => key)).toEqual([
      'supervisor.state_dir',
      'supervisor.log_dir',
    ]);
  });

  test('are the groups as well, each by its name, whatever their order', () => {
    expect(compared('groups: { a: [worker], b: [] }', 'groups: { b: [], a: [worker] }')).toEqual([]);
    expect(compared('groups: { a: [worker] }', 'groups: { a: [worker], b: [] }')).toEqual([
      { program: '', key: 'groups.b', from: '(not set)', to: '[]', effect: 'live', note: null },
    ]);
    expect(compared('groups: { a: [worker] }', '')).toMatchObject([{ key: 'groups.a', to: '(not set)' }]);
  });

  test('are none where only programs changed', () => {
    expect(compareSupervisor(planOf(aProgram('')), planOf(aProgram('instances: 2')))).toEqual([]);
  });
});

describe('a mistyped key', () => {
  const all = [...keysIn(PROGRAM)].map(({ path }) => path);

  test.each(all.map((path) => [path.join('.'), path] as const))(
    'is refused at its place, with the likely one: %s',
    (_name, path) => {
      const last = path.at(-1) ?? '';
      const wrong = `${last}${last.at(-1)}`;
      const goesWith = ['ready.interval', 'ready.timeout'].includes(path.join('.'))
        ? 'when: { tcp: 1 }, '
        : '';
      const written = `${goesWith}${wrong}: 1`;
      const inner = path.slice(0, -1).reduceRight((text, name) => `${name}: { ${text} }`, written);
      expect(saidOf(aProgram(inner))).toContain(`${wrong} | unknown key "${wrong}" [${last}]`);
    },
  );
});
