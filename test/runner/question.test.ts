import { execFileSync } from 'node:child_process';
import { closeSync, constants, mkdtempSync, openSync, readSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
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

/** The answers that it has given. */
function answers(): string[] {
  const buffer = Buffer.alloc(65_536);
  try {
    const text = buffer.toString('utf8', 0, readSync(fd, buffer));
    return text.split('\n').filter((line) => line.startsWith('X_ASKED='));
  } catch {
    return []; // EAGAIN: it has said nothing
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

  it('is not answered any more by one that is uninstalled over it', async () => {
    const runner = create();
    host.signal('SIGCONT');
    runner.uninstall();
    await turn();
    expect(answers()).toEqual([]);
  });
});
