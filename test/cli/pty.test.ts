/** The built command on a pseudo-terminal: whichever way it ends, the cursor and the title are as they were. */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { EXIT } from '../../src/protocol/errors.ts';
import { type FakeDaemon, fakeDaemon, stream } from './fake-daemon.ts';
import { created, instance, rollout, status } from './samples.ts';

const BIN = fileURLToPath(new URL('../../bin/tsup-visor.js', import.meta.url));
const HIDE = '\x1b[?25l';
const SHOW = '\x1b[?25h';
const UNNAMED = '\x1b]2;\x1b\\\x1b[23;2t';

// The one of util-linux; that of other systems takes other options.
describe.skipIf(process.platform !== 'linux' || !existsSync('/usr/bin/script'))('on a terminal', () => {
  let daemon: FakeDaemon;
  let child: ChildProcessWithoutNullStreams;
  let out: string;
  let ended: Promise<number | null>;

  beforeEach(async () => {
    const held = rollout({ canary: { count: 1, state: 'held', until: null, hold_ms: null }, current: [] });
    daemon = await fakeDaemon({
      'POST /v1/rollouts': created({ rollouts: [held] }),
      'GET /v1/rollouts/7': { version: 1, rollout: held },
      'GET /v1/events': stream([], 'stays open'),
      'GET /v1/status': status([instance()]),
    });
    const line = `echo pid=$$; exec ${process.execPath} ${BIN} --socket ${daemon.socket} rolling-restart worker`;
    const env = { ...process.env, SHELL: '/bin/sh', TERM: 'xterm', LANG: 'C.UTF-8' };
    child = spawn('/usr/bin/script', ['-qefc', line, '/dev/null'], { env });
    out = '';
    child.stdout.on('data', (part) => {
      out += part;
    });
    ended = new Promise((resolve) => child.on('close', resolve));
    await vi.waitUntil(() => out.includes('\x07'), { timeout: 20_000 });
  });

  afterEach(async () => {
    child.kill('SIGKILL');
    await ended;
    await daemon.close();
  });

  const pid = (): number => Number(/pid=(\d+)/.exec(out)?.[1]);
  const isWhole = () =>
    out.lastIndexOf(SHOW) > out.lastIndexOf(HIDE) && out.lastIndexOf(UNNAMED) > out.indexOf('\x07');

  test('Ctrl-C gives it back and says what goes on', async () => {
    child.stdin.write('\x03');
    expect(await ended).toBe(EXIT.interrupted);
    expect(isWhole()).toBe(true);
    expect(out.slice(out.lastIndexOf(SHOW))).toContain('is held after its canary');
  });

  test.each(['SIGTERM', 'SIGHUP', 'SIGQUIT'] as const)('%s gives it back', async (signal) => {
    process.kill(pid(), signal);
    await ended;
    expect(isWhole()).toBe(true);
  });

  test('Ctrl-Z gives it back, and it is drawn again when it goes on', async () => {
    process.kill(pid(), 'SIGTSTP');
    // `script` stops as well, when it has seen that: were it told to go on before, it would stop for good.
    for (const one of [pid(), child.pid])
      await vi.waitUntil(() => /^\d+ \(.*\) T/.test(readFileSync(`/proc/${one}/stat`, 'utf8')), {
        timeout: 10_000,
      });
    const before = out.length;
    child.kill('SIGCONT');
    process.kill(pid(), 'SIGCONT');
    await vi.waitUntil(() => out.slice(before).includes('held after the canary of 1'), { timeout: 10_000 });
    const given = out.indexOf(SHOW);
    expect(given).toBeGreaterThan(-1);
    expect(out.indexOf(HIDE, given)).toBeGreaterThan(given);
    expect(out.slice(before)).toContain('\x1b]2;worker: held at 1 of 4\x1b\\');
  });
});
