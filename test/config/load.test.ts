import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { loadConfig, parseConfig } from '../../src/config/load.ts';
import { EFFECT_OF } from '../../src/core/change.ts';
import { aProgram, FILE, mistakesIn, planOf, programOf, saidOf, WORLD, within } from './config.ts';

describe('a config file', () => {
  let folder = '';
  beforeEach(() => {
    folder = realpathSync(mkdtempSync(join(tmpdir(), 'config-')));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const said = (content: string | Uint8Array): string | undefined => {
    const file = join(folder, 'supervisor.yaml');
    writeFileSync(file, content);
    const loaded = loadConfig(file, WORLD);
    return loaded.ok ? undefined : loaded.error.map(({ line, message }) => `${line} ${message}`).join('\n');
  };

  test('is read, with its text', () => {
    const file = join(folder, 'supervisor.yaml');
    writeFileSync(file, aProgram(''));
    expect(loadConfig(file, WORLD)).toMatchObject({
      ok: true,
      value: { text: aProgram(''), plan: { configFile: file, programs: [{ directory: folder }] } },
    });
  });

  test('that does not exist is one mistake', () => {
    const file = join(folder, 'none.yaml');
    const message = 'cannot read the config: there is no such file';
    expect(loadConfig(file, WORLD)).toEqual({
      ok: false,
      error: [{ file, line: 0, column: 0, length: 0, message }],
    });
  });

  test('that is a folder is one mistake', () => {
    const file = join(folder, 'supervisor.yaml');
    mkdirSync(file);
    expect(loadConfig(file, WORLD)).toMatchObject({
      error: [{ message: 'cannot read the config: this is a folder, not a file' }],
    });
  });

  test('that is no regular file is not waited for', () => {
    expect(loadConfig('/dev/zero', WORLD)).toMatchObject({
      error: [{ message: 'cannot read the config: this is no regular file, so it could not be read again' }],
    });
  });

  test.each([
    ['a large one', 'x'.repeat(1024 * 1024 + 1), '0 cannot read the config: it is larger than 1 MB'],
    ['one of bytes', Uint8Array.of(0x61, 0xff, 0xfe), '0 cannot read the config: it is not UTF-8 text'],
    ['an empty one', '', '1 the file is empty; a config needs at least `programs:` with one program'],
    ['one of comments', '# a\n', '1 the file is empty; a config needs at least `programs:` with one program'],
    ['a list', '- a\n', '1 a config is a map of keys, such as `programs:`'],
    ['a text', 'hello\n', '1 a config is a map of keys, such as `programs:`'],
  ])('is refused in one sentence: %s', (_what, content, expected) => {
    expect(said(content)).toBe(expected);
  });

  test('may begin with a byte order mark', () => {
    expect(said(`\uFEFF${aProgram('')}`)).toBe(undefined);
    expect(mistakesIn('\uFEFFbad: 1\nprograms: {}')).toMatchObject([{ line: 1, column: 1 }]);
  });

  test('may have the line ends of another system', () => {
    expect(said(aProgram('instances: 3').replaceAll('\n', '\r\n'))).toBe(undefined);
    expect(saidOf('programs:\r\n  worker:\r\n    command: a\r\n    instances: x\r\n')).toHaveLength(1);
  });
});

describe('the syntax', () => {
  test.each([
    ['programs:\n\tworker: 1', '\t | a tab cannot indent in YAML; use spaces'],
    ['a: b: c', 'b | a value cannot hold `: ` unless it is in quotes'],
    ['a: 1\n---\nb: 2', '--- | a second document begins here; a config is one document'],
    ['programs: *x', '*x | there is no anchor "&x" before this'],
    ['programs: !env X', '!env | unresolved tag: !env; a config has no tags'],
    ['programs: &a\n  b: *a', '*a | the alias "*a" is inside what it stands for'],
    ['programs: { a: { command: {{index}} } }', '{index} | a key must be plain text; write {{…}} in quotes'],
  ])('of %j is a mistake', (text, said) => {
    const [first = ''] = saidOf(text);
    expect(first.trimStart()).toBe(said.trimStart());
  });

  test('has the words of the parser where these are plain', () => {
    expect(saidOf('a: "b').at(0)).toContain('cannot read this as YAML: missing closing');
  });

  test('is told in full, for every place', () => {
    expect(mistakesIn('a: @b\nc: `d\n')).toHaveLength(2);
  });

  test('has no key twice', () => {
    const text = 'programs:\n  a:\n    command: b\n    instances: 1\n    command: c\n';
    expect(saidOf(text)).toEqual(['command | "command" is given twice; the first is on line 3']);
    expect(mistakesIn(text)).toMatchObject([{ line: 5, column: 5, length: 7 }]);
  });

  test('may not grow without end by aliases', () => {
    const lines = ['x-0: &a0 [a, a, a, a, a, a, a, a, a, a]'];
    for (let level = 1; level < 9; level++) {
      lines.push(`x-${level}: &a${level} [${Array.from({ length: 10 }, () => `*a${level - 1}`).join(', ')}]`);
    }
    expect(saidOf(`${lines.join('\n')}\n${aProgram('')}`)).toEqual([
      '*a5 | the aliases make more than 200000 parts of this file; write less',
    ]);
  });

  test('may not be nested without end', () => {
    const deep = 'this is nested more than 100 deep';
    expect(mistakesIn('['.repeat(100_000))).toMatchObject([{ column: 100, message: deep }]);
    expect(mistakesIn(`a: ${'{b: '.repeat(50_000)}`)).toMatchObject([{ message: deep }]);
    expect(mistakesIn('- '.repeat(50_000))).toMatchObject([{ message: deep }]);
    expect(mistakesIn('? '.repeat(50_000))).toMatchObject([{ message: deep }]);
  });

  test('of a large file is read within the deadline of this test', () => {
    expect(mistakesIn('a: 1\n'.repeat(20_000))).toHaveLength(100);
    const programs = Array.from({ length: 5000 }, (_, n) => `  p${n}: { command: a, instances: x }`);
    expect(mistakesIn(`programs:\n${programs.join('\n')}`)).toHaveLength(100);
  });
});

describe('anchors and merges', () => {
  test('give one map to several programs, each free to say otherwise', () => {
    const plan = planOf(
      'x-base: &base { command: a, instances: 3, stop: { timeout: 1s } }\n' +
        'programs:\n  a: { <<: *base }\n  b:\n    <<: *base\n    instances: 2\n    stop: { signal: INT }\n',
    );
    expect(plan.programs.map(({ instances, stop }) => [instances, stop])).toEqual([
      [3, { signal: 'TERM', timeoutMs: 1000 }],
      [2, { signal: 'INT', timeoutMs: 10_000 }], // a merge is not deep
    ]);
  });

  test('take the first of a list of maps', () => {
    const text = 'x-a: &a { instances: 2 }\nx-b: &b { instances: 3, command: c }\n';
    expect(planOf(`${text}programs: { w: { <<: [*a, *b] } }`).programs[0]).toMatchObject({ instances: 2 });
  });

  test('take the last anchor of a name', () => {
    const text = 'x-a: &a one\nx-b: &a two\nprograms: { w: { command: *a } }';
    expect(planOf(text).programs[0]?.command).toEqual(['two']);
  });

  test('mark a mistake where it is written, once', () => {
    expect(saidOf('x-a: &a { command: c, drian: 1 }\nprograms: { v: *a, w: { <<: *a } }')).toEqual([
      'drian | unknown key "drian" [drain]',
    ]);
  });

  test('merge maps only', () => {
    expect(saidOf('programs: { w: { <<: 3, command: a } }')).toEqual([
      '3 | only a map can be merged by `<<`',
    ]);
  });
});

describe('defaults', () => {
  const twoPrograms =
    'programs:\n  a: { command: x }\n  b: { command: x, stop: { signal: INT }, ready: { when: spawned } }\n';

  test('apply to each program, map by map', () => {
    const plan = planOf(`defaults: { instances: 2, stop: { timeout: 3s } }\n${twoPrograms}`);
    expect(plan.programs.map(({ instances, stop }) => ({ instances, ...stop }))).toEqual([
      { instances: 2, signal: 'TERM', timeoutMs: 3000 },
      { instances: 2, signal: 'INT', timeoutMs: 3000 },
    ]);
  });

  test('lay variables over variables', () => {
    const text =
      'defaults: { environment: { A: 1, B: 1 } }\nprograms: { a: { command: x, environment: { B: 2 } } }';
    expect(planOf(text).programs[0]?.environment).toEqual({ A: '1', B: '2' });
  });

  test('of another way to be ready do not disturb', () => {
    const plan = planOf(`defaults: { ready: { when: notify, timeout: 3s } }\n${twoPrograms}`);
    expect(plan.programs.map(({ ready }) => ready)).toEqual([
      { when: 'notify', timeoutMs: 3000 },
      { when: 'spawned', forMs: 1000 },
    ]);
  });

  test('may hold what only some programs choose', () => {
    const text =
      'defaults: { ready: { timeout: 3s } }\nprograms: { a: { command: x, ready: { when: notify } } }';
    expect(planOf(text).programs[0]?.ready).toEqual({ when: 'notify', timeoutMs: 3000 });
  });

  test('give way to none, and none to a map', () => {
    const off = 'defaults: { backoff: { max: 5s } }\nprograms: { a: { command: x, backoff: none } }';
    expect(planOf(off).programs[0]?.backoff).toBe(null);
    const on = 'defaults: { backoff: none }\nprograms: { a: { command: x, backoff: { max: 5s } } }';
    expect(planOf(on).programs[0]?.backoff).toMatchObject({ maxMs: 5000, initialMs: 100 });
  });

  test('are checked where no program uses them, and told once where many do', () => {
    const mistake = 'defaults: { stop: { timeout: 3 } }\n';
    const said = ['3 | defaults.stop.timeout is a duration and needs a unit [3s]'];
    expect(saidOf(`${mistake}${twoPrograms}`)).toEqual(said);
    expect(saidOf(`${mistake}programs: { a: { command: x, stop: { timeout: 1s } } }`)).toEqual(said);
  });
});

describe('all mistakes', () => {
  test('are told at once, in the order of the file', () => {
    const text =
      'supervisor: { nmae: a }\nprograms:\n  a: { comand: x }\n  b: { command: y, instances: z }\ngroups: { g: [c] }\n';
    expect(mistakesIn(text).map(({ line, column }) => [line, column])).toEqual([
      [1, 15],
      [3, 8],
      [4, 31],
      [5, 15],
    ]);
  });

  test('name the file as it was given', () => {
    expect(parseConfig('a: 1', 'here.yaml', WORLD)).toMatchObject({ error: [{ file: 'here.yaml' }, {}] });
  });
});

describe('variables', () => {
  test('come from the environment, in any value', () => {
    const world = within({ N: '3', D: 'data', EMPTY: '' });
    const program = programOf(
      `instances: \${N}\ndirectory: \${D}/x\nenvironment: { A: "\${EMPTY:-b} $$5 \${EMPTY}" }`,
      world,
    );
    expect(program.instances).toBe(3);
    expect(program.directory).toBe('/srv/orders/data/x');
    expect(program.environment).toEqual({ A: 'b $5 ' });
  });

  test('may stand for a number in quotes', () => {
    expect(programOf(`instances: "\${N:-4}"`).instances).toBe(4);
  });

  test('that are missing are marked where they stand', () => {
    expect(saidOf(aProgram(`command: run \${A} \${B:?tell the queue} \${1}`))).toEqual([
      `\${A} | the environment has no A; set it, or write \${A:-default}`,
      `\${B:?tell the queue} | B: tell the queue`,
      `\${1} | cannot read "\${1}"; write \${NAME}, \${NAME:-default}, or $$ for a plain $`,
    ]);
  });

  test('are never those that every object has', () => {
    expect(saidOf(aProgram('command: run $' + '{constructor}'))).toHaveLength(1);
  });

  test('that no instance has are marked where they stand', () => {
    expect(saidOf(aProgram('command: run {{indx}}'))).toEqual([
      '{{indx}} | there is no "{{indx}}"; an instance knows {{program}}, {{instance}} and {{index}} [{{index}}]',
    ]);
  });
});

describe('log files', () => {
  const two = (a: string, b: string): string[] =>
    saidOf(`programs:\n  a: { command: x, logs: ${a} }\n  b: { command: x, logs: ${b} }\n`);

  test('cannot be shared by instances', () => {
    const shared = 'the 2 instances of worker cannot share one log file; put {{index}} into its path';
    expect(saidOf(aProgram('instances: 2\nlogs: { stdout: a.log }'))).toEqual([`a.log | ${shared}`]);
    expect(saidOf(aProgram('instances: 2\nlogs: { stderr: "{{program}}" }'))).toEqual([
      `"{{program}}" | ${shared}`,
    ]);
    expect(saidOf(aProgram('instances: 2\nlogs: { stdout: "{{index}}", stderr: "{{instance}}" }'))).toEqual(
      [],
    );
    expect(saidOf(aProgram('instances: 1\nlogs: { stdout: a.log }'))).toEqual([]);
    const job = (overlap: string) => `restart: never\nschedule: { cron: "@daily", overlap: ${overlap} }`;
    expect(saidOf(aProgram(`${job('queue')}\nlogs: { stdout: a.log }`))).toEqual([]);
    expect(saidOf(aProgram(`${job('allow')}\nlogs: { stdout: a.log }`))).toEqual([
      'a.log | runs of worker, of which `overlap: allow` has several at once, cannot share one log file; put {{index}} into its path',
    ]);
  });

  test('cannot be shared by programs', () => {
    expect(two('{ stdout: l }', '{ stderr: ./l }')).toEqual([
      './l | b and a cannot share the log file /srv/orders/l; give each its own',
    ]);
    expect(two('{ stdout: a-0 }', '{ stdout: "a-{{index}}" }')).toHaveLength(1);
    expect(two('{ stdout: "{{program}}" }', '{ stdout: "{{program}}" }')).toEqual([]);
    expect(two('{ stdout: /dev/null }', '{ stdout: /dev/null }')).toEqual([]);
  });

  test('cannot be those that another program has by default', () => {
    const file = '/home/ada/.local/state/tsup-visor/orders/logs/b-0.log';
    expect(two(`{ stdout: ${file} }`, '{}')).toEqual([
      `${file} | b and a cannot share the log file ${file}; give each its own`,
    ]);
  });
});

test('the plan says nothing of what the config does not know', () => {
  expect(parseConfig(aProgram('x-a: 1'), FILE, WORLD)).toMatchObject({ ok: true });
  expect(Object.keys(programOf('x-a: 1')).sort()).toEqual(Object.keys(EFFECT_OF).sort());
});
