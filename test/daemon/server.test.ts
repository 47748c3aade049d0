import { mkdirSync, readdirSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { Server } from 'node:http';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { MAX_BODY_BYTES } from '../../src/protocol/routes.ts';
import type { StatusReply } from '../../src/protocol/status.ts';
import { useLeakCheck } from '../rig/leaks.ts';
import { within } from '../rig/within.ts';
import { expectRefusal, parseReplies, Raw } from './wire.ts';
import { PROGRAMS, World } from './world.ts';

const leaks = useLeakCheck();
let world: World;

beforeEach(async () => {
  world = new World(leaks);
  await world.begin({ worker: { ...PROGRAMS.steady, instances: 2 } });
});
afterEach(() => world.close());

const raw = (): Raw => new Raw(world.socket);

/** It goes on as if nothing had been, and has no defect to report. */
async function expectWell(): Promise<void> {
  const { daemon, instances } = await world.status();
  expect(daemon.warnings.filter((text) => /defect/.test(text))).toEqual([]);
  expect(daemon.state).toBe('running');
  expect(instances).toHaveLength(2);
}

describe('each route', () => {
  it.each([
    ['GET', '/v1/status', undefined, 200],
    ['GET', '/v1/status?usage=0', undefined, 200],
    ['GET', '/v1/status?selector=worker:0&selector=worker:1', undefined, 200],
    ['GET', '/v1/status?selector=nobody', undefined, 'no_match'],
    ['GET', '/v1/status?selector=', undefined, 'no_match'],
    ['POST', '/v1/start', { selectors: ['worker:0'], wait: false }, 200],
    ['POST', '/v1/start', { selectors: ['worker:0'] }, 200],
    ['POST', '/v1/start', { selectors: ['nobody'] }, 'no_match'],
    ['POST', '/v1/stop', { selectors: ['*'] }, 200],
    ['POST', '/v1/stop', { selectors: [] }, 'bad_request'],
    ['POST', '/v1/restart', { selectors: ['worker'] }, 200],
    ['POST', '/v1/rollouts', { selectors: ['worker'], dry_run: true }, 200],
    ['POST', '/v1/rollouts', { selectors: ['worker'], max_parallel: '0' }, 'bad_request'],
    ['POST', '/v1/rollouts', { selectors: ['worker'], max_parallel: '101%' }, 'bad_request'],
    ['GET', '/v1/rollouts', undefined, 200],
    ['GET', '/v1/rollouts/7', undefined, 'not_found'],
    ['POST', '/v1/rollouts/7/pause', undefined, 'not_found'],
    ['POST', '/v1/rollouts/7/resume', {}, 'not_found'],
    ['POST', '/v1/rollouts/7/abort', { extra: 1 }, 'bad_request'],
    ['POST', '/v1/rollouts/7/promote', undefined, 'not_found'],
    ['POST', '/v1/rollouts/7/revert', { reason: 'slow' }, 'not_found'],
    ['POST', '/v1/rollouts', { selectors: ['worker'], dry_run: true, instances: '0', canary: '0' }, 200],
    ['POST', '/v1/rollouts', { selectors: ['worker'], dry_run: true, instances: '7-9' }, 'no_match'],
    ['POST', '/v1/rollouts', { selectors: ['worker'], instances: '0-' }, 'bad_request'],
    ['GET', '/v1/revisions', undefined, 200],
    ['GET', '/v1/revisions?program=worker', undefined, 200],
    ['GET', '/v1/revisions?program=nobody', undefined, 'no_match'],
    ['POST', '/v1/scale', { counts: { worker: 2 } }, 200],
    ['POST', '/v1/scale', { counts: { nobody: 2 } }, 'no_match'],
    ['POST', '/v1/scale', { counts: { constructor: 2 } }, 'bad_request'],
    ['POST', '/v1/scale', { counts: {} }, 'bad_request'],
    ['POST', '/v1/scale', { counts: { worker: -1 } }, 'bad_request'],
    ['POST', '/v1/scale', { counts: { worker: 10_001 } }, 'bad_request'],
    ['POST', '/v1/scale', { counts: { worker: 1.5 } }, 'bad_request'],
    ['POST', '/v1/reload', {}, 200],
    ['POST', '/v1/reload', { dry_run: true }, 200],
    ['POST', '/v1/reload', { dry_run: 1 }, 'bad_request'],
    ['POST', '/v1/signal', { signal: 'WINCH', selectors: ['worker'] }, 200],
    ['POST', '/v1/signal', { signal: 'sigwinch', selectors: ['worker'] }, 200],
    ['POST', '/v1/signal', { signal: 'NONE', selectors: ['worker'] }, 'bad_request'],
    ['POST', '/v1/signal', { signal: '0', selectors: ['worker'] }, 'bad_request'],
    ['POST', '/v1/signal', { signal: '999', selectors: ['worker'] }, 'bad_request'],
    ['POST', '/v1/signal', { signal: 'HUP', selectors: ['nobody'] }, 'no_match'],
    ['POST', '/v1/signal', { signal: 'HUP', selectors: [] }, 'bad_request'],
    ['GET', '/v1/logs', undefined, 200],
    ['GET', '/v1/logs?selector=worker:1', undefined, 200],
    ['POST', '/v1/shutdown', { how: 'softly' }, 'bad_request'],
    ['POST', '/v1/shutdown', { timeout_ms: -1 }, 'bad_request'],
    ['POST', '/v1/shutdown', { timeout_ms: 1.5 }, 'bad_request'],
  ] as const)('answers: %s %s %j', async (method, path, body, wanted) => {
    const reply = await world.request(method, path, body);
    if (wanted === 200) expect(reply).toMatchObject({ status: 200, json: { version: 1 } });
    else expectRefusal(reply, wanted);
    await expectWell();
  });

  it('of events answers with a line each, from the one that was asked for', async () => {
    await world.act('start', ['worker:0']);
    const events = async (query: string) => {
      const own = raw().say(`GET /v1/events${query} HTTP/1.0\r\n\r\n`);
      await own.closed;
      return own.text.split('\n').flatMap((line) => (line.startsWith('{') ? [JSON.parse(line)] : []));
    };
    const all = await events('');
    expect(all.map(({ seq }) => seq)).toEqual(all.map((_, i) => i + 1));
    expect(all[0]).toMatchObject({ type: 'daemon', state: 'started', message: 'the daemon has started' });
    expect(await events(`?since=${all.length - 2}`)).toEqual(all.slice(-2));
    expect(await events('?since=999999')).toEqual([]);
  });

  it.each(['-1', 'x', '1e3', '1'.repeat(16), '%00'])('of events refuses since=%s', async (since) => {
    expectRefusal(await world.request('GET', `/v1/events?since=${since}`), 'bad_request');
  });
});

describe('the socket', () => {
  it('is where it is said to be, for its owner alone, and nothing half made lies beside it', () => {
    expect(statSync(world.socket).mode & 0o777).toBe(0o600);
    expect(statSync(dirname(world.socket)).mode & 0o777).toBe(process.geteuid?.() === 0 ? 0o711 : 0o700);
    expect(readdirSync(dirname(world.socket)).filter((name) => name.endsWith('.sock'))).toEqual([
      'control.sock',
    ]);
  });

  it('takes away what a daemon has left that was killed before it had its own in place, and nothing that answers', async () => {
    const folder = dirname(world.socket);
    const dead = await leaveSocket(folder, '.4711.sock');
    const living = await leaveSocket(folder, '.4712.sock');
    await dead.close();
    await world.handOver();
    expect(readdirSync(folder).filter((name) => name.endsWith('.sock'))).toEqual([
      '.4712.sock',
      'control.sock',
    ]);
    await living.close();
  });

  it('leaves what is no socket of its own beside it', async () => {
    const folder = dirname(world.socket);
    mkdirSync(join(folder, '.4711.sock'));
    writeFileSync(join(folder, '.4712.sock'), '');
    await world.handOver();
    expect(readdirSync(folder)).toEqual(expect.arrayContaining(['.4711.sock', '.4712.sock']));
  });
});

/** A socket under that name, which stays there when nobody listens any more. */
async function leaveSocket(folder: string, name: string): Promise<{ close(): Promise<void> }> {
  const server = createServer((socket) => socket.destroy());
  await new Promise<void>((resolve) => server.listen(join(folder, 'other.sock'), resolve));
  renameSync(join(folder, 'other.sock'), join(folder, name));
  return { close: () => new Promise((resolve) => server.close(() => resolve())) };
}

describe('what is wrong with a request is said in the form that all errors have', () => {
  it.each([
    ['PUT', '/v1/status', 'method_not_allowed'],
    ['DELETE', '/v1/rollouts/1', 'method_not_allowed'],
    ['GET', '/v1/start', 'method_not_allowed'],
    ['PROPFIND', '/v1/status', 'method_not_allowed'],
    ['GET', '/', 'not_found'],
    ['GET', '/v1', 'not_found'],
    ['GET', '/v1/status/', 'not_found'],
    ['GET', '/v1/statuses', 'not_found'],
    ['GET', '/V1/status', 'not_found'],
    ['GET', '/v2/status', 'not_found'],
    ['GET', '/v1/rollouts/', 'not_found'],
    ['GET', '/v1/rollouts/1/pause/more', 'not_found'],
    ['GET', '/v1/rollouts/..%2f..%2fetc', 'not_found'],
    ['GET', '/v1/rollouts/%zz', 'bad_request'],
    ['GET', '/v1/rollouts/%ff%fe', 'bad_request'],
    ['GET', '/v1/rollouts/%00', 'not_found'],
    ['GET', '/v1/rollouts/__proto__', 'not_found'],
    ['GET', '/v1/status?colour=1', 'bad_request'],
    ['GET', '/v1/status?__proto__=1', 'bad_request'],
    ['GET', '/v1/rollouts?selector=worker', 'bad_request'],
    ['GET', 'http://[', 'bad_request'],
    ['GET', '//', 'bad_request'],
  ] as const)('%s %s', async (method, path, kind) => {
    expectRefusal(await world.request(method, path), kind);
    await expectWell();
  });

  it.each([
    'not json',
    '{',
    'null',
    '[]',
    '5',
    '"text"',
    '{"selectors":"worker"}',
    '{"selectors":[1]}',
    '{"selectors":[""]}',
    '{"selectors":["worker"],"wiat":true}',
    '{"selectors":["worker"],"wait":"yes"}',
    '{"selectors":["worker"],"__proto__":{}}',
    '{"__proto__":{"selectors":["worker"]}}',
    `{"selectors":["${'x'.repeat(201)}"]}`,
    `{"selectors":[${'"a",'.repeat(1000)}"a"]}`,
    '['.repeat(60_000),
    `{"selectors":${'['.repeat(30_000)}${']'.repeat(30_000)}}`,
    '\u0000\u0001',
  ])('POST /v1/stop with the body %#', async (body) => {
    expectRefusal(await world.request('POST', '/v1/stop', body), 'bad_request');
    await expectWell();
  });

  it('HEAD has no body, as HTTP wants it', async () => {
    expect(await world.request('HEAD', '/v1/status')).toEqual({ status: 405, json: null });
  });

  it.each([
    ['random bytes', '\x16\x03\x01\x02\x00\xff\xfe\x00\r\n\r\n'],
    ['half a line and then the end', 'GET /v1/sta'],
    ['no HTTP', 'hello\r\n\r\n'],
    ['a header that is none', 'GET /v1/status HTTP/1.1\r\nno colon\r\n\r\n'],
    [
      'two lengths that differ',
      'POST /v1/start HTTP/1.1\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\n{}',
    ],
    ['a length that is no number', 'POST /v1/start HTTP/1.1\r\ncontent-length: x\r\n\r\n{}'],
    ['chunks that are none', 'POST /v1/start HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n'],
    ['a body that was cut off', 'POST /v1/start HTTP/1.1\r\ncontent-length: 100\r\n\r\n{"sel'],
    ['headers that are too large', `GET /v1/status HTTP/1.1\r\nx: ${'y'.repeat(20_000)}\r\n\r\n`],
    ['a path that is too long', `GET /${'x'.repeat(20_000)} HTTP/1.1\r\n\r\n`],
    ['an expectation', 'GET /v1/status HTTP/1.1\r\nexpect: miracles\r\nconnection: close\r\n\r\n'],
    ['a tunnel', 'CONNECT example:80 HTTP/1.1\r\nhost: x\r\n\r\n'],
  ])('%s on the connection', async (_, text) => {
    const own = raw().say(Buffer.from(text, 'latin1'));
    own.socket.end();
    const replies = await own.replies();
    for (const reply of replies) if (reply.status !== 200) expectRefusal(reply);
    expect(replies.length).toBeLessThanOrEqual(1);
    await expectWell();
  });

  it('which needs no Host, as there is none', async () => {
    const own = raw().say('GET /v1/rollouts HTTP/1.1\r\nconnection: close\r\n\r\n');
    expect(await own.replies()).toMatchObject([{ status: 200 }]);
  });

  it.each([
    ['oversize headers', `GET /v1/status HTTP/1.1\r\nx: ${'y'.repeat(20_000)}\r\n\r\n`, 'too_large'],
    ['a broken header', 'GET /v1/status HTTP/1.1\r\nno colon\r\n\r\n', 'bad_request'],
  ] as const)('also where HTTP itself is broken: %s', async (_, text, kind) => {
    const [reply] = await raw().say(text).replies();
    if (reply === undefined) throw new Error('no reply');
    expectRefusal(reply, kind);
  });
});

describe('a body', () => {
  it('may be as large as it may be', async () => {
    const body = `{"selectors":["worker:0"],"wait":false${' '.repeat(MAX_BODY_BYTES - 39)}}`;
    expect(Buffer.byteLength(body)).toBe(MAX_BODY_BYTES);
    expect(await world.request('POST', '/v1/start', body)).toMatchObject({ status: 200 });
  });

  it.each([MAX_BODY_BYTES + 1, 10 * MAX_BODY_BYTES, 100 * MAX_BODY_BYTES])(
    'of %i bytes is refused in words, and not kept in memory',
    async (size) => {
      expectRefusal(await world.request('POST', '/v1/start', ' '.repeat(size)), 'too_large');
      await expectWell();
    },
  );

  it('that comes byte by byte is read like any other', async () => {
    const body = '{"selectors":["worker:0"],"wait":false}';
    const own = raw().say(
      `POST /v1/start HTTP/1.1\r\nconnection: close\r\ncontent-length: ${body.length}\r\n\r\n`,
    );
    for (const byte of body) {
      own.say(byte);
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(await own.replies()).toMatchObject([{ status: 200 }]);
  });
});

describe('a connection', () => {
  it('carries requests one after another, and several at once, answered in order', async () => {
    const ask = (path: string) => `GET ${path} HTTP/1.1\r\n\r\n`;
    const own = raw().say(ask('/v1/rollouts') + ask('/nothing-here'));
    own.socket.end(ask('/v1/rollouts'));
    await own.closed;
    const statuses = parseReplies(own.text).map(({ status }) => status);
    // A refusal ends the connection: what comes after it is not answered.
    expect(statuses).toEqual([200, 404]);
    const good = raw().say(ask('/v1/rollouts').repeat(50));
    await good.heard(/HTTP\/1\.1 200/, 50);
    good.socket.destroy();
    expect(parseReplies(good.text)).toHaveLength(50);
    await good.closed;
    await expectWell();
  });

  it('is cut rather than written over when garbage follows a request that still waits', async () => {
    world.configure({ worker: { ...PROGRAMS.neverReady, instances: 2 } });
    await world.act('restart', ['worker:0'], { wait: false });
    const body = '{"selectors":["worker:0"]}';
    const own = raw().say(`POST /v1/start HTTP/1.1\r\ncontent-length: ${body.length}\r\n\r\n${body}`);
    await expectWell(); // by now it has been heard
    own.say('\x00 garbage \r\n\r\n');
    await within('the end of the connection', own.closed);
    expect(own.text).toBe('');
    await expectWell();
  });

  it('that says nothing holds up nobody, not even the end of the daemon', async () => {
    const silent = raw();
    await new Promise((resolve) => silent.socket.once('connect', resolve));
    await expectWell();
    world.daemon.shutDown('drain');
    await within('the daemon to end', world.daemon.ended, 2000);
    await silent.closed;
  });

  it('that stays open after an answer does not hold up the end of the daemon', async () => {
    const idle = raw().say('GET /v1/rollouts HTTP/1.1\r\n\r\n');
    await idle.heard(/rollouts/);
    const impatience = vi.spyOn(Server.prototype, 'closeAllConnections');
    world.daemon.shutDown('drain');
    await within('the daemon to end', world.daemon.ended, 2000);
    expect(impatience, 'it is closed at once').not.toHaveBeenCalled();
    await idle.closed;
  });
});

/** The same numbers for the same seed (mulberry32). */
function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** What takes a second or two where the machine is idle. */
const LONG_MS = 30_000;

it(
  'two thousand random requests: each answer well formed, the daemon as it was, its memory bounded',
  async () => {
    const seed = Number(process.env.TEST_SEED ?? Date.now() % 1_000_000);
    const random = randomFrom(seed);
    const pick = <T>(...of: readonly T[]): T => of[Math.floor(random() * of.length)] as T; // never empty
    const junk = () =>
      Array.from({ length: 1 + random() * 20 }, () => String.fromCharCode(33 + random() * 90)).join('');
    const segment = () =>
      pick(
        'v1',
        'v1',
        'v1',
        'status',
        'start',
        'stop',
        'rollouts',
        'logs',
        'events',
        '7',
        '%zz',
        encodeURIComponent(junk()),
      );
    const path = () =>
      pick(
        () =>
          `/v1/${pick('status', 'rollouts', 'logs', 'start', 'stop', 'restart', 'events', 'rollouts/1/pause')}`,
        () => `/${Array.from({ length: random() * 5 }, segment).join('/')}`,
        () =>
          `/v1/status?${pick('usage', 'selector', 'x')}=${pick('0', 'worker', '*', '%zz', encodeURIComponent(junk()))}`,
      )();
    const value = (depth: number): unknown =>
      pick<() => unknown>(
        () => null,
        () => random() * 1e9,
        () => pick('worker', 'worker:0', '*', '@g', junk()),
        () => pick(true, false),
        () => (depth > 3 ? [] : Array.from({ length: random() * 4 }, () => value(depth + 1))),
        () =>
          depth > 3 ? {} : { [pick('selectors', 'wait', 'now', 'keep_config', junk())]: value(depth + 1) },
      )();
    const body = () =>
      pick<() => unknown>(
        () => undefined,
        () => junk(),
        () => value(0),
        () => ({ selectors: [pick('worker', 'worker:1', 'nobody', '*')], wait: false }),
        () => ({ selectors: [pick('worker', '*')], wait: false, dry_run: true }),
        () => ' '.repeat(random() * 100_000),
      )();
    const one = async (): Promise<void> => {
      const [method, to, sent] = [pick('GET', 'POST', 'POST', 'PUT', 'DELETE', 'OPTIONS'), path(), body()];
      if (to.includes('/events')) return; // not JSON but NDJSON, and looked at above
      const reply = await world.request(method, to, sent);
      if (reply.status === 200) expect(reply.json).toMatchObject({ version: 1 });
      else expectRefusal(reply);
      expect(reply.status).not.toBe(500);
    };
    try {
      await Promise.all(Array.from({ length: 100 }, one));
      const before = process.memoryUsage().rss;
      for (let i = 0; i < 95; i++) await Promise.all(Array.from({ length: 20 }, one));
      expect(process.memoryUsage().rss - before).toBeLessThan(150 * 1024 * 1024);
      const { daemon } = await world.ask<StatusReply>('GET', '/v1/status');
      expect(daemon.warnings.filter((text) => /defect/.test(text))).toEqual([]);
    } catch (error) {
      throw new Error(`with TEST_SEED=${seed}`, { cause: error });
    }
  },
  LONG_MS,
);
