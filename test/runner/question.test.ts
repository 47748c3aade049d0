import { execFileSync } from 'node:child_process';
import { closeSync, constants, mkdtempSync, openSync, readSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createRunner, type Runner } from '../../src/runner/index.ts';
import { FakeHost, turn } from './fake-host.ts';

let dir: string;
let fd: number;
let host: FakeHost;
const runners: Runner[] = [];
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'tv-question-'));
  execFileSync('mkfifo', [join(dir, 'pipe')]);
  fd = openSync(join(dir, 'pipe'), constants.O_RDWR | constants.O_NONBLOCK);
  heard = [];
  host = new FakeHost({ TSUP_VISOR_NOTIFY_FD: String(fd) });
});
afterEach(() => {
  for (const runner of runners.splice(0)) runner.uninstall();
  closeSync(fd);
  rmSync(dir, { recursive: true, force: true });
});

function create(own = host): Runner {
  const runner = createRunner({ host: own, exit: false });
  runners.push(runner);
  return runner;
}

let heard: string[];
/** All that it has said. */
function said(): string[] {
  const buffer = Buffer.alloc(65_536);
  try {
    heard.push(...buffer.toString('utf8', 0, readSync(fd, buffer)).split('\n'));
  } catch {
    // EAGAIN: there is nothing new
  }
  return heard;
}

/** The answers that it has given since one last looked. */
function answers(): string[] {
  heard = [];
  return said().filter((line) => line.startsWith('X_ASKED='));
}

/** Nothing more goes into the pipe. Says how many bytes are in it. */
function fill(chunk: Buffer): number {
  let written = 0;
  try {
    for (;;) written += writeSync(fd, chunk);
  } catch {
    return written; // EAGAIN: it is full
  }
}

describe('whether it has been asked to drain', () => {
  it('is answered as often as SIGCONT asks, and means nothing else', async () => {
    const runner = create();
    host.signal('SIGCONT');
    await turn();
    host.signal('SIGCONT');
    await turn();
    expect(answers()).toEqual(['X_ASKED=0', 'X_ASKED=0']);
    expect(runner.quiet.aborted).toBe(false);
    host.signal('SIGTERM');
    host.signal('SIGCONT');
    await turn();
    expect(answers()).toEqual(['X_ASKED=1']);
    expect(runner.cancel.aborted).toBe(false);
  });

  it('is not answered before all signals that came with the question were heard', async () => {
    create();
    host.signal('SIGCONT');
    host.signal('SIGTERM');
    await turn();
    expect(answers()).toEqual(['X_ASKED=1']);
  });

  it("is nobody's to ask where nobody hears the answer, or it was uninstalled", async () => {
    const alone = new FakeHost();
    create(alone);
    expect(alone.eventNames()).not.toContain('SIGCONT');
    create().uninstall();
    host.signal('SIGCONT');
    await turn();
    expect(answers()).toEqual([]);
    expect(host.listening).toBe(0);
  });

  it('is not answered by one who does not hear all that may have asked', async () => {
    for (const signals of [[], ['SIGTERM'], ['SIGUSR1', 'SIGINT']] as const) {
      const runner = createRunner({ host, exit: false, signals });
      expect(host.eventNames()).not.toContain('SIGCONT');
      runner.uninstall();
    }
  });

  it('is never said after the beginning of the drain, where that could not be said before', async () => {
    create();
    const filler = Buffer.alloc(4096);
    const written = fill(filler);
    host.signal('SIGCONT');
    await turn();
    host.signal('SIGTERM');
    const room = Buffer.alloc(written);
    for (let left = written; left > 0; ) left -= readSync(fd, room, 0, left, null);
    await vi.waitFor(() => expect(said()).toContain('STOPPING=1'), { interval: 5 });
    expect(said().filter((line) => line.startsWith('X_ASKED'))).toEqual([]);
  });

  it('is not answered any more by one that is uninstalled over it', async () => {
    const runner = create();
    host.signal('SIGCONT');
    runner.uninstall();
    await turn();
    expect(answers()).toEqual([]);
  });
});
