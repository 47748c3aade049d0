/** The keys of a program's whole life: how each is read, and what is said of those that cannot be. */
import { describe, expect, test } from 'vitest';
import type { ProgramPlan } from '../../src/core/plan.ts';
import { aProgram, planOf, programOf, saidOf, within } from './config.ts';

/** What the config says, where it is found in the plan, and what is found there. */
type Good = [keys: string, found: (program: ProgramPlan) => unknown, expected: unknown];

const NONE = { resources: {}, memoryMax: null, cpuMax: null };
const MB = 1024 * 1024;

const good: Good[] = [
  ['x-a: 1', (p) => p.envFiles, []],
  ['env_file: .env', (p) => p.envFiles, ['/srv/orders/.env']],
  ['env_file: [a, "/b/{{ index }}"]', (p) => p.envFiles, ['/srv/orders/a', '/b/{{index}}']],
  ['x-a: 1', (p) => [p.user, p.group, p.umask, p.nice], [null, null, null, null]],
  ['user: inherit\ngroup: inherit\numask: inherit\nnice: inherit', (p) => [p.user, p.umask], [null, null]],
  ['user: www-data\ngroup: staff', (p) => [p.user, p.group], ['www-data', 'staff']],
  ['user: 33\ngroup: "0"', (p) => [p.user, p.group], ['33', '0']],
  ['umask: 022', (p) => p.umask, 0o22],
  ['umask: "077"', (p) => p.umask, 0o77],
  ['umask: 0o027', (p) => p.umask, 0o27],
  ['umask: "0002"', (p) => p.umask, 2],
  ['nice: -20', (p) => p.nice, -20],
  ['nice: 19', (p) => p.nice, 19],
  ['nice: 0', (p) => p.nice, 0],
  ['x-a: 1', (p) => p.limits, NONE],
  ['limits: {}', (p) => p.limits, NONE],
  ['limits: { nofile: 65536, nproc: unlimited }', (p) => p.limits.resources, { nofile: 65536, nproc: null }],
  [
    'limits: { core: 0, stack: 8MB, as: 4096 }',
    (p) => p.limits.resources,
    { core: 0, stack: 8 * MB, as: 4096 },
  ],
  [
    'limits: { memlock: unlimited, fsize: 1KB, data: 1B, rss: inherit }',
    (p) => p.limits.resources,
    { memlock: null, fsize: 1024, data: 1 },
  ],
  ['limits: { cpu: 90 }', (p) => p.limits.resources, { cpu: 90 }],
  ['limits: { cpu: 1h30m }', (p) => p.limits.resources, { cpu: 5400 }],
  [
    'limits: { memory_max: 1GB, cpu_max: 150% }',
    (p) => p.limits,
    { ...NONE, memoryMax: 1024 * MB, cpuMax: 1.5 },
  ],
  ['limits: { memory_max: none, cpu_max: none }', (p) => p.limits, NONE],
  ['x-a: 1', (p) => [p.maxMemory, p.maxAgeMs], [null, null]],
  ['max_memory: 800MB', (p) => p.maxMemory, { bytes: 800 * MB, forMs: 30_000 }],
  ['max_memory: { size: 1.5GB, for: 1m }', (p) => p.maxMemory, { bytes: 1536 * MB, forMs: 60_000 }],
  ['max_memory: none', (p) => p.maxMemory, null],
  ['max_age: 12h', (p) => p.maxAgeMs, 43_200_000],
  ['x-a: 1', (p) => [p.essential, p.priority, p.dependsOn], [false, 0, {}]],
  ['essential: true\npriority: -5', (p) => [p.essential, p.priority], [true, -5]],
  ['x-a: 1', (p) => [p.schedule, p.restart], [null, 'always']],
  [
    'schedule: "*/5   * * * *"',
    (p) => [p.schedule, p.restart],
    [{ cron: '*/5 * * * *', timezone: null, overlap: 'skip' }, 'never'],
  ],
  [
    'schedule: { cron: 0 0 3 * * SUN, timezone: Europe/Berlin, overlap: allow }\nrestart: on_failure',
    (p) => [p.schedule, p.restart],
    [{ cron: '0 0 3 * * SUN', timezone: 'Europe/Berlin', overlap: 'allow' }, 'on_failure'],
  ],
  ['schedule: { cron: "@hourly", timezone: local }', (p) => p.schedule?.timezone, null],
  ['schedule: none', (p) => [p.schedule, p.restart], [null, 'always']],
  [
    'ready: { when: { log: listening } }',
    (p) => p.ready,
    { when: 'log', pattern: { kind: 'text', text: 'listening' }, timeoutMs: 30_000 },
  ],
  [
    'ready: { when: { log: "/ready in \\\\d+ms/i" }, timeout: none }',
    (p) => p.ready,
    { when: 'log', pattern: { kind: 'regex', source: 'ready in \\d+ms', flags: 'i' }, timeoutMs: null },
  ],
  [
    'ready: { when: { log: "/{{instance}} is up$/u" } }',
    (p) => (p.ready.when === 'log' ? p.ready.pattern : null),
    { kind: 'regex', source: '{{instance}} is up$', flags: 'u' },
  ],
  [
    'ready: { when: { log: /healthz } }',
    (p) => (p.ready.when === 'log' ? p.ready.pattern : null),
    { kind: 'text', text: '/healthz' },
  ],
  [
    'ready:\n  when: { exec: "is-ready \'a b\' {{index}}" }',
    (p) => p.ready,
    {
      when: 'check',
      check: { kind: 'exec', command: ['is-ready', 'a b', '{{index}}'] },
      intervalMs: 250,
      timeoutMs: 30_000,
    },
  ],
  [
    'shell: true\nready: { when: { exec: [a, "b; c"] }, interval: 10ms, timeout: 1s }',
    (p) => p.ready,
    { when: 'check', check: { kind: 'exec', command: ['a', 'b; c'] }, intervalMs: 10, timeoutMs: 1000 },
  ],
  [
    'ready: { when: { http: "http://localhost:80{{index}}/" } }',
    (p) => p.ready,
    {
      when: 'check',
      check: { kind: 'http', url: 'http://localhost:80{{index}}/' },
      intervalMs: 250,
      timeoutMs: 30_000,
    },
  ],
  ...(
    [
      ['80', 'localhost', '80'],
      ['"80{{index}}"', 'localhost', '80{{index}}'],
      ['db:5432', 'db', '5432'],
      ['"[::1]:80"', '::1', '80'],
      ['"{{program}}:80"', '{{program}}', '80'],
    ] as const
  ).map(
    ([tcp, host, port]): Good => [
      `ready: { when: { tcp: ${tcp} } }`,
      (p) => (p.ready.when === 'check' ? p.ready.check : null),
      { kind: 'tcp', host, port },
    ],
  ),
  [
    'ready: { when: { file: "run/{{index}}" } }',
    (p) => (p.ready.when === 'check' ? p.ready.check : null),
    { kind: 'file', path: '/srv/orders/run/{{index}}' },
  ],
  ['x-a: 1', (p) => [p.health, p.watchdogMs], [null, null]],
  [
    'health: { http: "https://a/b" }',
    (p) => p.health,
    {
      check: { kind: 'http', url: 'https://a/b' },
      intervalMs: 10_000,
      timeoutMs: 3000,
      failures: 3,
      action: 'restart',
    },
  ],
  [
    'health: { exec: a, interval: 1s, timeout: 2s, failures: 1, action: none }',
    (p) => p.health,
    {
      check: { kind: 'exec', command: ['a'] },
      intervalMs: 1000,
      timeoutMs: 2000,
      failures: 1,
      action: 'none',
    },
  ],
  ['health: none', (p) => p.health, null],
  ['watchdog: 30s', (p) => p.watchdogMs, 30_000],
  [
    'drain: { done_when: { exec: a b } }',
    (p) => [p.drain.doneWhen, p.drain.check],
    ['check', { kind: 'exec', command: ['a', 'b'] }],
  ],
  [
    'drain: { done_when: { http: "http://a" } }',
    (p) => [p.drain.doneWhen, p.drain.check],
    ['check', { kind: 'http', url: 'http://a' }],
  ],
  ['x-a: 1', (p) => p.hooks, { pre_start: null, post_start: null, pre_drain: null, post_stop: null }],
  [
    'hooks: { pre_start: a "b c", post_start: [d, e f], pre_drain: g, post_stop: { exec: h, on_failure: fail } }',
    (p) => p.hooks,
    {
      pre_start: { command: ['a', 'b c'], timeoutMs: 30_000, onFailure: 'fail' },
      post_start: { command: ['d', 'e f'], timeoutMs: 30_000, onFailure: 'fail' },
      pre_drain: { command: ['g'], timeoutMs: 30_000, onFailure: 'ignore' },
      post_stop: { command: ['h'], timeoutMs: 30_000, onFailure: 'fail' },
    },
  ],
  [
    'hooks: { pre_start: { exec: "./a {{instance}}", timeout: 5m, on_failure: ignore }, post_stop: none }',
    (p) => [p.hooks.pre_start, p.hooks.post_stop],
    [{ command: ['./a', '{{instance}}'], timeoutMs: 300_000, onFailure: 'ignore' }, null],
  ],
];

describe('a program', () => {
  test.each(good)('is read from %j', (keys, found, expected) => {
    expect(found(programOf(keys))).toEqual(expected);
  });

  test('keeps its variables and its options apart', () => {
    const program = programOf('environment: { instances: 5, user: root, command: rm, restart: never }');
    expect(program).toMatchObject({ instances: 1, user: null, command: ['sleep', '1'], restart: 'always' });
  });

  test('takes the words that stand for nothing from variables as well', () => {
    const world = within({ A: 'inherit', N: 'none', M: 'merge', S: '90' });
    const keys = `limits: { cpu: "\${S}", nofile: "\${U:-unlimited}" }\nuser: \${A}\nmax_age: \${N}\nbackoff: \${X:-none}\nlogs: { stderr: "\${M}" }`;
    expect(programOf(keys, world)).toMatchObject({
      limits: { resources: { cpu: 90, nofile: null } },
      user: null,
      maxAgeMs: null,
      backoff: null,
      logs: { stderr: 'merge' },
    });
  });
});

describe('what defaults say', () => {
  const read = (defaults: string, keys: string): ProgramPlan | undefined =>
    planOf(`defaults: { ${defaults} }\nprograms: { a: { command: x, ${keys} } }`).programs[0];

  test.each([
    ['health: { http: "http://a", interval: 1s }', 'health: { exec: a }', 'exec'],
    ['health: { http: "http://a", interval: 1s }', 'health: { failures: 2 }', 'http'],
    ['health: { interval: 1s }', 'health: { tcp: 1 }', 'tcp'],
  ])('of health, %s, is laid under %s', (defaults, keys, kind) => {
    expect(read(defaults, keys)?.health).toMatchObject({ check: { kind }, intervalMs: 1000 });
  });

  test('about when it is ready gives way to another form', () => {
    const program = read(
      'ready: { when: { http: "http://a" }, interval: 1s }',
      'ready: { when: { log: a } }',
    );
    expect(program?.ready).toEqual({
      when: 'log',
      pattern: { kind: 'text', text: 'a' },
      timeoutMs: 30_000,
    });
  });

  test('about when jobs are done gives way to a word, and to another form', () => {
    const defaults = 'drain: { done_when: { exec: a } }';
    expect(read(defaults, 'drain: { done_when: notify }')?.drain).toMatchObject({
      doneWhen: 'notify',
      check: null,
    });
    expect(read(defaults, 'drain: { done_when: { http: "http://a" } }')?.drain.check?.kind).toBe('http');
    expect(read(defaults, 'drain: { timeout: 1s }')?.drain.check?.kind).toBe('exec');
  });

  test('of a hook is laid under a map, and gives way to a command', () => {
    const defaults = 'hooks: { pre_start: { exec: a, timeout: 1s } }';
    expect(read(defaults, 'hooks: { pre_start: { exec: b } }')?.hooks.pre_start).toMatchObject({
      command: ['b'],
      timeoutMs: 1000,
    });
    expect(read(defaults, 'hooks: { pre_start: b }')?.hooks.pre_start?.timeoutMs).toBe(30_000);
    expect(read(defaults, 'hooks: { pre_start: none }')?.hooks.pre_start).toBe(null);
  });

  test('of `restart: always` does not reach a program with a schedule', () => {
    expect(read('restart: always', 'schedule: "@daily"')?.restart).toBe('never');
    expect(read('restart: on_failure', 'schedule: "@daily"')?.restart).toBe('on_failure');
    expect(read('restart: always', 'schedule: none')?.restart).toBe('always');
  });
});

const FORMS = 'spawned, notify, { log: … }, { exec: … }, { http: … }, { tcp: … } or { file: … }';
const ADDRESS = 'a port or HOST:PORT, such as 127.0.0.1:8080';
const URL_LIKE = 'a URL such as http://127.0.0.1:8080/health';

/** The keys below a program, and `what is marked | the sentence [the likely word]`. */
const bad: [keys: string, said: string][] = [
  ['env_file: ~/.env', `~/.env | worker.env_file does not know "~"; write \${HOME}/.env`],
  ['env_file: { a: b }', '{ a: b } | worker.env_file must be a path or a list of paths, not a map'],
  ['env_file: [a, ""]', '"" | worker.env_file[1] is empty; it must be a path'],
  ['envfile: a', 'envfile | unknown key "envfile" [env_file]'],
  ['env_files: [a]', 'env_files | unknown key "env_files" [env_file]'],
  ['user: a b', 'a b | worker.user must be the name or the number of a user, not "a b"'],
  ['user: www:staff', 'www:staff | worker.user must be a user alone; write `user: www` and `group: staff`'],
  ['user: 4294967295', '4294967295 | worker.user must be the name or the number of a user, not "4294967295"'],
  ['user:', 'user | worker.user has no value; it must be the name or the number of a user'],
  ['group: -1', '-1 | worker.group must be the name or the number of a group, not "-1"'],
  ['umask: 22', '22 | worker.umask must be permission bits to take away, such as "022", not "22" [022]'],
  ['umask: 18', '18 | worker.umask must be permission bits to take away, such as "022", not "18"'],
  ['umask: 0x12', '0x12 | worker.umask must be permission bits to take away, such as "022", not "0x12"'],
  ['umask: 1022', '1022 | worker.umask must be permission bits to take away, such as "022", not "1022"'],
  ['nice: 20', '20 | worker.nice must be a whole number from -20 to 19, not "20"'],
  ['nice: low', 'low | worker.nice must be a whole number from -20 to 19, not "low"'],
  ['limits: 5', '5 | worker.limits must be a map, not "5"'],
  ['limits: { nofiles: 5 }', 'nofiles | unknown key "nofiles" [nofile]'],
  [
    'limits: { nofile: -1 }',
    `-1 | worker.limits.nofile must be a whole number from 0 to ${Number.MAX_SAFE_INTEGER}, not "-1"`.replace(
      `0 to ${Number.MAX_SAFE_INTEGER}`,
      '0 up',
    ),
  ],
  ['limits: { nofile: 64KB }', '64KB | worker.limits.nofile must be a whole number from 0 up, not "64KB"'],
  [
    'limits: { core: 1.5 }',
    '1.5 | worker.limits.core must be a size such as 64MB, or a number of bytes, not "1.5"',
  ],
  ['limits: { cpu: 1500ms }', '1500ms | worker.limits.cpu must be whole seconds, not 1500ms'],
  [
    'limits: { cpu: soon }',
    'soon | worker.limits.cpu must be a whole number of seconds, or a duration such as 10m, not "soon"',
  ],
  ['limits: { memory_max: 1024 }', '1024 | worker.limits.memory_max is a size and needs a unit [1024MB]'],
  [
    'limits: { memory_max: 1G }',
    '1G | worker.limits.memory_max must be a size such as 800MB, not "1G" [1GB]',
  ],
  [
    'limits: { memory_max: unlimited }',
    'unlimited | worker.limits.memory_max must be a size such as 800MB, not "unlimited"',
  ],
  [
    'limits: { cpu_max: 1.5 }',
    '1.5 | worker.limits.cpu_max must be a percentage of one core, such as 150%, not "1.5" [1.5%]',
  ],
  [
    'limits: { cpu_max: 0% }',
    '0% | worker.limits.cpu_max must be a percentage of one core, such as 150%, not "0%"',
  ],
  ['max_memory: 800', '800 | worker.max_memory is a size and needs a unit [800MB]'],
  ['max_memory: 838860800', '838860800 | worker.max_memory is a size and needs a unit [838860800B]'],
  ['max_memory: 800mb', '800mb | worker.max_memory must be a size such as 800MB, not "800mb" [800MB]'],
  ['max_memory: 800MiB', '800MiB | worker.max_memory must be a size such as 800MB, not "800MiB" [800MB]'],
  ['max_memory: 0B', '0B | worker.max_memory must be more than 0B'],
  ['max_memory: much', 'much | worker.max_memory must be a size such as 800MB, not "much"'],
  ['max_memory: [1GB]', '[1GB] | worker.max_memory must be a size such as 800MB, not a list'],
  ['max_memory:', 'max_memory | worker.max_memory is empty; give it a value or remove it'],
  [
    'max_memory: { for: 3s }',
    'max_memory | worker.max_memory.size is missing; it must be a size such as 800MB',
  ],
  ['max_memory: { size: 1GB, four: 3s }', 'four | unknown key "four" [for]'],
  [
    'max_memory: 2GB\nlimits: { memory_max: 2048MB }',
    '2GB | max_memory (2GB) is not below limits.memory_max (2GB): the kernel would end it before it could be drained',
  ],
  ['max_age: 0s', '0s | worker.max_age must be at least 1s, not "0s"'],
  ['max_age: 3600', '3600 | worker.max_age is a duration and needs a unit [3600s]'],
  ['essential: yes', 'yes | worker.essential must be true or false, not "yes" [true]'],
  ['priority: high', 'high | worker.priority must be a whole number from -1000000 to 1000000, not "high"'],
  ['priority: 1.5', '1.5 | worker.priority must be a whole number from -1000000 to 1000000, not "1.5"'],
  [
    'schedule: "* * * *"',
    '"* * * *" | worker.schedule must have five fields (minute hour day month weekday), six with seconds in front, or @yearly, @monthly, @weekly, @daily or @hourly; this has 4 fields',
  ],
  [
    'schedule: 2030-01-01T00:00:00',
    '2030-01-01T00:00:00 | worker.schedule must have five fields (minute hour day month weekday), six with seconds in front, or @yearly, @monthly, @weekly, @daily or @hourly; this has 1 field',
  ],
  [
    'schedule: "61 * * * *"',
    '"61 * * * *" | worker.schedule cannot be read as a schedule: Invalid value for minute: 61',
  ],
  ['schedule: "0 0 31 2 *"', '"0 0 31 2 *" | worker.schedule never comes: no month has such a day'],
  [
    'schedule: { cron: 0 0 30 FEB * }',
    '0 0 30 FEB * | worker.schedule.cron never comes: no month has such a day',
  ],
  ['schedule: "? * * * *"', '"? * * * *" | worker.schedule cannot hold "?": write * for any'],
  [
    'schedule: "@reboot"',
    '"@reboot" | worker.schedule does not know @reboot; write @yearly, @monthly, @weekly, @daily or @hourly, or five fields',
  ],
  [
    'schedule: "{{index}} * * * *"',
    '{{ | worker.schedule cannot hold {{…}}: it is not read for each instance',
  ],
  [
    'schedule: { cron: "@daily", timezone: Europe/Berln }',
    'Europe/Berln | worker.schedule.timezone must be a time zone such as Europe/Berlin, not "Europe/Berln"',
  ],
  [
    'schedule: { cron: "@daily", overlap: quue }',
    'quue | worker.schedule.overlap must be skip, queue or allow, not "quue" [queue]',
  ],
  [
    'schedule: { timezone: UTC }',
    'schedule | worker.schedule.cron is missing; it must be a schedule such as "*/5 * * * *"',
  ],
  [
    'schedule: "@daily"\nrestart: always',
    'always | `restart: always` does not go with a schedule: each run is to end; write on_failure or never',
  ],
  ['schedule: */5 * * * *', '*/5 * * * * | a value that begins with * needs quotes: "*/5 * * * *"'],
  ['schedule: */5 8,18 * * *', '*/5 8,18 * * * | a value that begins with * needs quotes: "*/5 8,18 * * *"'],
  ['schedule: * * * * * # each', '* * * * * | a value that begins with * needs quotes: "* * * * *"'],
  [
    'schedule: { cron: */5 * * * *, overlap: skip }',
    '*/5 * * * * | a value that begins with * needs quotes: "*/5 * * * *"',
  ],
  ['cron: "@daily"', 'cron | unknown key "cron" [schedule]'],
  ['ready: { when: log }', `log | worker.ready.when must be ${FORMS}, not "log" [{ log: … }]`],
  ['ready: { when: [notify] }', `[notify] | worker.ready.when must be ${FORMS}, not a list`],
  ['ready: { when: {} }', `{} | worker.ready.when must be ${FORMS}`],
  ['ready: { when: { htp: a } }', 'htp | unknown key "htp" [http]'],
  [
    'ready: { when: { tcp: 1, http: "http://a" } }',
    'http | worker.ready.when cannot have both "tcp" and "http"',
  ],
  [
    'ready: { http: "http://a" }',
    'http | unknown key "http" here; it belongs under ready.when, health, drain.done_when or rollout.check',
  ],
  ['ready: { when: { tcp: 1 }, for: 1s }', 'for | "for" does not go with `when: tcp`; it is for spawned'],
  [
    'ready: { when: notify, interval: 1s }',
    'interval | "interval" does not go with `when: notify`; it is for exec, http, tcp or file',
  ],
  ['ready: { when: { tcp: 1 }, interval: 0s }', '0s | worker.ready.interval must be at least 10ms, not "0s"'],
  ['ready: { when: { log: "" } }', '"" | worker.ready.when.log is empty; every line has that in it'],
  [
    'ready: { when: { log: "/a(/" } }',
    '"/a(/" | worker.ready.when.log cannot be read as a regular expression: unterminated group',
  ],
  [
    'ready: { when: { log: /usr/bin/g } }',
    '/usr/bin/g | worker.ready.when.log has the flag "g"; a regular expression may have i, m, s, u and v here. For the text itself write /\\/usr\\/bin\\/g/',
  ],
  [
    'ready: { when: { log: a } }\nlogs: { stdout: none }',
    '{ when: { log: a } } | ready cannot wait for a line of output: neither stdout nor stderr goes to a file',
  ],
  [
    'ready: { when: { log: a } }\nlogs: { stdout: none, stderr: none }',
    '{ when: { log: a } } | ready cannot wait for a line of output: neither stdout nor stderr goes to a file',
  ],
  [
    'ready: { when: { log: a } }\nlogs: { stdout: /dev/stdout }',
    '{ when: { log: a } } | ready cannot wait for a line of output: neither stdout nor stderr goes to a file',
  ],
  ['ready: { when: { exec: "" } }', '"" | the command is empty'],
  [
    'ready: { when: { exec: "a \'b" } }',
    '"a \'b" | cannot split the command into words: a single quote (\') is opened and not closed',
  ],
  [
    'ready: { when: { http: ftp://a } }',
    'ftp://a | worker.ready.when.http must begin with http:// or https://, not "ftp://a"',
  ],
  [
    'ready: { when: { http: localhost:80/a } }',
    `localhost:80/a | worker.ready.when.http must be ${URL_LIKE}, not "localhost:80/a" [http://localhost:80/a]`,
  ],
  ['ready: { when: { http: /a } }', `/a | worker.ready.when.http must be ${URL_LIKE}, not "/a"`],
  [
    'ready: { when: { http: "http://a:b" } }',
    `"http://a:b" | worker.ready.when.http must be ${URL_LIKE}, not "http://a:b"`,
  ],
  [
    'ready: { when: { tcp: localhost } }',
    'localhost | worker.ready.when.tcp needs a port from 1 to 65535, not "localhost"',
  ],
  ['ready: { when: { tcp: 0 } }', '0 | worker.ready.when.tcp needs a port from 1 to 65535, not "0"'],
  [
    'ready: { when: { tcp: "a:70000" } }',
    '"a:70000" | worker.ready.when.tcp needs a port from 1 to 65535, not "70000"',
  ],
  ['ready: { when: { tcp: "::1:80" } }', `"::1:80" | worker.ready.when.tcp must be ${ADDRESS}, not "::1:80"`],
  [
    'ready: { when: { file: "a/{{indx}}" } }',
    '{{indx}} | there is no "{{indx}}"; an instance knows {{program}}, {{instance}} and {{index}} [{{index}}]',
  ],
  ['health: { interval: 1s }', 'health | health needs one of exec, http and tcp: what to ask'],
  ['health: { exec: a, tcp: 1 }', '1 | health cannot have both "exec" and "tcp"'],
  ['health: { htp: a }', 'htp | unknown key "htp" [http]'],
  [
    'health: { exec: a, failures: 0 }',
    '0 | worker.health.failures must be a whole number from 1 to 1000000, not "0"',
  ],
  ['health: { exec: a, action: kill }', 'kill | worker.health.action must be restart or none, not "kill"'],
  ['health: { exec: a, timeout: 0s }', '0s | worker.health.timeout must be at least 1ms, not "0s"'],
  ['health: http', 'http | worker.health must be a map, not "http"'],
  ['healthcheck: {}', 'healthcheck | unknown key "healthcheck" [health]'],
  ['watchdog: 0s', '0s | worker.watchdog must be at least 1ms, not "0s"'],
  [
    'drain: { done_when: { tcp: 1 } }',
    'tcp | unknown key "tcp" here; it belongs under ready.when, health or rollout.check',
  ],
  ['drain: { done_when: { exec: [] } }', '[] | the command is empty'],
  ['hooks: { prestart: a }', 'prestart | unknown key "prestart" [pre_start]'],
  ['hooks: { pre_start: "" }', '"" | the command is empty'],
  ['hooks: { pre_start: }', 'pre_start | worker.hooks.pre_start is empty; give it a value or remove it'],
  [
    'hooks: { pre_start: { timeout: 1s } }',
    'pre_start | worker.hooks.pre_start.exec is missing; it must be a command line or a list of words',
  ],
  [
    'hooks: { pre_start: { exec: a, timeout: none } }',
    'none | worker.hooks.pre_start.timeout cannot be none: it needs an end, such as 10s',
  ],
  [
    'hooks: { post_stop: { exec: a, on_failure: stop } }',
    'stop | worker.hooks.post_stop.on_failure must be fail or ignore, not "stop"',
  ],
  ['exec: a', 'exec | unknown key "exec" [command]'],
  ['pre_start: a', 'pre_start | unknown key "pre_start" here; it belongs under hooks'],
];

describe('a mistake', () => {
  test.each(bad)('is found in %j', (keys, said) => {
    expect(saidOf(aProgram(keys))).toEqual([said]);
  });

  test('in defaults is told once, and needs no whole', () => {
    const programs = 'programs: { a: { command: x, health: { tcp: 1 } }, b: { command: x } }';
    expect(saidOf(`defaults: { health: { interval: 1s, failures: x } }\n${programs}`)).toHaveLength(1);
    expect(
      saidOf(`defaults: { hooks: { pre_start: { timeout: 1s } }, max_memory: { for: 1s } }\n${programs}`),
    ).toEqual(expect.arrayContaining([expect.stringContaining('a.max_memory.size is missing')]));
  });
});
