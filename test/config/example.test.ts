import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { TOP } from '../../src/config/keys.ts';
import { parseConfig } from '../../src/config/load.ts';
import { type KnownKey, keysIn } from '../../src/config/walk.ts';
import { WORLD } from './config.ts';

const FILE = join(import.meta.dirname, '../../supervisor.example.yaml');
const TEXT = readFileSync(FILE, 'utf8');
const known = [...keysIn(TOP)].filter(({ path }) => path[0] !== 'defaults' || path.length === 1);

/** Each key of the example, commented out or not, by its path: programs have the name `*`. */
function keysOfExample(): Map<string, { value: string; commented: boolean }[]> {
  const keys = new Map<string, { value: string; commented: boolean }[]>();
  const open: { indent: number; name: string }[] = [];
  for (const line of TEXT.split('\n')) {
    const [, indent = '', hash, name = '', value = ''] = /^( *)(# )?([a-z_]+):(?: (.*))?$/.exec(line) ?? [];
    if (name === '') continue;
    while ((open.at(-1)?.indent ?? -1) >= indent.length) open.pop();
    const parent = open.at(-1)?.name;
    const here = parent === 'programs' || parent === 'groups' ? '*' : name;
    const path = [...open.map((one) => one.name), here].join('.').replace('.worker', '.*');
    keys.set(path, [...(keys.get(path) ?? []), { value, commented: hash !== undefined }]);
    if (hash === undefined) open.push({ indent: indent.length, name });
  }
  return keys;
}

const example = keysOfExample();
const pathOf = ({ path }: KnownKey): string => path.join('.');

describe('the example', () => {
  test('loads', () => {
    const loaded = parseConfig(TEXT, FILE, WORLD);
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
    // `for` and a second `when` belong to the other way to be ready; a derived default has no value to show.
    const text = TEXT.replace(/^( +)# (?!when:|for:)([a-z_]+: \S.*)$/gm, '$1$2');
    expect(text).not.toBe(TEXT);
    expect(parseConfig(text, FILE, WORLD)).toMatchObject({ ok: true });
  });

  test.each(known.map((key) => [pathOf(key), key] as const))('has the key %s', (path) => {
    expect([...example.keys()]).toContain(path);
  });

  test.each(
    known
      .filter(({ field }) => field.fallback !== undefined && !(field.fallback instanceof Map))
      .map((key) => [pathOf(key), key] as const),
  )('tells the default of %s', (path, { field }) => {
    const told = example.get(path) ?? [];
    const commented = told.filter((one) => one.commented).map(({ value }) => parse(value));
    if (commented.length > 0) expect(commented).toEqual([field.fallback]);
    else if (parse(told[0]?.value ?? '') !== field.fallback) {
      // A line with another value than the default says the default above it.
      const lines = TEXT.split('\n');
      const at = lines.findIndex((line) => line.trim() === `${path.split('.').at(-1)}: ${told[0]?.value}`);
      expect(lines[at - 1]).toContain(`Default: ${field.fallback}.`);
    }
  });

  test('knows no key that the config does not know', () => {
    const paths = known.map(pathOf);
    const free = ['groups.*', 'programs.*', 'programs.*.environment.*'];
    const unknown = [...example.keys()].filter(
      (path) => !paths.includes(path) && !free.includes(path) && !path.startsWith('defaults.'),
    );
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
  const loaded = parseConfig(
    'programs: { a: { command: x }, b: { command: x, ready: { when: notify } } }',
    FILE,
    WORLD,
  );
  expect(loaded).toMatchObject({ ok: true });
});
