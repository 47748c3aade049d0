/** Where the daemon of a config with mistakes is looked for. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { likelyRunDirs } from '../../src/config/salvage.ts';
import { within } from './config.ts';

const folder = mkdtempSync(join(tmpdir(), 'salvage-'));
const file = join(folder, 'orders/supervisor.yaml');
mkdirSync(join(folder, 'orders'));
afterAll(() => rmSync(folder, { recursive: true }));

const world = within({ XDG_RUNTIME_DIR: '/run/user/1000', TENANT: 'ada' });
const named = (name: string): string => `/run/user/1000/tsup-visor/${name}`;

test.each([
  ['the name beside a mistake', 'supervisor: { name: a }\nprograms: { w: { comand: x } }', named('a')],
  ['the name beside an unknown key', 'supervisor:\n  nmae: b\n  name: a\nprograms: {}', named('a')],
  ['a variable', 'supervisor: { name: "$' + '{TENANT}" }\nprograms: 1', named('ada')],
  ['run_dir, which goes before the name', 'supervisor: { name: a, run_dir: r }\nx', join(folder, 'orders/r')],
  ['the name in a file that is no YAML', 'supervisor:\n  name: "a" # ours\nprograms:\n\tw: x', named('a')],
  [
    'the name beside the mark of a conflict',
    'supervisor: { name: a }\n<<<<<<< HEAD\nprograms: {}',
    named('a'),
  ],
  ['a comment, which is no name', 'supervisor:\n  # name: b\n  name: a\n: : :\n', named('a')],
  ['the name of a program, which is not it', 'programs:\n  name: b\n: : :\n', named('orders')],
  ['a name that cannot be one', 'supervisor:\n  name: "a b"\nprograms: {}', named('orders')],
  ['nothing at all', '', named('orders')],
  ['noise', '\u0000\uFFFD{{{', named('orders')],
])('%s', (_, text, runDir) => {
  writeFileSync(file, text);
  const likely = likelyRunDirs(file, world);
  expect(likely[0]).toBe(runDir);
  expect(likely).toContain(named('orders'));
});

test('a file that is not there has the name of its folder', () => {
  expect(likelyRunDirs(join(folder, 'gone/supervisor.yaml'), world)).toEqual([named('gone')]);
});
