/**
 * A program, and what V8 has made of it so far, kept in a file for whoever runs it next: to compile it is half of the
 * time that the daemon takes to load. V8 believes such a file blindly and aborts over a damaged one: so nothing is
 * given to it that is not as it was written, by this user, with this Node, from this very text.
 */
import { isAscii } from 'node:buffer';
import { createHash } from 'node:crypto';
import {
  closeSync,
  constants,
  fstatSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { Script } from 'node:vm';

/** Names the file, where there is to be one. */
export const CODE = 'TSUP_VISOR_CODE';

export interface Compiled {
  /** Of a CommonJS module, as the function that Node would make of it. */
  readonly script: Script;
  /** Nothing had to be compiled. */
  readonly wasKept: boolean;
  /** What is compiled by now is there for the next one, if it can be: it is never worth an error. */
  keep(): void;
}

/** `file`: where it is kept; null: nowhere. Throws when there is no program. */
export function compile(program: string, file: string | null): Compiled {
  const source = readFileSync(program);
  const code = file === null ? null : codeIn(file, source);
  const script = new Script(
    `(function (exports, require, module, __filename, __dirname) {\n${text(source)}\n})`,
    {
      filename: program,
      lineOffset: -1,
      ...(code === null ? {} : { cachedData: code }),
    },
  );
  const wasKept = code !== null && script.cachedDataRejected === false;
  const keep = (): void => {
    if (file !== null && !wasKept) write(file, source, script.createCachedData());
  };
  return { script, wasKept, keep };
}

/** A program in ASCII, as ours are, is read ten times faster this way. */
const text = (source: Buffer): string => source.toString(isAscii(source) ? 'latin1' : 'utf8');

const SUM_BYTES = 32;

/** The sum, the program, and the code. */
function write(file: string, source: Buffer, code: Buffer): void {
  const draft = `${file}.new`; // one name, so that of a writer that is killed no more than one is left
  try {
    rmSync(draft, { force: true });
    writeFileSync(draft, Buffer.concat([sumOf(source, code), source, code]), { mode: 0o600, flag: 'wx' });
    renameSync(draft, file);
  } catch {
    quietly(() => rmSync(draft, { force: true }));
  }
}

function codeIn(file: string, source: Buffer): Buffer | null {
  let descriptor: number | null = null;
  try {
    descriptor = openSync(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    if (!isOurs(descriptor)) return null;
    const all = readFileSync(descriptor);
    const code = all.subarray(SUM_BYTES + source.length);
    if (!source.equals(all.subarray(SUM_BYTES, SUM_BYTES + source.length))) return null;
    return sumOf(source, code).equals(all.subarray(0, SUM_BYTES)) ? code : null;
  } catch {
    return null; // there is none
  } finally {
    if (descriptor !== null) closeSync(descriptor);
  }
}

/** The program itself is compared byte by byte, which is faster. */
const sumOf = (source: Buffer, code: Buffer): Buffer =>
  createHash('sha256').update(`${process.version} ${process.arch} ${source.length}\n`).update(code).digest();

/** Whoever can write it can have the daemon do anything. */
function isOurs(descriptor: number): boolean {
  const stats = fstatSync(descriptor);
  return stats.isFile() && stats.uid === process.geteuid?.() && (stats.mode & 0o022) === 0;
}

function quietly(act: () => void): void {
  try {
    act();
  } catch {
    // A folder that cannot be written to, say.
  }
}
