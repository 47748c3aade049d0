/** Variables from .env files: as dotenv reads them, and no mistake passes in silence. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'dotenv';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { readEnvFiles } from '../../src/daemon/env-file.ts';
import { useLeakCheck } from '../rig/leaks.ts';

useLeakCheck();
let folder: string;
let file: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'env-file-'));
  file = join(folder, '.env');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function read(text: string | Buffer) {
  writeFileSync(file, text);
  return readEnvFiles([file]);
}

const FULL = [
  '# a comment',
  '',
  'PLAIN=1',
  'export SHELL_WAY = two words # a comment',
  'EMPTY=',
  'YAML: four',
  'SINGLE=\'$HOME "as it is"\'',
  'LINES="one\\ntwo"',
  'KEY="-----BEGIN',
  'SECRET=inner',
  '-----END" # the key',
  "OPEN='tis",
  'AFTER=\\',
  'URL=postgres://a:b@c/d?e=f',
  'dotted.name-x=y',
  'TWICE=1',
  'TWICE=2',
].join('\n');

describe('what is read', () => {
  test('is what dotenv makes of it', () => {
    const value = read(FULL);
    expect(value).toEqual({ ok: true, value: { ...parse(FULL) } });
    expect(value).toMatchObject({
      value: {
        SHELL_WAY: 'two words',
        SINGLE: '$HOME "as it is"',
        LINES: 'one\ntwo',
        KEY: '-----BEGIN\nSECRET=inner\n-----END',
        OPEN: "'tis",
        TWICE: '2',
      },
    });
  });

  test('does not depend on line endings or a byte order mark', () => {
    const value = { ...parse(FULL) };
    expect(read(FULL.replaceAll('\n', '\r\n'))).toEqual({ ok: true, value });
    expect(read(`\ufeff${FULL}`)).toEqual({ ok: true, value });
  });

  test('is not filled in from what came before', () => {
    const reference = `$A-${'$'}{A}`;
    expect(read(`A=1\nB=${reference}`)).toEqual({ ok: true, value: { A: '1', B: reference } });
  });

  test('is read anew each time, and later files win', () => {
    const other = join(folder, 'other');
    writeFileSync(file, 'A=1\nB=1');
    writeFileSync(other, 'B=2');
    expect(readEnvFiles([file, other])).toEqual({ ok: true, value: { A: '1', B: '2' } });
    writeFileSync(other, 'B=3');
    expect(readEnvFiles([file, other])).toEqual({ ok: true, value: { A: '1', B: '3' } });
    expect(readEnvFiles([])).toEqual({ ok: true, value: {} });
  });
});

describe('what is refused, in one sentence', () => {
  for (const [what, text, line] of [
    [
      'a name with a space',
      'A=1\nMY VAR=secret',
      'line 2: "MY VAR" cannot name a variable; use letters, digits and _',
    ],
    [
      'a name that begins with a digit',
      '1A=x',
      'line 1: "1A" cannot name a variable; use letters, digits and _',
    ],
    ['no name', '\n=secret', 'line 2: "" cannot name a variable; use letters, digits and _'],
    [
      'the name of an object’s ancestor',
      '__proto__=x',
      'line 1: "__proto__" cannot be read; write NAME=value',
    ],
    ['a colon without a space', 'A:secret', 'line 1: "A" cannot be read; write NAME=value'],
    ['no value', 'A=1\nB', 'line 2: it is not NAME=value'],
    ['a NUL byte', 'A=1\n\nB=a\0b', 'line 3: there is a NUL byte in it'],
    [
      'a reserved name',
      'TSUP_VISOR_RUN=1',
      'line 1: TSUP_VISOR_RUN is set by tsup-visor itself; choose another name',
    ],
    [
      'another',
      'export NOTIFY_SOCKET=/x',
      'line 1: NOTIFY_SOCKET is set by tsup-visor itself; choose another name',
    ],
    [
      'a mistake after an entry of several lines',
      'A="x\ny"\nB C=1',
      'line 3: "B C" cannot name a variable; use letters, digits and _',
    ],
  ] as const) {
    test(what, () =>
      expect(read(text)).toEqual({ ok: false, error: `cannot use the env_file ${file}: ${line}` }),
    );
  }

  test('what cannot be read', () => {
    const refused = (path: string, reason: string) =>
      expect(readEnvFiles([path])).toEqual({
        ok: false,
        error: `cannot read the env_file ${path}: ${reason}`,
      });
    refused(file, 'it does not exist');
    refused(folder, 'it is a folder');
    execFileSync('mkfifo', [join(folder, 'fifo')]);
    refused(join(folder, 'fifo'), 'it is not a file');
    writeFileSync(file, `A=${'x'.repeat(64 * 1024)}`);
    refused(file, 'it is larger than 64KB');
    writeFileSync(file, Buffer.from([0x41, 0x3d, 0xff, 0xfe]));
    refused(file, 'it is not UTF-8');
  });
});

test('a file of quotes that nobody closes is read as any other', () => {
  expect(read(`A="x\n`.repeat(10_000)).ok).toBe(read(`A="x\n`).ok);
  expect(read(`A='\\'\n`.repeat(10_000)).ok).toBe(read(`A='\\'\n`).ok);
});
