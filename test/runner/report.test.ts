import { execFileSync } from 'node:child_process';
import { closeSync, constants, mkdtempSync, openSync, readSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { MAX_MESSAGE_BYTES, parseNotify } from '../../src/protocol/notify.ts';
import { createReporter } from '../../src/runner/index.ts';
import { until } from '../e2e/until.ts';

let dir: string;
let fd: number;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'tv-report-'));
  execFileSync('mkfifo', [join(dir, 'pipe')]);
  fd = openSync(join(dir, 'pipe'), constants.O_RDWR | constants.O_NONBLOCK);
});
afterEach(() => {
  closeSync(fd);
  rmSync(dir, { recursive: true, force: true });
});

const reporter = () => createReporter({ TSUP_VISOR_NOTIFY_FD: String(fd) });

/** What waits in the pipe now. */
function heard(): string {
  const buffer = Buffer.alloc(65_536);
  try {
    return buffer.toString('utf8', 0, readSync(fd, buffer));
  } catch {
    return ''; // EAGAIN: it is empty
  }
}

describe('a reporter', () => {
  it('says each thing as a line that the daemon understands', () => {
    const it = reporter();
    it.ready();
    it.status('12 of 40 done');
    it.inFlight(2);
    it.stopping();
    it.drained();
    const text = heard();
    expect(text).toBe('READY=1\nSTATUS=12 of 40 done\nX_INFLIGHT=2\nSTOPPING=1\nX_DRAINED=1\n');
    expect(parseNotify(text)).toEqual({
      ready: true,
      status: '12 of 40 done',
      inFlight: 2,
      stopping: true,
      drained: true,
    });
  });

  it('keeps a status to one line that is never too long', () => {
    reporter().status(`a\nX_DRAINED=1\t${'é漢'.repeat(MAX_MESSAGE_BYTES)}`);
    const text = heard();
    expect(text.startsWith('STATUS=a X_DRAINED=1 é漢')).toBe(true);
    expect(text.split('\n')).toHaveLength(2);
    expect(Buffer.byteLength(text)).toBeLessThan(MAX_MESSAGE_BYTES);
  });

  it('keeps the newest of each while the channel is full, and says it once there is room', async () => {
    const full = Buffer.alloc(65_536, 'x');
    writeSync(fd, full);
    const it = reporter();
    it.inFlight(2);
    it.inFlight(1);
    it.stopping();
    it.inFlight(0);
    it.drained();
    expect(heard()).toBe(full.toString());
    const said = await until('it has been said', () => heard() || undefined);
    expect(said).toBe('STOPPING=1\nX_INFLIGHT=0\nX_DRAINED=1\n');
  });

  it.each([
    ['no supervisor', {}],
    ['a number that is no descriptor', { TSUP_VISOR_NOTIFY_FD: '3; rm' }],
    ['a descriptor that is not open', { TSUP_VISOR_NOTIFY_FD: '987' }],
  ])('is content with %s', (_what, env) => {
    const it = createReporter(env);
    it.ready();
    it.status('x');
    it.drained();
  });

  it('writes to nothing but a pipe or a socket', () => {
    const file = openSync(join(dir, 'file'), 'w+');
    createReporter({ TSUP_VISOR_NOTIFY_FD: String(file) }).ready();
    expect(readSync(file, Buffer.alloc(10), 0, 10, 0)).toBe(0);
    closeSync(file);
  });
});
