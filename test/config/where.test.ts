import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { defaultDirs, defaultName, socketIn, socketOf, type World } from '../../src/config/where.ts';
import { aProgram, FILE, mistakesIn, planOf, WORLD, within } from './config.ts';

const ROOT: World = { ...WORLD, uid: 0, home: '/root' };

describe('the usual folders', () => {
  test('of root are those of the system', () => {
    expect(defaultDirs('a', ROOT)).toEqual({
      runDir: '/run/tsup-visor/a',
      stateDir: '/var/lib/tsup-visor/a',
      logDir: '/var/log/tsup-visor/a',
    });
  });

  test('of a user are those of the session, where there is one', () => {
    const world = within({ XDG_RUNTIME_DIR: '/run/user/1000', XDG_STATE_HOME: '/home/ada/state' });
    expect(defaultDirs('a', world)).toEqual({
      runDir: '/run/user/1000/tsup-visor/a',
      stateDir: '/home/ada/state/tsup-visor/a',
      logDir: '/home/ada/state/tsup-visor/a/logs',
    });
  });

  test('are private and below the home folder otherwise', () => {
    expect(defaultDirs('a', within({ XDG_RUNTIME_DIR: 'relative', XDG_STATE_HOME: '' }))).toEqual({
      runDir: '/tmp/tsup-visor-1000/a',
      stateDir: '/home/ada/.local/state/tsup-visor/a',
      logDir: '/home/ada/.local/state/tsup-visor/a/logs',
    });
  });

  test('of logs follow a chosen state folder, but not for root', () => {
    const text = `supervisor: { state_dir: /s, name: a }\n${aProgram('')}`;
    expect(planOf(text).logDir).toBe('/s/logs');
    expect(planOf(text, ROOT).logDir).toBe('/var/log/tsup-visor/a');
  });
});

test.each([
  ['/srv/orders/s.yaml', 'orders'],
  ['/srv/my orders (old)/s.yaml', 'my-orders-old-'],
  ['/srv/.hidden/s.yaml', 'hidden'],
  ['/srv/ö/s.yaml', 'supervisor'],
  ['/s.yaml', 'supervisor'],
])('the name of %s is %s', (file, name) => {
  expect(defaultName(file)).toBe(name);
});

/** Heads of configs, and whether a look at the lines is enough. */
const heads: [head: string, sure: boolean][] = [
  ['', true],
  ['# nothing\n\n', true],
  ['---\n', true],
  ['supervisor:\n  name: a', true],
  ['supervisor:\n  name: "a"', true],
  ["supervisor: # of orders\n\n  # the name\n  name: 'a' # ours\n  run_dir: /run/a", true],
  ['supervisor:\n    run_dir: ../run\n    name: 007', true],
  ['supervisor:\n  socket_mode: "0660"\n  shutdown_timeout: none\n  name: a.b-c', true],
  ['x-a:\n  supervisor:\n    name: b\nsupervisor:\n  name: a\nx-b: [supervisor]', true],
  ['x-a: |\n  supervisor:\n    name: b', true],
  ['x-a: "one\n  supervisor:\n    name: b"', true],
  ['x-a: [\n  supervisor\n  ]', true],
  ['supervisor:\r\n  name: a\r\n  run_dir: /r\r', true],
  ['\uFEFFsupervisor:\n  name: a', true],
  ['supervisor: {}', false],
  ['supervisor: { name: a }', false],
  ['supervisor: &s\n  name: a', false],
  ['x-a: &a { name: a }\nsupervisor: *a', false],
  ['x-a: &a { name: a }\nsupervisor:\n  <<: *a', false],
  ['x-a: &a z\nsupervisor:\n  name: *a', false],
  ['"supervisor":\n  name: a', false],
  ['? supervisor\n: name: a', false],
  ['supervisor :\n  name: a', false],
  ['supervisor:\n  name: $' + '{A:-b}', false],
  ['supervisor:\n  name: "a\\x62"', false],
  ['supervisor:\n  name:\n    a', false],
  ['supervisor:\n  name: a\n  run_dir:\n    /r', false],
  ['supervisor:\n  name: >-\n    a', false],
  ['supervisor:\n  run_dir: /a b', false],
  ['supervisor:\n  run_dir: /a\n    b', false],
  ['supervisor:\n  run_dir: /a#b', false],
  ['supervisor:\n  "name": a', false],
  ['supervisor:\n  name: !!str a', false],
];

describe('the socket at a glance', () => {
  test.each(heads)('agrees with the loader about %j', (head, sure) => {
    const text = `${head}${head === '' || head.endsWith('\n') ? '' : '\n'}${aProgram('')}`;
    expect(mistakesIn(text)).toEqual([]);
    const real = socketIn(planOf(text).runDir);
    expect(socketOf(FILE, text, WORLD)).toBe(sure ? real : null);
  });

  test.each([
    'supervisor:\n  name: a b',
    'supervisor:\n  name: null',
    'supervisor:\n  name: -a',
    'supervisor:\n  name: a\n  name: b',
    'supervisor:\n  name: a\nsupervisor:\n  name: b',
    'supervisor:',
    'supervisor:\n\tname: a',
    'supervisor:\n  name: a\n run_dir: b',
    '{ supervisor: { name: a } }',
    'supervisor:\n  run_dir: ~/a',
  ])('leaves %j to the loader', (head) => {
    const text = `${head}\n${aProgram('')}`;
    expect(mistakesIn(text)).not.toEqual([]);
    expect(socketOf(FILE, text, WORLD)).toBe(null);
  });
});

/** Everything that a file of the source imports, itself or by others. */
function importsOf(file: string, seen = new Set<string>()): Set<string> {
  if (seen.has(file)) return seen;
  seen.add(file);
  if (!file.endsWith('.ts')) return seen;
  for (const [, name = ''] of readFileSync(file, 'utf8').matchAll(
    /^import (?!type )[^;]*?from '([^']+)';$/gm,
  )) {
    importsOf(name.startsWith('.') ? join(dirname(file), name) : name, seen);
  }
  return seen;
}

test.each(['where.ts', 'find.ts', 'mistake.ts'])('%s is loaded without the YAML parser', (name) => {
  const imports = importsOf(join(import.meta.dirname, '../../src/config', name));
  expect([...imports].filter((one) => !one.endsWith('.ts') && !one.startsWith('node:'))).toEqual([]);
  expect(importsOf(join(import.meta.dirname, '../../src/config/load.ts'))).toContain('yaml');
});
