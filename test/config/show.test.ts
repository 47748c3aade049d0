import { describe, expect, test } from 'vitest';
import { comparePlans } from '../../src/config/compare.ts';
import { showConfig } from '../../src/config/show.ts';
import { aProgram, planOf, programOf, WORLD } from './config.ts';

const dollar = '$';

const texts = [
  aProgram(''),
  aProgram(
    'command: echo "a b" \'\' {{index}}\nenvironment: { A: "1", B: "null", C: " x ", D: "a: b # c", E: "yes" }',
  ),
  aProgram(
    `command: echo $$ $$$$ $${dollar}{A} $1\nshell: true\nenvironment: { A: "$$$$$${dollar}{B}", B: "l1\\nl2\\n" }`,
  ),
  aProgram('backoff: none\nready: { when: notify, timeout: none }\ninherit_environment: [A, B]'),
  aProgram('backoff: { jitter: 7.3%, factor: 1.25, max: 1h1m1s1ms }\nrollout: { max_parallel: 33.3% }'),
  aProgram('drain: { timeout: none }\nstop: { timeout: 1500ms }\nrollout: { healthy_deadline: none }'),
  aProgram('logs: { stdout: "a b-{{index}}.log", stderr: none }\nsuccess_exit_codes: [3, 1]\ninstances: 0'),
  `supervisor: { name: x, socket_mode: 0660, shutdown_timeout: 1m, run_dir: "/r #1", state_dir: "/s: t" }\n${aProgram('')}`,
  'groups: { g: [b, "10", a], "2": [] }\nprograms:\n  b: { command: x }\n  "10": { command: x }\n  "2": { command: y }\n  a: { command: z }\n',
  'programs: { a: { command: ["", x], shell: false } }'.replace('"", ', ''),
  'programs: {}',
  aProgram('env_file: .env\nuser: "0042"\ngroup: www\numask: 022\nnice: -5\nmax_age: 1d\nmax_memory: 1.5GB'),
  aProgram(
    'limits: { nofile: 65536, core: 0, nproc: unlimited, stack: 8MB, cpu: 90, as: 1000, memory_max: 1GB, cpu_max: 150% }',
  ),
  aProgram('max_memory: { size: 1000B, for: 0s }\npriority: -3\nessential: true\nwatchdog: 1500ms'),
  ...[
    'notify',
    '{ log: a b }',
    "{ log: '/a\\d{2}$/iu' }",
    `{ log: "$${dollar}{A} {{index}}" }`,
    '{ exec: "sh -c \'a b\'" }',
    '{ http: "http://a:8{{index}}/?b=$1" }',
    '{ tcp: "[::1]:{{index}}1" }',
    '{ tcp: 80 }',
    '{ file: "{{instance}}.pid" }',
  ].map((when) => aProgram(`ready: { when: ${when}, timeout: 1m }`)),
  aProgram('ready: { when: { tcp: 1 }, interval: 1s }\nhealth: { tcp: "a:1", action: none, failures: 1 }'),
  aProgram('health: { exec: [a, "b c"], interval: 1m, timeout: 1s }\ndrain: { done_when: { exec: a b } }'),
  aProgram('health: { http: "https://a" }\ndrain: { done_when: { http: "http://a" } }'),
  aProgram(
    'schedule: "0 */2 * * MON-FRI"\nhooks: { pre_start: "a \'b c\'", post_stop: { exec: [d], timeout: 1s } }',
  ),
  aProgram('schedule: { cron: "@daily", timezone: Europe/Berlin, overlap: queue }\nrestart: on_failure'),
  'programs: { a: { command: x }, b: { command: x, restart: never }, c: { command: x, depends_on: { a: started, b: completed } }, d: { command: x, depends_on: [c, a] } }',
];

describe('the effective config', () => {
  test.each(texts)('loads to the same plan: %j', (text) => {
    const plan = planOf(text);
    const shown = showConfig(plan);
    expect(planOf(shown)).toEqual(plan);
  });

  test('has every program in the order of the file', () => {
    expect(planOf(texts[8] ?? '').programs.map(({ name }) => name)).toEqual(['b', '10', '2', 'a']);
  });

  test('depends on no environment any more', () => {
    const plan = planOf(aProgram(`command: a ${dollar}{X}`), { ...WORLD, environment: { X: '$1{{index}}' } });
    expect(plan.programs[0]?.command).toEqual(['a', '$1{{index}}']);
    expect(planOf(showConfig(plan))).toEqual(plan);
  });
});

describe('two plans of a program', () => {
  const changes = (before: string, after: string) =>
    comparePlans(programOf(before), programOf(after)).map(({ key, from, to }) => `${key}: ${from} -> ${to}`);

  test('that are the same differ in nothing', () => {
    expect(
      changes('environment: { A: 1, B: 2 }', 'stop: { timeout: 10s }\nenvironment: { B: 2, A: 1 }'),
    ).toEqual([]);
  });

  test('differ key by key, in the words of the config', () => {
    expect(
      changes(
        'command: a b\ndrain: { timeout: 5m }\nenvironment: { A: 1, B: 2 }\ninstances: 2',
        'command: a "b c"\ndrain: { timeout: none }\nenvironment: { B: 3, C: 4 }\nready: { when: notify }',
      ),
    ).toEqual([
      "command: a b -> a 'b c'",
      'instances: 2 -> 1',
      'environment.A: 1 -> (not set)',
      'environment.B: 2 -> 3',
      'environment.C: (not set) -> 4',
      'ready.when: spawned -> notify',
      'ready.for: 1s -> (not set)',
      'ready.timeout: (not set) -> 30s',
      'drain.timeout: 5m -> none',
    ]);
  });

  test('differ as a whole where one of them has no keys', () => {
    expect(changes('backoff: none', 'x-a: 1')).toEqual([
      'backoff: none -> { initial: 100ms, factor: 2, max: 30s, jitter: 10%, reset_after: 10s, give_up_after: 10 }',
    ]);
    expect(changes('success_exit_codes: [0, 1]', 'inherit_environment: [A]')).toEqual([
      'inherit_environment: true -> [A]',
      'success_exit_codes: [0, 1] -> [0]',
    ]);
  });

  test('name the program', () => {
    expect(comparePlans(programOf('instances: 1'), programOf('instances: 2'))).toEqual([
      { program: 'worker', key: 'instances', from: '1', to: '2', effect: 'live', note: null },
    ]);
  });
});

describe('the revision', () => {
  test('is eight hex digits', () => {
    expect(programOf('').revision).toMatch(/^[0-9a-f]{8}$/);
  });

  test('does not depend on the order of keys', () => {
    const [one, two] = ['{ A: 1, B: 2 }', '{ B: 2, A: 1 }'].map(
      (map) => programOf(`environment: ${map}`).revision,
    );
    expect(one).toBe(two);
  });

  test.each([
    ['instances: 3\nautostart: false', true],
    ['x-note: new', true],
    ['command: sleep   "1"', true],
    ['command: sleep 2', false],
    ['environment: { A: 1 }', false],
    ['stop: { timeout: 11s }', false],
    ['directory: /', false],
    ['logs: { stderr: none }', false],
  ])('of %j is the same as before: %s', (keys, same) => {
    expect(programOf(keys).revision === programOf('').revision).toBe(same);
  });
});
