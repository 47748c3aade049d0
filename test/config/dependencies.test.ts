import { describe, expect, test } from 'vitest';
import { mistakesIn, planOf, saidOf, within } from './config.ts';

/** Programs by name, each with these keys beside its command. */
const programs = (all: Readonly<Record<string, string>>): string =>
  `programs:\n${Object.entries(all)
    .map(([name, keys]) => `  ${name}: { command: x${keys === '' ? '' : `, ${keys}`} }\n`)
    .join('')}`;

const needs = (...names: string[]): string => `depends_on: [${names.join(', ')}]`;

describe('depends_on', () => {
  test('is a list of programs that must be ready', () => {
    expect(planOf(programs({ a: needs('b', 'c'), b: '', c: '' })).programs[0]?.dependsOn).toEqual({
      b: 'ready',
      c: 'ready',
    });
  });

  test('is a map that says what each must be', () => {
    const text = programs({
      a: 'depends_on: { b: started, c: ready, d: completed }',
      b: '',
      c: '',
      d: 'restart: never',
    });
    expect(planOf(text).programs[0]?.dependsOn).toEqual({ b: 'started', c: 'ready', d: 'completed' });
  });

  test('may name programs that come later, have odd names, or depend on the same', () => {
    const text = programs({ constructor: needs('"10"', 'd'), '"10"': needs('d'), d: '' });
    expect(planOf(text).programs[0]?.dependsOn).toEqual({ 10: 'ready', d: 'ready' });
  });

  test.each([
    [
      'depends_on: b',
      'b | a.depends_on must be a list of programs, or a map of programs to started, ready or completed, not "b"',
    ],
    ['depends_on: [b, b]', 'b | a.depends_on has "b" twice'],
    ['depends_on: { b: up }', 'up | a.depends_on.b must be started, ready or completed, not "up"'],
    [
      'depends_on: { b: complete }',
      'complete | a.depends_on.b must be started, ready or completed, not "complete" [completed]',
    ],
    ['depends_on: [redsi]', 'redsi | depends_on names "redsi", which is no program [redis]'],
    ['depends_on: { redsi: ready }', 'redsi | depends_on names "redsi", which is no program [redis]'],
    ['depends_on: [zzzzzz]', 'zzzzzz | depends_on names "zzzzzz", which is no program'],
    ['depend_on: [b]', 'depend_on | unknown key "depend_on" [depends_on]'],
    ['needs: [b]', 'needs | unknown key "needs" [depends_on]'],
  ])('is refused: %s', (keys, said) => {
    expect(saidOf(programs({ a: keys, b: '', redis: '' }))).toEqual([said]);
  });

  test('names a program that has mistakes of its own without another mistake', () => {
    expect(saidOf(programs({ a: needs('b'), b: 'instances: x' }))).toHaveLength(1);
  });
});

describe('a name that comes of a variable', () => {
  const text = programs({ a: `depends_on: ["\${DB}"]`, redis: '' });

  test('is a dependency', () => {
    expect(planOf(text, within({ DB: 'redis' })).programs[0]?.dependsOn).toEqual({ redis: 'ready' });
  });

  test('is refused when it is no program, or goes in a circle', () => {
    expect(saidOf(text, within({ DB: 'redsi' }))).toEqual([
      `["\${DB}"] | depends_on names "redsi", which is no program [redis]`,
    ]);
    expect(saidOf(text, within({ DB: 'a' }))).toEqual([`["\${DB}"] | depends_on goes in a circle: a -> a`]);
  });
});

describe('a circle', () => {
  const said = (all: Readonly<Record<string, string>>): string[] => saidOf(programs(all));

  test('of one is a mistake at its place', () => {
    expect(said({ a: needs('a') })).toEqual(['a | depends_on goes in a circle: a -> a']);
    expect(mistakesIn('programs:\n  a:\n    command: x\n    depends_on:\n      - a\n')).toMatchObject([
      { line: 5, column: 9, length: 1 },
    ]);
  });

  test('is named with its path, where it closes', () => {
    expect(said({ a: needs('b'), b: 'depends_on: { c: started }', c: needs('a') })).toEqual([
      'a | depends_on goes in a circle: a -> b -> c -> a',
    ]);
  });

  test('is told without what leads to it', () => {
    expect(said({ a: needs('b'), b: needs('c'), c: needs('b'), d: needs('c') })).toEqual([
      'b | depends_on goes in a circle: b -> c -> b',
    ]);
  });

  test('is told for each', () => {
    expect(said({ a: needs('b'), b: needs('a'), c: needs('d', 'c'), d: needs('c') })).toEqual([
      'a | depends_on goes in a circle: a -> b -> a',
      'c | depends_on goes in a circle: c -> c',
      'c | depends_on goes in a circle: c -> d -> c',
    ]);
  });

  test('that comes of defaults is told there', () => {
    const text = `defaults: { depends_on: [redis] }\n${programs({ worker: '', redis: '' })}`;
    expect(saidOf(text)).toEqual(['redis | depends_on goes in a circle: redis -> redis']);
    expect(saidOf(text.replace('redis: { command: x', 'redis: { command: x, depends_on: []'))).toEqual([]);
  });

  test('is none where two ways lead to one program', () => {
    expect(said({ a: needs('b', 'c'), b: needs('d'), c: needs('d'), d: '' })).toEqual([]);
  });

  test('is found at the end of a chain as long as a file may be', () => {
    const count = 12_000;
    const chain = Array.from(
      { length: count },
      (_, n) => `  p${n}: { command: x, depends_on: [p${(n + 1) % count}] }\n`,
    );
    const [mistake, ...more] = mistakesIn(`programs:\n${chain.join('')}`);
    expect(more).toEqual([]);
    expect(mistake).toMatchObject({ line: count + 1 });
    expect(mistake?.message).toMatch(
      /^depends_on goes in a circle: p0 -> p1 -> .* -> … 11983 more … -> .* -> p0$/,
    );
  }, 30_000);
});

describe('completed', () => {
  const said = (keys: string): string[] => saidOf(programs({ a: 'depends_on: { b: completed }', b: keys }));

  test.each(['restart: on_failure', 'restart: never'])('can be waited for with %s', (keys) => {
    expect(said(keys)).toEqual([]);
  });

  test('never comes of a program that is always restarted', () => {
    expect(said('')).toEqual([
      'b | b is never completed: it has `restart: always`; give it `restart: on_failure` or `never`',
    ]);
  });

  test('never comes of a program with a schedule', () => {
    expect(said('schedule: "@daily"')).toEqual([
      'b | b is never completed: it has a schedule, and waits for its next time',
    ]);
  });
});
