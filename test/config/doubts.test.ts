/** What `config check` warns about. */
import { chmodSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { doubtsAbout } from '../../src/config/doubts.ts';
import { parseConfig } from '../../src/config/load.ts';
import { shellWordIn } from '../../src/config/shell-words.ts';
import { aProgram, within } from './config.ts';

// The folder for temporary files is a link on macOS, and links are followed.
const folder = realpathSync(mkdtempSync(join(tmpdir(), 'doubts-')));
const world = within({ PATH: join(folder, 'bin') });
const file = join(folder, 'supervisor.yaml');

beforeAll(() => {
  mkdirSync(join(folder, 'bin'));
  for (const name of ['bin/node', 'bin/plain', 'run.sh', 'plain.sh', '.env']) {
    writeFileSync(join(folder, name), '');
    chmodSync(join(folder, name), /plain|env/.test(name) ? 0o644 : 0o755);
  }
});
afterAll(() => rmSync(folder, { recursive: true }));

/** `marked words: sentence` of each. */
function doubtsIn(text: string): string[] {
  const loaded = parseConfig(text, file, world);
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.error));
  const accounts = { hasUser: (name: string) => name === 'ada', hasGroup: () => undefined };
  const lines = text.split('\n');
  return doubtsAbout(loaded.value, world, accounts).map(({ line, column, length, message }) => {
    const marked = (lines[line - 1] ?? '').slice(column - 1, column - 1 + length);
    return `${marked} | ${message.replaceAll(folder, 'HERE')}`;
  });
}

const NO_SHELL = 'no shell runs this, so';
const WITH = 'is only a word to it; with `shell: true` it means what it means to a shell';

test.each([
  ['all is well', 'command: node x.js', []],
  ['by its path', 'command: ./run.sh\nuser: ada\nenv_file: .env', []],
  ['a pipe', 'command: node x | tee y', [`node x | tee y | ${NO_SHELL} "|" ${WITH}`]],
  ['with a shell', 'command: node x | tee y\nshell: true', []],
  ['in a list', 'command: [node, ">"]', []],
  [
    'in a hook',
    'command: node x\nhooks: { pre_start: node a && node b }',
    [`node a && node b | ${NO_SHELL} "&&" is only a word to it; write sh -c '…' for one`],
  ],
  [
    'in a check',
    'command: node x\nhealth: { exec: node $A }',
    [`node $A | ${NO_SHELL} "$A" is only a word to it; write sh -c '…' for one`],
  ],
  ['no such program', 'command: nodee x', ['nodee x | there is no program "nodee" in the folders of PATH']],
  [
    'one that is in the folder, but not in PATH',
    'command: run.sh',
    ['run.sh | there is no program "run.sh" in the folders of PATH; the one in HERE is ./run.sh'],
  ],
  ['no such file', 'command: ./no.sh', ['./no.sh | there is no file HERE/no.sh']],
  [
    'not executable',
    'command: ./plain.sh',
    [
      './plain.sh | HERE/plain.sh is not executable; run "chmod +x HERE/plain.sh", or begin with the program that is to read it',
    ],
  ],
  [
    'not executable, in PATH',
    'command: plain',
    [
      'plain | HERE/bin/plain is not executable; run "chmod +x HERE/bin/plain", or begin with the program that is to read it',
    ],
  ],
  [
    'a PATH of its own',
    `command: node\nenvironment: { PATH: /nowhere }`,
    [expect.stringContaining('no program')],
  ],
  [
    'none is inherited',
    `command: node\ninherit_environment: [HOME]`,
    [expect.stringContaining('no program')],
  ],
  [
    'no such folder, and nothing of what would be in it',
    'command: ./x.sh\ndirectory: gone/{{index}}',
    ['gone/{{index}} | there is no folder HERE/gone/0'],
  ],
  ['a folder that is none', 'command: node\ndirectory: run.sh', ['run.sh | HERE/run.sh is not a folder']],
  [
    'no such env_file',
    'command: node\nenv_file: [.env, .env.local]',
    ['.env.local | there is no file HERE/.env.local; worker could not be started without it'],
  ],
  [
    'no such user',
    'command: node\nuser: nobody-at-all',
    ['nobody-at-all | there is no user "nobody-at-all" on this machine'],
  ],
  ['a user by number', 'command: node\nuser: 4711', []],
  ['a group where nobody can be asked', 'command: node\ngroup: nobodies', []],
  [
    'a key that was indented too far',
    'command: node\nenvironment:\n  A: 1\n  instances: 2',
    [
      'instances | here "instances" is a variable; for the key of the program, begin it in the column of "environment"',
    ],
  ],
])('%s', (_, keys, doubts) => {
  expect(doubtsIn(aProgram(keys))).toEqual(doubts);
});

test('what all programs have from `defaults` is told once', () => {
  const text = 'defaults: { directory: gone }\nprograms: { a: { command: node }, b: { command: node } }\n';
  expect(doubtsIn(text)).toEqual(['gone | there is no folder HERE/gone']);
});

test.each([
  ['node x | tee y', '|'],
  ['a || b', '||'],
  ['a && b', '&&'],
  ['a; b', ';'],
  ['a ; b', ';'],
  ['a &', '&'],
  ['a > out', '>'],
  ['a >out 2>&1', '>out'],
  ['a 2>&1', '2>&1'],
  ['a >> out', '>>'],
  ['a < in', '<'],
  ['a $HOME/x', '$HOME'],
  ['a "$HOME"', '$HOME'],
  ['a $(date)', '$('],
  ['a `date`', '`'],
  ['A=b node x', 'A=b'],
])('to a shell %j has %j in it', (line, word) => {
  expect(shellWordIn(line)).toBe(word);
});

test.each([
  "grep '|' file",
  'grep "a && b" file',
  'grep \\| file',
  'curl http://a/?b=1&c=2',
  'node --filter=a|b',
  'a $' + '{PORT}',
  'a $$HOME',
  "a '$HOME'",
  'a "\\$HOME"',
  'node x --env=A=b',
  'echo a;b',
  'cost 5$',
  'awk {print}',
])('to a shell %j has nothing in it', (line) => {
  expect(shellWordIn(line)).toBeUndefined();
});
