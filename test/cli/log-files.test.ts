/** `rotate` and `reopen`: what is asked, and how the answer reads. */
import { afterEach, expect, test } from 'vitest';
import { EXIT } from '../../src/protocol/errors.ts';
import { type FakeDaemon, fakeDaemon } from './fake-daemon.ts';
import { status } from './samples.ts';
import { command } from './terminal.ts';

let daemon: FakeDaemon | undefined;

afterEach(async () => {
  await daemon?.close();
  daemon = undefined;
});

const file = (outcome: string, message = 'x') => ({ path: '/l/a.log', outcome, message });
const script = (...files: object[]) => ({
  'GET /v1/status': status(),
  'POST /v1/logs/rotate': { version: 1, files },
  'POST /v1/logs/reopen': { version: 1, files },
});

test('rotate asks for those that are named, and says how many there were', async () => {
  daemon = await fakeDaemon(script(file('done'), file('done'), file('nothing')));
  expect(await command(['--socket', daemon.socket, 'rotate', 'worker', '@b'])).toEqual({
    exit: EXIT.done,
    out: '2 log files put aside\n',
    err: '',
  });
  const asked = daemon.asked.filter(({ method }) => method === 'POST');
  expect(asked).toEqual([{ method: 'POST', path: '/v1/logs/rotate', body: { selectors: ['worker', '@b'] } }]);
});

test('reopen names none for all', async () => {
  daemon = await fakeDaemon(script(file('nothing')));
  expect(await command(['--socket', daemon.socket, 'reopen'])).toMatchObject({
    out: 'nothing opened anew\n',
  });
  expect(daemon.asked.at(-1)).toEqual({ method: 'POST', path: '/v1/logs/reopen', body: { selectors: [] } });
});

test('what has failed is told, and is exit code 1', async () => {
  const files = [file('later', 'b is put aside later'), file('failed', 'c cannot be put aside: \x1b[2J why')];
  daemon = await fakeDaemon(script(file('done'), ...files));
  const { exit, out } = await command(['--socket', daemon.socket, 'rotate']);
  expect(exit).toBe(EXIT.failed);
  expect(out).toMatch(/^b is put aside later\nc cannot be put aside: .* why\n1 log file put aside\n$/);
  expect(out).not.toContain('\x1b');
});

test('with --json the answer is as the daemon gave it', async () => {
  daemon = await fakeDaemon(script(file('done')));
  const { out } = await command(['--socket', daemon.socket, '--json', 'rotate']);
  expect(JSON.parse(out)).toEqual({ version: 1, files: [file('done')] });
});
