/** What a plain `status` loads: it is asked a hundred times a day, and most of its time would be loading. */
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const CLI = fileURLToPath(new URL('../../src/cli/', import.meta.url));
const STATIC = /^(?:import|export) (?!type)(?:[^;]*?from )?'([^']+)';/gms;

/** The modules that are there before the first line of `entrance` runs. */
function loadedBy(entrance: string, seen = new Set<string>()): Set<string> {
  if (seen.has(entrance)) return seen;
  seen.add(entrance);
  if (!entrance.startsWith('/')) return seen;
  for (const [, from = ''] of readFileSync(entrance, 'utf8').matchAll(STATIC)) {
    loadedBy(from.startsWith('.') ? join(dirname(entrance), from) : from, seen);
  }
  return seen;
}

test('a plain status loads no package, neither the parser of the config nor what reads a schedule', () => {
  const loaded = [...loadedBy(join(CLI, 'main.ts')), ...loadedBy(join(CLI, 'plain-status.ts'))];
  expect(loaded).toContain(join(CLI, 'render/doing.ts'));
  expect(loaded.filter((name) => !name.startsWith('/') && !name.startsWith('node:'))).toEqual([]);
  expect(loaded.filter((name) => name.includes('/config/')).map((name) => name.split('/').at(-1))).toEqual(
    expect.arrayContaining(['find.ts', 'where.ts']),
  );
  expect(loaded.filter((name) => /\/(cron|load|requests)\.ts$/.test(name))).toEqual([]);
});

/** They share a file when they are bundled; one more to open is a millisecond more. */
test('what it loads is bundled into the two files that are its own', () => {
  const config = readFileSync(join(CLI, '../../.rolldown.config.mjs'), 'utf8');
  const patterns = [...config.matchAll(/^ {2}\/(src\..*)\/,$/gm)].map(([, text = '']) => new RegExp(text));
  const [ask = [], show = []] = [patterns.slice(0, 5), patterns.slice(5, 8)];
  const own = [...loadedBy(join(CLI, 'main.ts')), ...loadedBy(join(CLI, 'plain-status.ts'))];
  const strays = own.filter(
    (name) => name.startsWith('/') && ![...ask, ...show].some((pattern) => pattern.test(name)),
  );
  expect(strays).toEqual([]);
});
