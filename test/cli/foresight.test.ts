/** The question that is asked ahead is the one that the command would have asked. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { run } from '../../src/cli/command-line.ts';
import { foresee } from '../../src/cli/foresight.ts';
import type { Io } from '../../src/cli/io.ts';
import { showForeseen } from '../../src/cli/plain-status.ts';
import { EXIT, type ExitCode } from '../../src/protocol/errors.ts';
import { type FakeDaemon, fakeDaemon } from './fake-daemon.ts';
import { status } from './samples.ts';
import { terminal } from './terminal.ts';

let daemon: FakeDaemon;

async function atOnce(words: readonly string[], io: Io): Promise<ExitCode> {
  const foreseen = foresee(words, io);
  if (foreseen === undefined) throw new Error(`${words.join(' ')} is no plain status`);
  return showForeseen(foreseen, io);
}

beforeEach(async () => {
  daemon = await fakeDaemon({ 'GET /v1/status': status() });
});
afterEach(() => daemon.close());

test.each([[['status']], [['status', 'worker', '@batch']], [['--json', 'status', 'worker:0', '--no-color']]])(
  '%s is asked once, as the command would have asked',
  async (words) => {
    const plain = terminal({ env: { TSUP_VISOR_SOCKET: daemon.socket } });
    await run(words, plain.io);
    const ahead = terminal({ env: { TSUP_VISOR_SOCKET: daemon.socket } });
    expect(await atOnce(words, ahead.io)).toBe(EXIT.done);
    expect(ahead.out()).toBe(plain.out());
    expect(daemon.asked).toHaveLength(2);
    expect(daemon.asked[1]).toEqual(daemon.asked[0]);
  },
);

test('the options that say where the daemon is are understood', async () => {
  const { io } = terminal();
  await foresee(['--socket', daemon.socket, 'status'], io)?.reply;
  await foresee(['status', '--socket', daemon.socket], io)?.reply;
  expect(daemon.asked).toHaveLength(2);
});

test.each([
  [[]],
  [['stop', 'status']],
  [['--help', 'status']],
  [['status', '--help']],
  [['status', '--watch']],
  [['status', '-w']],
  [['status', '--']],
  [['status', '--socket']],
  [['--socket', '--json', 'status']],
  [['--socket=x', 'status']],
])('%s is left to the command', (words) => {
  const { io } = terminal({ env: { TSUP_VISOR_SOCKET: daemon.socket } });
  expect(foresee(words, io)).toBeUndefined();
});

test('an error of the early question is told as any other, once', async () => {
  const there = terminal();
  const words = ['status', '--socket', '/nonexistent/socket'];
  expect(await atOnce(words, there.io)).toBe(EXIT.noDaemon);
  expect(there.err()).toBe(
    'tsup-visor: no daemon answers at /nonexistent/socket; start one with "tsup-visor --socket /nonexistent/socket start"\n',
  );
});
