/** `logs` as a process of its own: what becomes of it in a pipe, stopped, and while its files are rotated under it. */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import {
  appendFileSync,
  closeSync,
  existsSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { EXIT } from '../../src/protocol/errors.ts';
import { type FakeDaemon, fakeDaemon } from './fake-daemon.ts';

const BIN = fileURLToPath(new URL('../../bin/tsup-visor.js', import.meta.url));
const WAIT = { timeout: 20_000, interval: 20 };

let daemon: FakeDaemon;
let log: string;
let child: ChildProcessWithoutNullStreams | undefined;
const script: Record<string, object> = {};

beforeEach(async () => {
  daemon = await fakeDaemon(script);
  log = join(daemon.folder, 'worker-0.log');
  script['GET /v1/logs'] = { version: 1, files: [{ instance: 'worker:0', stream: 'merged', path: log }] };
});
afterEach(async () => {
  child?.kill('SIGKILL');
  child = undefined;
  await daemon.close();
});

class Shown {
  bytes = Buffer.alloc(0);
  err = '';
  readonly process: ChildProcessWithoutNullStreams;
  readonly ended: Promise<number | string | null>;

  constructor(...argv: string[]) {
    this.process = spawn(process.execPath, [BIN, '--socket', daemon.socket, 'logs', ...argv]);
    child = this.process;
    this.process.stdout.on('data', (part) => {
      this.bytes = Buffer.concat([this.bytes, part]);
    });
    this.process.stderr.on('data', (part) => {
      this.err += part;
    });
    this.ended = new Promise((resolve) =>
      this.process.on('close', (code, signal) => resolve(signal ?? code)),
    );
  }

  shows = (text: string): Promise<void> => vi.waitFor(() => expect(this.bytes.toString()).toBe(text), WAIT);
}

const pid = (shown: Shown): number => shown.process.pid ?? 0;
const statusOf = (shown: Shown): string => readFileSync(`/proc/${pid(shown)}/status`, 'utf8');

/** PATH.1 is the newest, and three are kept. */
function rotate(): void {
  for (let number = 3; number > 0; number -= 1) {
    const path = `${log}.${number}`;
    if (existsSync(path) && number === 3) rmSync(path);
    else if (existsSync(path)) renameSync(path, `${log}.${number + 1}`);
  }
  renameSync(log, `${log}.1`);
}

test('all of it through a pipe is what it was, byte for byte', async () => {
  const bytes = Buffer.alloc(3_000_000);
  for (let at = 0; at < bytes.length; at += 1) bytes[at] = (at * 7919 + (at >> 8)) % 256;
  bytes[bytes.length - 1] = 10;
  writeFileSync(log, bytes);
  const shown = new Shown('-n', 'all');
  expect(await shown.ended).toBe(EXIT.done);
  expect(shown.bytes.equals(bytes)).toBe(true);
});

test('a reader that has seen enough ends it quietly', async () => {
  writeFileSync(log, 'a line\n'.repeat(1_000_000));
  const shown = new Shown('-n', 'all');
  await vi.waitFor(() => expect(shown.bytes.length).toBeGreaterThan(0), WAIT);
  shown.process.stdout.destroy();
  expect(await shown.ended).toBe(EXIT.done);
  expect(shown.err).toBe('');
});

describe.skipIf(process.platform !== 'linux')('a follower', () => {
  test('that is stopped while its log is rotated shows each line once when it goes on', async () => {
    writeFileSync(log, '0\n');
    const shown = new Shown('-f');
    await shown.shows('0\n');
    process.kill(pid(shown), 'SIGSTOP');
    await vi.waitFor(() => expect(statusOf(shown)).toContain('State:\tT'), WAIT);
    for (const line of ['1', '2', '3']) {
      appendFileSync(log, `${line}\n`);
      rotate();
    }
    writeFileSync(log, '4\n');
    process.kill(pid(shown), 'SIGCONT');
    await shown.shows('0\n1\n2\n3\n4\n');
    expect(shown.err).toBe('');
    shown.process.kill('SIGINT');
    expect(await shown.ended).toBe(EXIT.interrupted);
  });

  test('that was stopped for too long says that something is missing', async () => {
    writeFileSync(log, '0\n');
    const shown = new Shown('-f');
    await shown.shows('0\n');
    process.kill(pid(shown), 'SIGSTOP');
    await vi.waitFor(() => expect(statusOf(shown)).toContain('State:\tT'), WAIT);
    for (let line = 1; line < 9; line += 1) {
      rotate();
      writeFileSync(log, `${line}\n`);
    }
    process.kill(pid(shown), 'SIGCONT');
    await shown.shows('0\n5\n6\n7\n8\n');
    expect(shown.err).toContain('some of what worker:0 wrote may be missing here');
  });

  test('whose reader reads no more keeps little of it, and Ctrl-C ends it', async () => {
    writeFileSync(log, 'begin\n');
    const shown = new Shown('-f');
    await shown.shows('begin\n');
    const before = Number(/VmRSS:\s+(\d+)/.exec(statusOf(shown))?.[1]);
    shown.process.stdout.pause();
    const file = openSync(log, 'a');
    const block = 'x'.repeat(99_999).concat('\n').repeat(10);
    for (let number = 0; number < 150; number += 1) writeSync(file, block);
    closeSync(file);
    // It has read what it can, when it waits; it asks the daemon for news meanwhile.
    const read = () => Number(/rchar: (\d+)/.exec(readFileSync(`/proc/${pid(shown)}/io`, 'utf8'))?.[1]);
    let last = Number.NEGATIVE_INFINITY;
    await vi.waitFor(
      () => {
        const now = read();
        const isSame = now - last < 20_000;
        last = now;
        expect(isSame).toBe(true);
      },
      { ...WAIT, interval: 300 },
    );
    const after = Number(/VmRSS:\s+(\d+)/.exec(statusOf(shown))?.[1]);
    expect(after - before).toBeLessThan(60_000); // in KiB, of 150,000
    shown.process.kill('SIGINT');
    await vi.waitFor(() => expect(statusOf(shown)).not.toMatch(/SigCgt:\t.*[2367abef]\n/), WAIT);
    shown.process.kill('SIGINT');
    expect(await shown.ended).toBe('SIGINT');
  });
});
