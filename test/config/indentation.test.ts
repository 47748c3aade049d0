/** Keys in a column that is not theirs: what is marked, and what is said of it. */
import { expect, test } from 'vitest';
import { saidOf } from './config.ts';

const worker = (...lines: string[]) =>
  ['programs:', '  worker:', '    command: node worker.js', ...lines, ''].join('\n');

const MORE = 'and so is read as more of that value; keys of one map begin in the same column';

test.each([
  [
    'further in than its neighbour',
    worker('      instances: 4'),
    `instances | "instances" is indented further than "command" on line 3, ${MORE} (column 5)`,
  ],
  [
    'further in by one, below a comment and a blank line',
    worker('    directory: /srv', '', '    # how many', '     instances: 4'),
    'instances | "instances" is in column 6, where no map is; it must begin in column 5 as "directory" on line 4',
  ],
  [
    'a whole program further in',
    worker('    instances: 2', '      mailer:', '        command: node m.js'),
    `mailer | "mailer" is indented further than "instances" on line 4, ${MORE} (column 5)`,
  ],
  [
    'below a value of several lines',
    worker('    directory:', '      /srv', '    user: a', '      "group": x'),
    `"group" | "group" is indented further than "user" on line 6, ${MORE} (column 5)`,
  ],
  [
    'after a value that goes on',
    worker('    directory: /srv', '      /a', '      user: x'),
    `user | "user" is indented further than "directory" on line 4, ${MORE} (column 5)`,
  ],
  [
    'below an item',
    worker('    env_file:', '      - a', '        b: c'),
    'b | "b" is indented further than the item on line 5, and so is read as more of that value; keys of one map begin in the same column',
  ],
  [
    'between two maps',
    worker('    instances: 4', '   user: x'),
    'user | "user" is in column 4, where no map is; it must begin in column 5 as "instances" on line 4, or in column 3 as "worker" on line 2',
  ],
  [
    'further out than the first of its map',
    'programs:\n  worker:\n     command: x\n    instances: 2\n',
    'instances | "instances" is in column 5, where no map is; it must begin in column 6 as "command" on line 3, or in column 3 as "worker" on line 2',
  ],
  [
    'a value with a colon, in its right place',
    worker('    directory: a: b', '    user: x'),
    'a | a value cannot hold `: ` unless it is in quotes',
  ],
  [
    'a program below another',
    worker('    mailer:', '      command: node m.js'),
    'mailer | unknown key "mailer"; if it is a program, it begins in the same column as the name of the one above',
  ],
])('%s', (_, text, ...said) => {
  expect(saidOf(text)).toEqual(said);
});

test('keys beside the name of their program', () => {
  const beside = (key: string) =>
    `${key} | "${key}" is in the column of the names; indent it further than the name that it belongs to`;
  expect(saidOf('programs:\n  worker:\n  command: x\n  drain:\n    timeout: 5m\n')).toEqual([
    beside('command'),
    beside('drain'),
  ]);
});

test('a program that is called as a key is', () => {
  expect(saidOf('programs:\n  schedule: { command: x }\n  user: { command: y }\n')).toEqual([]);
});
