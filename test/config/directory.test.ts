/** `directory` through a symbolic link that a deploy swaps, as the config is read. */
import {
  mkdirSync,
  mkdtempSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { comparePlans } from '../../src/config/compare.ts';
import { doubtsAbout } from '../../src/config/doubts.ts';
import { loadConfig } from '../../src/config/load.ts';
import type { ProgramPlan } from '../../src/core/plan.ts';
import { WORLD } from './config.ts';

let app: string;

beforeEach(() => {
  // The folder for temporary files is a link itself on macOS.
  app = realpathSync(mkdtempSync(join(tmpdir(), 'directory-')));
  for (const release of ['releases/41', 'releases/42']) mkdirSync(join(app, release), { recursive: true });
  pointTo('releases/41');
});
afterEach(() => rmSync(app, { recursive: true }));

/** As deploys do it: in one step, so that there is always one. */
function pointTo(release: string): void {
  symlinkSync(release, join(app, 'next'));
  renameSync(join(app, 'next'), join(app, 'current'));
}

/** The config may be anywhere, and be reached through the link. */
function read(keys: string, folder = app): ProgramPlan {
  const file = join(folder, 'supervisor.yaml');
  writeFileSync(file, `programs: { worker: { command: node x.js, ${keys} } }`);
  const loaded = loadConfig(file, WORLD);
  const program = loaded.ok ? loaded.value.plan.programs[0] : undefined;
  if (program === undefined) throw new Error(JSON.stringify(loaded));
  return program;
}

describe('a directory that is a symbolic link', () => {
  test('is the folder that it leads to', () => {
    expect(read('directory: current').directory).toBe(join(app, 'releases/41'));
  });

  test('makes another revision when it is swapped, and the same one when it is swapped back', () => {
    const before = read('directory: current');
    pointTo('releases/42');
    const after = read('directory: current');
    expect(comparePlans(before, after)).toEqual([
      {
        program: 'worker',
        key: 'directory',
        from: join(app, 'releases/41'),
        to: join(app, 'releases/42'),
        effect: 'rolling',
        note: null,
      },
    ]);
    expect(after.revision).not.toBe(before.revision);
    pointTo('releases/41');
    expect(read('directory: current')).toEqual(before);
  });

  test('is followed on the way to a folder, too', () => {
    mkdirSync(join(app, 'releases/41/queue'));
    expect(read('directory: current/queue').directory).toBe(join(app, 'releases/41/queue'));
  });

  test('is followed for a config that is in the release itself, where nothing says so', () => {
    const before = read('instances: 1', join(app, 'current'));
    expect(before.directory).toBe(join(app, 'releases/41'));
    pointTo('releases/42');
    expect(read('instances: 1', join(app, 'current')).directory).toBe(join(app, 'releases/42'));
  });

  test('is followed where `defaults` say so', () => {
    const file = join(app, 'supervisor.yaml');
    writeFileSync(
      file,
      'defaults: { directory: current }\nprograms: { a: { command: x }, b: { command: x } }',
    );
    const loaded = loadConfig(file, WORLD);
    const folders = loaded.ok ? loaded.value.plan.programs.map(({ directory }) => directory) : [];
    expect(folders).toEqual([join(app, 'releases/41'), join(app, 'releases/41')]);
  });
});

describe('a directory stays as it is written', () => {
  test('where each instance has its own', () => {
    mkdirSync(join(app, 'current/{{index}}')); // a strange name, but no reason
    expect(read('directory: "current/{{index}}"').directory).toBe(join(app, 'current/{{index}}'));
  });

  test('where there is no such folder yet', () => {
    expect(read('directory: later').directory).toBe(join(app, 'later'));
    expect(read('directory: current/later').directory).toBe(join(app, 'current/later'));
  });

  test('where a link leads nowhere, or in a circle', () => {
    symlinkSync('releases/40', join(app, 'gone'));
    symlinkSync('round', join(app, 'round'));
    expect(read('directory: gone').directory).toBe(join(app, 'gone'));
    expect(read('directory: round').directory).toBe(join(app, 'round'));
  });
});

test('other paths and the command stay as they are written: they are looked up when a run starts', () => {
  writeFileSync(join(app, 'releases/41/.env'), '');
  const program = read('env_file: current/.env, logs: { stdout: "current/{{index}}.log" }');
  expect(program.envFiles).toEqual([join(app, 'current/.env')]);
  expect(program.logs.stdout).toEqual({ kind: 'file', path: join(app, 'current/{{index}}.log') });
});

describe('a command through a link is doubted', () => {
  const doubts = (keys: string, folder = app): string[] => {
    const file = join(folder, 'supervisor.yaml');
    writeFileSync(file, `programs: { worker: { ${keys} } }`);
    const world = { ...WORLD, environment: { PATH: '/bin' } };
    const loaded = loadConfig(file, world);
    if (!loaded.ok) throw new Error(JSON.stringify(loaded));
    const accounts = { hasUser: () => undefined, hasGroup: () => undefined };
    return doubtsAbout(loaded.value, world, accounts).map(({ message, column, length }) => {
      const marked = `programs: { worker: { ${keys} } }`.slice(column - 1, column - 1 + length);
      return `${marked} | ${message}`;
    });
  };
  const said = (word: string, link: string): string =>
    `"${word}" goes through the link ${link}, which is followed at each start: when it is swapped no revision changes, and none goes back; write \`directory: ${link}\`, and the command from there`;

  test('where no revision sees that it is swapped', () => {
    expect(doubts('command: sh current/x.sh')).toEqual([
      `sh current/x.sh | ${said('current/x.sh', 'current')}`,
    ]);
    expect(doubts('command: [sh, current/a/x.sh]')).toEqual([
      `current/a/x.sh | ${said('current/a/x.sh', 'current')}`,
    ]);
    const absolute = join(app, 'current/x.sh');
    expect(doubts(`command: sh ${absolute}`, join(app, 'current'))).toEqual([
      `sh ${absolute} | ${said(absolute, join(app, 'current'))}`,
    ]);
  });

  test('and no other one', () => {
    expect(doubts('command: sh x.sh a/b, directory: current')).toEqual([]);
    mkdirSync(join(app, 'current/0'));
    expect(doubts('command: sh ./x.sh, directory: "current/{{index}}"')).toEqual([]);
    expect(doubts('command: sh ./x.sh', join(app, 'current'))).toEqual([]);
    symlinkSync('../releases/42', join(app, 'releases/node_modules'));
    expect(doubts('command: sh releases/node_modules/a/x.js')).toEqual([]);
    expect(doubts('command: sh -c "cat current/x http://current/x"')).toEqual([]);
  });
});
