/** A program that is kept compiled is the same program; whatever else is found in that file is as if there were none. */
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { compile } from '../../src/daemon/compiled.ts';

const PROGRAM = 'exports.answer = (() => [6, 7].reduce((a, b) => a * b))(); exports.from = __filename;\n';

let dir: string;
let program: string;
let file: string;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'tv-code-'));
  program = join(dir, 'program.cjs');
  file = join(dir, 'code');
  writeFileSync(program, PROGRAM);
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
});

/** Runs it: what it exports, and whether it had to be compiled. */
function run(keptIn: string | null = file) {
  const { script, wasKept, keep } = compile(program, keptIn);
  const exports: { answer?: number; from?: string } = {};
  script.runInThisContext()(exports, undefined, { exports }, program, dir);
  return { ...exports, wasKept, keep };
}

const kept = (): void => {
  run().keep();
  expect(run()).toMatchObject({ answer: 42, wasKept: true });
};

it('is compiled once, and then taken as it was kept', () => {
  expect(run()).toMatchObject({ answer: 42, from: program, wasKept: false });
  expect(existsSync(file), 'nothing is kept unasked').toBe(false);
  run().keep();
  expect(run()).toMatchObject({ answer: 42, from: program, wasKept: true });
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(readdirSync(dir).toSorted()).toEqual(['code', 'program.cjs']);
});

it('is read right whatever characters it has', () => {
  writeFileSync(program, 'exports.answer = "é→😀".length;');
  run().keep();
  expect(run()).toMatchObject({ answer: 4, wasKept: true });
});

describe('is compiled anew', () => {
  it('when the program is another one of the same length', () => {
    kept();
    writeFileSync(program, PROGRAM.replace('6, 7', '6, 8'));
    expect(run()).toMatchObject({ answer: 48, wasKept: false });
    run().keep();
    expect(run()).toMatchObject({ answer: 48, wasKept: true });
  });

  it('when any byte of what was kept is not what it was', () => {
    kept();
    const whole = readFileSync(file);
    for (let at = 0; at < whole.length; at++) {
      const damaged = Buffer.from(whole);
      damaged[at] = (damaged[at] ?? 0) ^ 0x55;
      writeFileSync(file, damaged);
      expect(run(), `byte ${at}`).toMatchObject({ answer: 42, wasKept: false });
    }
  });

  it('when the end of it is missing, or there is more', () => {
    kept();
    const whole = readFileSync(file);
    for (const length of [0, 1, 31, 32, PROGRAM.length, whole.length - 1]) {
      writeFileSync(file, whole.subarray(0, length));
      expect(run(), `${length} bytes`).toMatchObject({ answer: 42, wasKept: false });
    }
    writeFileSync(file, Buffer.concat([whole, Buffer.from('x')]));
    expect(run()).toMatchObject({ answer: 42, wasKept: false });
  });

  it('when another Node has kept it', () => {
    kept();
    const { version } = process;
    onTestFinished(() => void Object.defineProperty(process, 'version', { value: version }));
    Object.defineProperty(process, 'version', { value: 'v20.0.0' });
    expect(run()).toMatchObject({ answer: 42, wasKept: false });
  });

  it('when somebody else could have written it, or put something else into its place', () => {
    kept();
    chmodSync(file, 0o620);
    expect(run()).toMatchObject({ answer: 42, wasKept: false });
    chmodSync(file, 0o600);
    const link = join(dir, 'link');
    symlinkSync(file, link);
    expect(run(link)).toMatchObject({ answer: 42, wasKept: false });
    expect(run(dir)).toMatchObject({ answer: 42, wasKept: false });
    expect(run()).toMatchObject({ answer: 42, wasKept: true });
  });
});

it('runs where nothing can be kept', () => {
  for (const nowhere of [null, join(dir, 'gone/code'), dir]) {
    const { answer, keep } = run(nowhere);
    expect(answer).toBe(42);
    keep();
  }
  expect(readdirSync(dir)).toEqual(['program.cjs']);
});
