/** Requests as nobody should send them, and what came back. */
import { connect, type Socket } from 'node:net';
import { ERROR_KINDS } from '../../src/protocol/errors.ts';
import { ROUTES } from '../../src/protocol/routes.ts';
import type { Dice } from '../sim/dice.ts';

export interface Hostile {
  readonly what: string;
  readonly bytes: Buffer;
  /** Nothing is said after it; the connection stays as it is. */
  readonly after: 'wait' | 'half-close' | 'stay';
  /** A reply to HEAD has no body. */
  readonly isHead?: true;
}

export interface Insult {
  readonly what: string;
  /** Settles when there is an answer, or none is to be expected. */
  readonly over: Promise<void>;
  readonly isOpen: boolean;
  /** What is wrong with the answer; null: nothing. */
  problem(): string | null;
  close(): void;
}

const text = (...parts: string[]): Buffer => Buffer.from(parts.join(''), 'latin1');
const post = (path: string, body: string | Buffer, more = ''): Buffer =>
  Buffer.concat([
    text(`POST ${path} HTTP/1.1\r\ncontent-length: ${Buffer.byteLength(body)}\r\n${more}\r\n`),
    Buffer.from(body),
  ]);

/** None that ends the daemon, or is to be obeyed at length. */
const PATHS = Object.values(ROUTES)
  .map(({ path }) => path.replace(':id', '1'))
  .filter((path) => !path.endsWith('shutdown'));

function randomBytes(dice: Dice, most: number): Buffer {
  return Buffer.from(Array.from({ length: dice.int(1, most) }, () => dice.int(0, 255)));
}

function randomJson(dice: Dice, depth = 0): unknown {
  const key = () =>
    dice.pick(
      'selectors',
      'wait',
      'counts',
      'signal',
      'timeout_ms',
      '__proto__',
      'constructor',
      'x',
      'reason',
    );
  const leaf = () =>
    dice.pick<unknown>(
      null,
      true,
      -1,
      1e308,
      2 ** 53,
      'worker',
      '*',
      '\u0000',
      '\ud800',
      '',
      'x'.repeat(300),
      {},
      [],
    );
  if (depth > 3 || dice.chance(0.3)) return leaf();
  const parts = Array.from({ length: dice.int(0, 4) }, () => randomJson(dice, depth + 1));
  return dice.chance(0.5) ? parts : Object.fromEntries(parts.map((part) => [key(), part]));
}

type Make = (dice: Dice, path: string) => Omit<Hostile, 'what'>;

const KINDS: Readonly<Record<string, Make>> = {
  'random bytes': (dice) => ({ bytes: randomBytes(dice, 4000), after: 'half-close' }),
  'a random method': (dice, path) => ({
    bytes: text(
      `${dice.pick('PUT', 'DELETE', 'PATCH', 'OPTIONS', 'BREW', 'get', 'CONNECT', '')} ${path} HTTP/1.1\r\n\r\n`,
    ),
    after: 'half-close',
  }),
  HEAD: (_, path) => ({ bytes: text(`HEAD ${path} HTTP/1.1\r\n\r\n`), after: 'half-close', isHead: true }),
  'a random path': (dice) => ({
    bytes: text(
      `GET ${dice.pick('/', '//', '/v1', '/%', '/%00', '/v1/rollouts/%ff', '*', 'http://', '/v1/status?usage', `/${'../'.repeat(200)}`)} HTTP/1.1\r\n\r\n`,
    ),
    after: 'half-close',
  }),
  'a random query': (dice, path) => ({
    bytes: text(
      `GET ${path}?${dice.pick('selector', 'usage', 'since', 'x', '__proto__')}=${dice.pick('%', '-1', '9'.repeat(400), '%00', '*', '..')} HTTP/1.1\r\n\r\n`,
    ),
    after: 'half-close',
  }),
  'random JSON': (dice, path) => ({
    bytes: post(path, JSON.stringify(randomJson(dice))),
    after: 'half-close',
  }),
  'a random body': (dice, path) => ({ bytes: post(path, randomBytes(dice, 3000)), after: 'half-close' }),
  'a deep body': (dice, path) => {
    const depth = dice.int(1000, 30_000);
    return { bytes: post(path, '['.repeat(depth) + ']'.repeat(depth)), after: 'half-close' };
  },
  'a prototype': (_, path) => ({
    bytes: post(path, '{"__proto__":{"selectors":["*"]},"constructor":{"prototype":{"wait":false}}}'),
    after: 'half-close',
  }),
  'too many of it': (dice) => ({
    bytes: post(
      '/v1/scale',
      `{"counts":{"worker":${dice.pick('1e9', '1e308', '-1', '10001', '9'.repeat(400))}}}`,
    ),
    after: 'half-close',
  }),
  'a large body': (dice, path) => ({
    bytes: post(path, 'x'.repeat(dice.int(60_000, 300_000))),
    after: 'half-close',
  }),
  'large headers': (dice, path) => ({
    bytes: text(`GET ${path} HTTP/1.1\r\nx: ${'y'.repeat(dice.int(10_000, 100_000))}\r\n\r\n`),
    after: 'half-close',
  }),
  'many headers': (dice, path) => ({
    bytes: text(
      `GET ${path} HTTP/1.1\r\n`,
      ...Array.from({ length: dice.int(100, 3000) }, (_, i) => `x${i}: 1\r\n`),
      '\r\n',
    ),
    after: 'half-close',
  }),
  'chunks without an end': (_, path) => ({
    bytes: text(`POST ${path} HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n5\r\n{"a":\r\n`),
    after: 'stay',
  }),
  'bad chunks': (dice, path) => ({
    bytes: text(
      `POST ${path} HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n${dice.pick('zz', '-1', 'fffffffffffffffff', '5\r\nabc')}\r\n`,
    ),
    after: 'half-close',
  }),
  'two lengths': (_, path) => ({
    bytes: text(
      `POST ${path} HTTP/1.1\r\ncontent-length: 2\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n{}`,
    ),
    after: 'half-close',
  }),
  'a body that is shorter than it says': (_, path) => ({
    bytes: text(`POST ${path} HTTP/1.1\r\ncontent-length: 1000\r\n\r\n{}`),
    after: 'half-close',
  }),
  'a body that never comes': (_, path) => ({
    bytes: text(`POST ${path} HTTP/1.1\r\ncontent-length: 1000\r\n\r\n{}`),
    after: 'stay',
  }),
  'a request in its first half': (dice, path) => {
    const whole = text(`GET ${path} HTTP/1.1\r\nx: y\r\n\r\n`);
    return { bytes: whole.subarray(0, dice.int(0, whole.length - 1)), after: 'stay' };
  },
  'many at once': (dice) => ({
    bytes: text('GET /v1/status?usage=0 HTTP/1.1\r\n\r\n'.repeat(dice.int(2, 40))),
    after: 'half-close',
  }),
  'an upgrade': (_, path) => ({
    bytes: text(
      `GET ${path} HTTP/1.1\r\nconnection: upgrade\r\nupgrade: websocket\r\nsec-websocket-key: x\r\n\r\n`,
    ),
    after: 'half-close',
  }),
  'another protocol': (dice) => ({
    bytes: text(
      dice.pick(
        'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
        '\u0016\u0003\u0001\u0002\u0000\u0001',
        'GET /\r\n\r\n',
        'GET / HTTP/9.9\r\n\r\n',
      ),
    ),
    after: 'half-close',
  }),
  'a stream that is never read': (dice) => ({
    bytes: text(`GET /v1/events?follow=1&since=${dice.pick('0', '1')} HTTP/1.1\r\n\r\n`),
    after: 'stay',
  }),
  'an expectation': (_, path) => ({
    bytes: text(`POST ${path} HTTP/1.1\r\nexpect: 200-ok\r\ncontent-length: 2\r\n\r\n{}`),
    after: 'half-close',
  }),
};

export function hostileRequest(dice: Dice): Hostile {
  const [first = '', ...rest] = Object.keys(KINDS);
  const [path = '', ...paths] = PATHS;
  const what = dice.pick(first, ...rest);
  const made = KINDS[what]?.(dice, dice.pick(path, ...paths));
  if (made === undefined) throw new Error(`no ${what}`);
  return { what, ...made };
}

/** Whoever may take its time, such as a stop that waits, is not waited for. */
const PATIENCE_MS = 1000;
const GLANCE_MS = 20;

export function insult(path: string, { what, bytes, after, isHead }: Hostile): Insult {
  const parts: Buffer[] = [];
  const socket: Socket = connect({ path, allowHalfOpen: true });
  socket.on('error', () => {}); // 'close' follows
  if (what === 'a stream that is never read') socket.pause();
  else socket.on('data', (part: Buffer) => void parts.push(part));
  if (after === 'half-close') socket.end(bytes);
  else socket.write(bytes);
  const over = new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, after === 'stay' ? GLANCE_MS : PATIENCE_MS);
    for (const event of ['end', 'close']) {
      socket.once(event, () => {
        clearTimeout(timer);
        resolve();
      });
    }
  }).then(() => {
    if (after !== 'stay') socket.destroy();
  });
  return {
    what: `${what}: ${JSON.stringify(bytes.toString('latin1').slice(0, 200))}`,
    over,
    get isOpen() {
      return !socket.destroyed;
    },
    problem: () => wrongWith(Buffer.concat(parts).toString('latin1'), isHead === true),
    close: () => void socket.destroy(),
  };
}

const HEAD = /^HTTP\/1\.1 (\d{3}) [^\r\n]*\r\n((?:[^\r\n]+\r\n)*)\r\n/;

/** A connection may be cut; what came over it as a whole is to be a reply of ours. */
function wrongWith(all: string, isHead: boolean): string | null {
  for (let rest = all; rest !== ''; ) {
    const head = HEAD.exec(rest);
    if (head === null) return `not a reply: ${rest.slice(0, 200)}`;
    rest = rest.slice(head[0].length);
    if (head[1] === '100') continue;
    if (isHead || /^transfer-encoding: chunked/im.test(head[2] ?? '')) return null; // the test of streams looks at those
    const length = Number(/^content-length: (\d+)/im.exec(head[2] ?? '')?.[1] ?? Number.NaN);
    if (Number.isNaN(length)) return `no length: ${head[0]}`;
    if (rest.length < length) return null; // cut by us
    const wrong = wrongBody(Number(head[1]), Buffer.from(rest.slice(0, length), 'latin1').toString());
    if (wrong !== null) return wrong;
    rest = rest.slice(length);
  }
  return null;
}

function wrongBody(status: number, body: string): string | null {
  try {
    const { version, error } = JSON.parse(body);
    if (version !== 1) return `no version: ${body}`;
    if (status === 200) return error === undefined ? null : `an error with 200: ${body}`;
    const isKind = Object.hasOwn(ERROR_KINDS, error?.kind) && error.kind !== 'internal';
    return isKind && /\S/.test(error.message) ? null : `not an error of ours: ${body}`;
  } catch {
    return `not JSON: ${body.slice(0, 200)}`;
  }
}
