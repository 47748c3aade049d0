/** The programs that every contender supervises, and the file in which one of them says when it began. */
import { execFileSync } from 'node:child_process';
import { closeSync, existsSync, openSync, readSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { waitFor } from './measure.mjs';

/**
 * C programs, because a shell that starts `date` would cost two more processes an instance. CLOCK_MONOTONIC is
 * what process.hrtime reads, so the two can be compared.
 */
export function compile(name, dir) {
  const source = fileURLToPath(new URL(`${name}.c`, import.meta.url));
  const program = join(dir, name);
  for (const flags of [['-O2', '-static'], ['-O2']]) {
    try {
      execFileSync('cc', [...flags, '-o', program, source], { stdio: 'ignore' });
      return program;
    } catch {
      // no static libc: the next flags do without
    }
  }
  throw new Error(`cannot compile ${name}.c: install a C compiler (cc)`);
}

export class Ticks {
  constructor(file) {
    this.file = file;
    this.taken = 0;
  }

  /** Begins anew with an empty file. */
  clear() {
    rmSync(this.file, { force: true });
    this.taken = 0;
  }

  count() {
    return existsSync(this.file) ? statSync(this.file).size / 16 : 0;
  }

  /** What has come since the last call: nanoseconds and pid. */
  take() {
    const fresh = this.count() - this.taken;
    if (fresh <= 0) return [];
    const buffer = Buffer.alloc(fresh * 16);
    const fd = openSync(this.file, 'r');
    readSync(fd, buffer, 0, buffer.length, this.taken * 16);
    closeSync(fd);
    this.taken += fresh;
    return Array.from({ length: fresh }, (_, n) => ({
      ns: buffer.readBigInt64LE(n * 16),
      pid: Number(buffer.readBigInt64LE(n * 16 + 8)),
    }));
  }

  /** Waits until `count` instances have begun, and takes them. */
  async wait(count, timeoutMs = 60_000) {
    await waitFor(
      `${count} instances to begin (${this.count()} have)`,
      () => this.count() >= this.taken + count,
      timeoutMs,
      2,
    );
    return this.take();
  }
}
