import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { TOP } from '../../src/config/keys.ts';
import { parseConfig } from '../../src/config/load.ts';
import { type KnownKey, keysIn } from '../../src/config/walk.ts';
import { aProgram, FILE, saidOf, WORLD } from './config.ts';
import { EXAMPLE, EXAMPLE_FILE, keysOfExample, UNCOMMENTED } from './example.ts';

const known = [...keysIn(TOP)].filter(({ path }) => path[0] !== 'defaults' || path.length === 1);
const pathOf = ({ path }: KnownKey): string => path.join('.');

const example = keysOfExample();
const at = (path: string) => example.filter((one) => one.path === path && !one.other);
const others = example.filter(({ other }) => other);

/** `when: { exec: … }` is a form of `when`, shown as another way to write it. */
const isForm = ({ path }: KnownKey): boolean => ['when', 'done_when'].includes(path.at(-2) ?? '');

describe('the example', () => {
  test('loads', () => {
    const loaded = parseConfig(EXAMPLE, EXAMPLE_FILE, WORLD);
    expect(loaded).toMatchObject({
      ok: true,
      value: {
        plan: {
          name: 'example',
          programs: [
            {
              name: 'worker',
              instances: 4,
              ready: { when: 'notify', timeoutMs: 30_000 },
              drain: { doneWhen: 'exit' },
              rollout: { minHealthyTimeMs: 2000 },
            },
          ],
        },
      },
    });
  });

  test('loads as well with every comment that is a key taken away', () => {
    expect(saidOf(UNCOMMENTED)).toEqual([]);
    expect(parseConfig(UNCOMMENTED, FILE, WORLD)).toMatchObject({
      value: {
        plan: {
          programs: [
            {
              maxMemory: { forMs: 30_000 },
              schedule: { overlap: 'skip' },
              health: { check: { kind: 'http' } },
              hooks: { pre_start: { onFailure: 'fail' }, post_stop: { onFailure: 'ignore' } },
            },
          ],
        },
      },
    });
  });

  test.each(known.filter((key) => !isForm(key)).map((key) => [pathOf(key), key] as const))(
    'has the key %s',
    (path) => {
      expect([...at(path), ...others.filter((one) => one.path === path)]).not.toEqual([]);
    },
  );

  test.each(known.filter(isForm).map((key) => [pathOf(key), key] as const))(
    'shows the form %s',
    (_path, { path }) => {
      const shown = others.filter((one) => one.path === path.slice(0, -1).join('.'));
      expect(shown.flatMap(({ value }) => Object.keys(parse(value)))).toContain(path.at(-1));
    },
  );

  test.each(
    known
      .filter(({ field }) => field.fallback !== undefined && !(field.fallback instanceof Map))
      .map((key) => [pathOf(key), key] as const),
  )('tells the default of %s', (path, { field }) => {
    const told = at(path);
    const values = told
      .filter(({ value, commented }) => commented && value !== '')
      .map(({ value }) => parse(value));
    if (values.length > 0) expect(values).toEqual([field.fallback]);
    else if (told[0]?.value === '' || parse(told[0]?.value ?? '') !== field.fallback) {
      // A line with another value than the default, or a map, says the default above it.
      expect(told[0]?.above).toContain(`Default: ${field.fallback}.`);
    }
  });

  test.each([
    ['programs.*.restart', 'always'],
    ['programs.*.depends_on', '{}'],
  ])('tells what %s is where nobody says so', (path, value) => {
    expect(at(path)).toMatchObject([{ value, commented: true }]);
  });

  test.each(others.map(({ path, value }) => [path.replace('programs.*.', ''), value] as const))(
    'shows another way to write %s that can be read: %s',
    (path, value) => {
      const keys = path.split('.');
      const inner = keys.reduceRight((text, key) => `{ ${key}: ${text} }`, value);
      const needed = 'programs: { redis: { command: x }, migrate: { command: x, restart: never }, worker: ';
      const body = inner.replace(/^\{/, '{ command: x,');
      expect(saidOf(`${needed}${body} }`)).toEqual([]);
    },
  );

  test('knows no key that the config does not know', () => {
    const paths = known.map(pathOf);
    const free = ['groups.*', 'programs.*', 'programs.*.environment.*'];
    const unknown = example
      .map(({ path }) => path)
      .filter((path) => !paths.includes(path) && !free.includes(path) && !path.startsWith('defaults.'))
      .filter((path) => !/^programs\.\*\.environment\./.test(path));
    expect(unknown).toEqual([]);
  });
});

test.each(known.map((key) => [pathOf(key), key] as const))(
  '%s has one sentence of documentation',
  (_path, { field }) => {
    expect(field.doc).toMatch(/^\S.*\.$/s);
  },
);

test('every default can be read', () => {
  const all = [
    'spawned',
    'notify',
    '{ log: a }',
    '{ exec: a }',
    '{ http: "http://a" }',
    '{ tcp: 1 }',
    '{ file: a }',
  ];
  for (const when of all) expect(saidOf(aProgram(`ready: { when: ${when} }`))).toEqual([]);
  for (const keys of [
    'health: { tcp: 1 }',
    'schedule: "@daily"',
    'max_memory: 1GB',
    'hooks: { pre_drain: a }',
  ]) {
    expect(saidOf(aProgram(keys))).toEqual([]);
  }
});
