/** `signal`: which names it knows, and what it says. */
import { constants } from 'node:os';
import { afterEach, expect, test } from 'vitest';
import { EXIT } from '../../src/protocol/errors.ts';
import { type FakeDaemon, fakeDaemon } from './fake-daemon.ts';
import { action } from './samples.ts';
import { command } from './terminal.ts';

let daemon: FakeDaemon;

afterEach(() => daemon.close());

async function signal(reply: object, ...argv: string[]) {
  daemon = await fakeDaemon({ 'POST /v1/signal': reply });
  return command(['--socket', daemon.socket, 'signal', ...argv]);
}

test.each(['HUP', 'SIGHUP', 'hup', 'sighup', String(constants.signals.SIGHUP)])(
  '%s is sent to the leaders of the named instances',
  async (name) => {
    const result = await signal(action(), name, 'worker', '@batch');
    expect(result).toEqual({ exit: EXIT.done, out: '4 instances sent HUP (worker:0-3)\n', err: '' });
    expect(daemon.asked).toEqual([
      {
        method: 'POST',
        path: '/v1/signal',
        body: { signal: 'HUP', selectors: ['worker', '@batch'], tree: false },
      },
    ]);
  },
);

test('--tree sends it to all of their processes', async () => {
  const { out } = await signal(action(), 'USR1', 'worker', '--tree');
  expect(out).toBe('4 instances sent USR1, with all their processes (worker:0-3)\n');
  expect(daemon.asked[0]?.body).toMatchObject({ tree: true });
});

test('an instance that was not there to be signalled is named, and a failure', async () => {
  const [first, second] = action().instances;
  if (first === undefined || second === undefined) throw new Error('the sample has four');
  const message = 'worker:1 is not running: it is backoff';
  const reply = action({ instances: [first, { ...second, state: 'backoff', ok: false, message }] });
  expect(await signal(reply, 'HUP', 'worker')).toEqual({
    exit: EXIT.failed,
    out: `${message}\n1 instance sent HUP (worker:0)\n1 instance not sent HUP (worker:1)\n`,
    err: '',
  });
});

test('with --json stdout has the reply alone', async () => {
  const { out, err } = await signal(action(), 'HUP', 'worker', '--json');
  expect(err).toBe('');
  expect(JSON.parse(out)).toEqual(action());
});

test.each([
  [['hop', 'worker'], 'there is no signal "hop"; did you mean HUP?'],
  [['SIGTREM', 'worker'], 'there is no signal "SIGTREM"; did you mean TERM?'],
  [['0', 'worker'], /^there is no signal "0"; the signals are: TERM, INT, /],
  [['999', 'worker'], /^there is no signal "999"; the signals are: /],
  [
    ['worker', 'HUP'],
    /^there is no signal "worker"; the signal comes first: "tsup-visor .*signal HUP worker"$/,
  ],
  [['-HUP', 'worker'], /^unknown option "-HUP"; a signal is written without a dash: .*signal HUP SELECTOR"$/],
  [['-9', 'worker'], 'there is no signal "-9"; a signal is written without a dash'],
  [['HUP'], "no SELECTOR is given; name programs or instances, or '*' for all"],
  [[], 'no SIGNAL is given; name one, such as HUP, and then programs or instances'],
])('%j is refused before anything is asked', async (argv, sentence) => {
  const { exit, out, err } = await signal(action(), ...argv);
  expect({ exit, out }).toEqual({ exit: EXIT.usage, out: '' });
  expect(err).toMatch(/^tsup-visor: .*\n$/);
  const said = err.slice('tsup-visor: '.length, -1);
  if (typeof sentence === 'string') expect(said).toBe(sentence);
  else expect(said).toMatch(sentence);
  expect(daemon.asked).toEqual([]);
});
