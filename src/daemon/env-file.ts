/** Reads variables from .env files: anew each time, whole or not at all, and with the line of what is wrong. */
import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs';
import { getSystemErrorMap } from 'node:util';
import { parse } from 'dotenv';
import { fail, ok, type Result } from '../base/result.ts';
import { refuseVariable } from '../config/variable-name.ts';

/** A program's whole environment is seldom a tenth of it; reading it holds up the loop. */
const MOST_BYTES = 64 * 1024;

type Variables = Record<string, string>;

/** Later files win, and later lines of a file. Or one sentence about the first that cannot be used. */
export function readEnvFiles(paths: readonly string[]): Result<Variables, string> {
  const all: Variables = {};
  for (const path of paths) {
    const text = readText(path);
    if (!text.ok) return fail(`cannot read the env_file ${path}: ${text.error}`);
    const variables = parseEnv(text.value);
    if (!variables.ok) return fail(`cannot use the env_file ${path}: ${variables.error}`);
    Object.assign(all, variables.value);
  }
  return ok(all);
}

function readText(path: string): Result<string, string> {
  let descriptor: number | null = null;
  try {
    // Opening one that nobody writes must not hold up the daemon: a FIFO is refused instead.
    descriptor = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const stats = fstatSync(descriptor);
    if (stats.isDirectory()) return fail('it is a folder');
    if (!stats.isFile()) return fail('it is not a file');
    if (stats.size > MOST_BYTES) return fail('it is larger than 64KB');
    return decode(readFileSync(descriptor));
  } catch (error) {
    return fail(reasonOf(error));
  } finally {
    if (descriptor !== null) closeSync(descriptor);
  }
}

function decode(bytes: Buffer): Result<string, string> {
  try {
    return ok(new TextDecoder('utf-8', { fatal: true }).decode(bytes)); // a byte order mark is passed over
  } catch {
    return fail('it is not UTF-8');
  }
}

function reasonOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'ENOENT' || code === 'ENOTDIR') return 'it does not exist';
  for (const [name, text] of getSystemErrorMap().values()) if (name === code) return text;
  return error instanceof Error ? error.message : String(error);
}

/** Entry by entry: dotenv passes over in silence what it cannot read. */
function parseEnv(text: string): Result<Variables, string> {
  const lines = text.split(/\r\n|\r|\n/);
  const variables: Variables = {};
  for (let at = 0; at < lines.length; ) {
    const length = lengthOfEntry(lines, at);
    const entry = lines.slice(at, at + length).join('\n');
    const wrong = /^\s*(?:#|$)/.test(entry) ? null : mistakeIn(entry);
    if (wrong !== null) return fail(`line ${at + 1}: ${wrong}`);
    Object.assign(variables, parse(entry));
    at += length;
  }
  return ok(variables);
}

/** In lines: more than one where a quote that the first opens is closed later, with nothing but a comment behind it. */
function lengthOfEntry(lines: readonly string[], at: number): number {
  const first = lines[at] ?? '';
  const [value = ''] = Object.values(parse(first));
  const quote = value.charAt(0);
  if (!`'"\``.includes(quote) || quote === '') return 1;
  let to = at + 1;
  while (to < lines.length && !closes(lines[to] ?? '', quote)) to++;
  if (to === lines.length) return 1;
  const [whole] = Object.values(parse(lines.slice(at, to + 1).join('\n')));
  return whole === value ? 1 : to + 1 - at;
}

function closes(line: string, quote: string): boolean {
  for (let at = line.indexOf(quote); at >= 0; at = line.indexOf(quote, at + 1))
    if (line.charAt(at - 1) !== '\\') return true;
  return false;
}

/** Values are not shown: they may be secrets. */
function mistakeIn(entry: string): string | null {
  if (entry.includes('\0')) return 'there is a NUL byte in it';
  const [name] = Object.keys(parse(entry));
  if (name === undefined && !/[=:]/.test(entry)) return 'it is not NAME=value';
  const written = name ?? (/^\s*(?:export\s+)?([^=:]*)/.exec(entry)?.[1] ?? '').trim();
  const refused = refuseVariable(written);
  if (refused !== undefined) return refused;
  return name === undefined ? `${JSON.stringify(written)} cannot be read; write NAME=value` : null;
}
