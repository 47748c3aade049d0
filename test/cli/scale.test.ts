/** `scale`: what it takes, and what it says. */
import { afterEach, expect, test } from 'vitest';
import { EXIT } from '../../src/protocol/errors.ts';
import type { ActionOutcome } from '../../src/protocol/replies.ts';
import { type Answer, type FakeDaemon, fakeDaemon, refusal } from './fake-daemon.ts';
import { action } from './samples.ts';
import { command } from './terminal.ts';

let daemon: FakeDaemon | undefined;

afterEach(async () => {
  await daemon?.close();
  daemon = undefined;
});

async function scale(answer: Answer, ...argv: string[]) {
  daemon = await fakeDaemon({ 'POST /v1/scale': answer });
  return command(['--socket', daemon.socket, 'scale', ...argv]);
}

const outcome = (id: string, given: Partial<ActionOutcome> = {}): ActionOutcome => ({
  id,
  state: 'running',
  ok: true,
  already: false,
  message: `${id} is ready`,
  ...given,
});

const gone = (id: string) => outcome(id, { state: 'stopped', message: `${id} has ended and is gone` });

test('several programs are scaled by one request', async () => {
  await scale(action(), 'worker=4', 'mailer=0');
  expect(daemon?.asked).toEqual([
    { method: 'POST', path: '/v1/scale', body: { counts: { worker: 4, mailer: 0 }, wait: true } },
  ]);
});

test('it tells what has come and what has gone', async () => {
  const instances = [outcome('worker:2'), outcome('worker:3'), gone('mailer:1'), gone('mailer:2')];
  expect(await scale(action({ instances }), 'worker=4', 'mailer=1')).toEqual({
    exit: EXIT.done,
    out: '2 instances ready (worker:2-3)\n2 instances removed (mailer:1-2)\n',
    err: '',
  });
});

test('what is added to a stopped program is not said to be gone', async () => {
  const added = outcome('worker:1', { state: 'stopped', message: 'worker:1 was added, and stays stopped' });
  const { out } = await scale(action({ instances: [added] }), 'worker=2');
  expect(out).toBe('1 instance added, and left stopped (worker:1)\n');
});

test('where there are as many already the daemon’s sentence says so', async () => {
  const same = outcome('worker:3', { already: true, message: 'worker has 4 instances already' });
  const { exit, out } = await scale(action({ instances: [same] }), 'worker=4');
  expect({ exit, out }).toEqual({ exit: EXIT.done, out: 'worker has 4 instances already\n' });
});

test('an instance that does not start is a failure', async () => {
  const failed = outcome('worker:1', {
    state: 'backoff',
    ok: false,
    message: 'worker:1 exited with code 1 after 20ms; it is tried again in 100ms',
  });
  const { exit, out } = await scale(action({ instances: [outcome('worker:2'), failed] }), 'worker=3');
  expect(exit).toBe(EXIT.failed);
  expect(out.split('\n')).toEqual([
    'worker:1 exited with code 1 after 20ms; it is tried again in 100ms',
    '1 instance ready (worker:2)',
    '1 instance not as wished yet (worker:1)',
    '',
  ]);
});

test('--no-wait says what each of them does meanwhile', async () => {
  const instances = [
    outcome('worker:1', { ok: null, state: 'starting' }),
    outcome('mailer:1', { ok: null, state: 'draining' }),
  ];
  const { exit, out } = await scale(action({ instances }), '--no-wait', 'worker=2', 'mailer=1');
  expect({ exit, out }).toEqual({
    exit: EXIT.done,
    out: '1 instance starting (worker:1)\n1 instance draining (mailer:1)\n',
  });
  expect(daemon?.asked[0]?.body).toMatchObject({ wait: false });
});

test('with --json stdout has the reply alone', async () => {
  const reply = action({ instances: [gone('worker:1')] });
  const { out, err } = await scale(reply, 'worker=1', '--json');
  expect(err).toBe('');
  expect(JSON.parse(out)).toEqual(reply);
});

test.each([
  [['worker=+1'], 'cannot read "worker=+1"; scale takes PROGRAM=N, such as worker=4'],
  [['worker=-1'], 'cannot read "worker=-1"; scale takes PROGRAM=N, such as worker=4'],
  [['worker=1.5'], 'cannot read "worker=1.5"; scale takes PROGRAM=N, such as worker=4'],
  [['worker='], 'cannot read "worker="; scale takes PROGRAM=N, such as worker=4'],
  [['worker', '4'], 'cannot read "worker"; scale takes PROGRAM=N, such as worker=4'],
  [['=4'], 'cannot read "=4"; scale takes PROGRAM=N, such as worker=4'],
  [['worker=99999999999'], 'cannot read "worker=99999999999"; scale takes PROGRAM=N, such as worker=4'],
  [['worker=1', 'worker=2'], 'cannot scale worker twice at once; name each program once'],
  [['worker:2=1'], 'cannot scale "worker:2"; scale takes programs by their whole names, such as worker=4'],
  [['@batch=1'], 'cannot scale "@batch"; scale takes programs by their whole names, such as worker=4'],
  [['work*=1'], 'cannot scale "work*"; scale takes programs by their whole names, such as worker=4'],
  [[], 'no PROGRAM=N is given; scale takes PROGRAM=N, such as worker=4'],
])('%j is refused before anything is asked', async (argv, sentence) => {
  expect(await scale(action(), ...argv)).toEqual({
    exit: EXIT.usage,
    out: '',
    err: `tsup-visor: ${sentence}\n`,
  });
  expect(daemon?.asked).toEqual([]);
});

test('during a rollout of the program it is a conflict', async () => {
  const busy = refusal(409, 'conflict', 'rollout 7 of worker is under way', 'wait for it');
  expect((await scale(busy, 'worker=1')).exit).toBe(EXIT.conflict);
});
