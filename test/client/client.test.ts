/** Talking to a daemon. */
import { afterEach, expect, test } from 'vitest';
import { connect, DaemonError, NoDaemonError, ProtocolError } from '../../src/client/index.ts';
import { MAX_LINE_BYTES } from '../../src/client/lines.ts';
import { type Answer, type FakeDaemon, fakeDaemon, refusal, stream } from '../cli/fake-daemon.ts';
import { action, event, reloaded, status } from '../cli/samples.ts';

let daemon: FakeDaemon;

afterEach(() => daemon?.close());

async function client(script: Readonly<Record<string, Answer>>) {
  daemon = await fakeDaemon(script);
  return connect(daemon.socket);
}

test('each method asks its route, with what it was given', async () => {
  const there = await client({
    'GET /v1/status': status(),
    'POST /v1/start': action(),
    'POST /v1/rollouts/7/pause': { version: 1 },
    'POST /v1/scale': action(),
    'POST /v1/reload': reloaded(),
    'POST /v1/signal': action(),
    'GET /v1/logs': { version: 1, files: [] },
    'POST /v1/rollouts/7/promote': { version: 1 },
    'POST /v1/rollouts/7/revert': { version: 1 },
    'POST /v1/rollouts/7/abort': { version: 1 },
    'GET /v1/revisions': { version: 1, revisions: [] },
  });
  await there.status({ usage: false, selectors: ['worker:1', '@nightly jobs'] });
  await there.start({ selectors: ['worker'], wait: false });
  await there.pauseRollout(7);
  await there.scale({ counts: { worker: 4 } });
  await there.reload({ dry_run: true });
  await there.signal({ signal: 'HUP', selectors: ['worker'], tree: true });
  await there.logs([]);
  await there.promoteRollout(7);
  await there.abortRollout(7);
  await there.abortRollout(7, { reason: 'it is late' });
  await there.revertRollout(7);
  await there.revertRollout(7, { reason: 'it fails each job' });
  await there.revisions();
  await there.revisions('worker');
  expect(daemon.asked).toEqual([
    {
      method: 'GET',
      path: '/v1/status?usage=0&selector=worker%3A1&selector=%40nightly%20jobs',
      body: undefined,
    },
    { method: 'POST', path: '/v1/start', body: { selectors: ['worker'], wait: false } },
    { method: 'POST', path: '/v1/rollouts/7/pause', body: {} },
    { method: 'POST', path: '/v1/scale', body: { counts: { worker: 4 } } },
    { method: 'POST', path: '/v1/reload', body: { dry_run: true } },
    {
      method: 'POST',
      path: '/v1/signal',
      body: { signal: 'HUP', selectors: ['worker'], tree: true },
    },
    { method: 'GET', path: '/v1/logs', body: undefined },
    { method: 'POST', path: '/v1/rollouts/7/promote', body: {} },
    { method: 'POST', path: '/v1/rollouts/7/abort', body: {} },
    { method: 'POST', path: '/v1/rollouts/7/abort', body: { reason: 'it is late' } },
    { method: 'POST', path: '/v1/rollouts/7/revert', body: {} },
    { method: 'POST', path: '/v1/rollouts/7/revert', body: { reason: 'it fails each job' } },
    { method: 'GET', path: '/v1/revisions', body: undefined },
    { method: 'GET', path: '/v1/revisions?program=worker', body: undefined },
  ]);
});

test('a refusal of the daemon keeps its kind, sentence and hint', async () => {
  const there = await client({ 'POST /v1/stop': refusal(404, 'no_match', 'no such instance', 'see status') });
  const error = await there.stop({ selectors: ['x'] }).catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(DaemonError);
  expect(error).toMatchObject({ kind: 'no_match', message: 'no such instance', hint: 'see status' });
});

test('an absent daemon is told apart from one that went away', async () => {
  const there = await client({ 'GET /v1/status': (response) => response.destroy() });
  await expect(connect('/nonexistent/socket').status()).rejects.toMatchObject({ absence: 'absent' });
  await expect(there.status()).rejects.toMatchObject({ absence: 'lost' });
  await expect(there.status()).rejects.toBeInstanceOf(NoDaemonError);
});

test('an answer that breaks off in the middle is no answer', async () => {
  const there = await client({
    'GET /v1/status': (response) => {
      response.writeHead(200, { 'content-length': '1000' });
      response.write('{"version":1,', () => response.destroy());
    },
  });
  await expect(there.status()).rejects.toMatchObject({ absence: 'lost' });
});

test('another version of the protocol is refused', async () => {
  const there = await client({ 'GET /v1/status': { ...status(), version: 9 } });
  const error = await there.status().catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(ProtocolError);
  expect(error).toMatchObject({ version: 9 });
});

test('a path that is too long for a socket is said to be unusable', async () => {
  await expect(connect(`/${'x'.repeat(200)}`).status()).rejects.toMatchObject({
    absence: expect.any(String),
  });
});

test('a signal ends the asking with its reason, and the connection with it', async () => {
  let closed: Promise<unknown> = Promise.resolve();
  const there = await client({
    'POST /v1/stop': (response) => {
      closed = new Promise((resolve) => response.on('close', resolve));
    },
  });
  const over = new AbortController();
  const asked = daemon.got('POST /v1/stop');
  const reply = there.stop({ selectors: ['worker'] }, { signal: over.signal });
  await asked;
  over.abort(new Error('enough'));
  await expect(reply).rejects.toThrow('enough');
  await closed;
});

test('a signal that has fired already asks nothing', async () => {
  const there = await client({});
  await expect(there.status({}, { signal: AbortSignal.abort(new Error('late')) })).rejects.toThrow('late');
  expect(daemon.asked).toEqual([]);
});

test('events come one by one, however the bytes are cut', async () => {
  const text = [1, 2, 3].map((seq) => `${JSON.stringify(event(seq, {}, `réveil ${seq}`))}\n`).join('');
  const bytes = Buffer.from(text);
  const there = await client({
    'GET /v1/events': async (response) => {
      for (const byte of bytes) await new Promise((sent) => response.write(Buffer.of(byte), sent));
      response.end();
    },
  });
  const messages: string[] = [];
  for await (const { message } of there.events({ since: 0 })) messages.push(message);
  expect(messages).toEqual(['réveil 1', 'réveil 2', 'réveil 3']);
  expect(daemon.asked[0]?.path).toBe('/v1/events?since=0');
});

test('who stops iterating closes the connection', async () => {
  let closed: Promise<unknown> = Promise.resolve();
  const there = await client({
    'GET /v1/events': (response) => {
      closed = new Promise((resolve) => response.on('close', resolve));
      stream([event(1, {}, 'one')], 'stays open')(response);
    },
  });
  for await (const { seq } of there.events({ follow: true })) {
    expect(seq).toBe(1);
    break;
  }
  await closed;
});

test('a stream that ends in the middle of a connection says that the daemon is gone', async () => {
  const there = await client({
    'GET /v1/events': (response) => {
      response.write(`${JSON.stringify(event(1, {}, 'one'))}\n`, () => response.destroy());
    },
  });
  const read = async () => {
    for await (const _ of there.events({ follow: true }));
  };
  await expect(read()).rejects.toMatchObject({ absence: 'lost' });
});

test('a line without an end is not gathered without a limit', async () => {
  const there = await client({
    'GET /v1/events': (response) => {
      response.write('x'.repeat(MAX_LINE_BYTES + 1));
    },
  });
  const read = async () => {
    for await (const _ of there.events({ follow: true }));
  };
  await expect(read()).rejects.toThrow('too long');
});

test('a refusal of a stream is an error as any other', async () => {
  const there = await client({ 'GET /v1/events': refusal(400, 'bad_request', 'since is no number') });
  await expect(there.events({}).next()).rejects.toMatchObject({ kind: 'bad_request' });
});
