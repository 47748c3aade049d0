/** `status --watch` from one daemon to the next. */
import { afterEach, expect, test, vi } from 'vitest';
import { run } from '../../src/cli/command-line.ts';
import { EXIT } from '../../src/protocol/errors.ts';
import { type FakeDaemon, fakeDaemon } from './fake-daemon.ts';
import { instance, status } from './samples.ts';
import { command, terminal } from './terminal.ts';

let daemon: FakeDaemon;

afterEach(() => daemon.close());

const SIZE = { columns: 80, rows: 24 };
const WAITING = 'the daemon does not answer: waiting for the next one; this is what was last known';

test('says that the daemon is away, keeps what was last known, and goes on with the next', async () => {
  const first = await fakeDaemon({ 'GET /v1/status': status([instance({ id: 'worker:0' })]) });
  daemon = first;
  const there = terminal({ terminal: SIZE });
  const ended = run(['--socket', first.socket, 'status', '--watch'], there.io);
  await vi.waitUntil(() => there.out().includes('worker:0'), { timeout: 10_000 });
  await first.die();
  await vi.waitUntil(() => there.out().includes(WAITING), { timeout: 10_000 });
  daemon = await fakeDaemon({ 'GET /v1/status': status([instance({ id: 'worker:7' })]) }, first);
  await vi.waitUntil(() => there.out().includes('worker:7'), { timeout: 10_000 });
  expect(there.writes.at(-1)).not.toContain('does not answer');
  there.interrupt();
  expect(await ended).toBe(EXIT.interrupted);
  expect(there.err()).toBe('');
});

test('waits for nobody where no daemon has answered so far', async () => {
  daemon = await fakeDaemon({});
  await daemon.die();
  const result = await command(['--socket', daemon.socket, 'status', '--watch'], { terminal: SIZE });
  expect(result.exit).toBe(EXIT.noDaemon);
});
