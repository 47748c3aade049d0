/** HTTP over the daemon's socket, polite and rude. */
import { Agent, request as send } from 'node:http';
import { connect, type Socket } from 'node:net';
import { expect } from 'vitest';
import { ERROR_KINDS, type WireError } from '../../src/protocol/errors.ts';
import { within } from '../rig/within.ts';

export interface Reply {
  readonly status: number;
  readonly json: unknown;
}

export function request(socketPath: string, method: string, path: string, body?: unknown): Promise<Reply> {
  const text = typeof body === 'string' || body === undefined ? body : JSON.stringify(body);
  const asked = new Promise<Reply>((resolve, reject) => {
    const headers = text === undefined ? {} : { 'content-length': Buffer.byteLength(text) };
    const options = { socketPath, method, path, headers, agent: new Agent({ keepAlive: false }) };
    const outgoing = send(options, (incoming) => {
      const parts: Buffer[] = [];
      incoming.on('data', (part: Buffer) => parts.push(part));
      incoming.on('error', reject);
      incoming.on('end', () => {
        const whole = Buffer.concat(parts).toString();
        try {
          resolve({ status: incoming.statusCode ?? 0, json: whole === '' ? null : JSON.parse(whole) });
        } catch {
          reject(new Error(`${method} ${path} was answered with ${whole.slice(0, 500)}`));
        }
      });
    });
    outgoing.on('error', reject);
    outgoing.end(text);
  });
  return within(`the answer to ${method} ${path.slice(0, 100)}`, asked);
}

/** A reply that refuses has a kind of the fixed set, its status code, and a sentence. */
export function expectRefusal({ status, json }: Reply, kind?: WireError['kind']): void {
  // What is looked at next, field by field.
  const reply = json as { version: unknown; error: WireError };
  expect(Object.keys(reply).sort()).toEqual(['error', 'version']);
  expect(reply.version).toBe(1);
  if (kind !== undefined) expect(reply.error.kind, reply.error.message).toBe(kind);
  expect(ERROR_KINDS).toHaveProperty(reply.error.kind);
  expect(status).toBe(ERROR_KINDS[reply.error.kind].http);
  expect(reply.error.message).toMatch(/\S/);
}

/** A connection on which anything may be said. */
export class Raw {
  readonly socket: Socket;
  text = '';
  readonly closed: Promise<void>;
  readonly #looks = new Set<() => void>();

  constructor(path: string) {
    this.socket = connect({ path, allowHalfOpen: true });
    this.socket.setEncoding('latin1');
    this.socket.on('error', () => {}); // reset, or written to when gone: 'close' follows
    this.socket.on('data', (part) => {
      this.text += part;
      for (const look of this.#looks) look();
    });
    this.closed = new Promise((resolve) => this.socket.on('close', () => resolve()));
    this.socket.on('end', () => this.socket.end());
  }

  say(text: string | Buffer): this {
    this.socket.write(text);
    return this;
  }

  /** Waits until it has come, so many times. */
  heard(pattern: RegExp, times = 1): Promise<void> {
    const global = new RegExp(pattern, 'g');
    return within(
      `${pattern} from the daemon`,
      new Promise((resolve) => {
        const look = (): void => void ((this.text.match(global) ?? []).length >= times && resolve());
        this.#looks.add(look);
        look();
      }),
    );
  }

  /** All replies on it, once it is closed by the other side. */
  async replies(): Promise<Reply[]> {
    await within('the daemon to close the connection', this.closed);
    return parseReplies(this.text);
  }
}

/** Replies with a Content-Length each; anything else among them is an error. */
export function parseReplies(text: string): Reply[] {
  const replies: Reply[] = [];
  let rest = text;
  while (rest !== '') {
    const head = /^HTTP\/1\.1 (\d{3}) [^\r]*\r\n((?:[^\r]+\r\n)*)\r\n/.exec(rest);
    const length = /^content-length: (\d+)/im.exec(head?.[2] ?? '')?.[1];
    if (head === null || length === undefined) throw new Error(`not a reply: ${rest.slice(0, 500)}`);
    if (head[1] === '100') {
      rest = rest.slice(head[0].length);
      continue;
    }
    const body = rest.slice(head[0].length, head[0].length + Number(length));
    replies.push({ status: Number(head[1]), json: JSON.parse(Buffer.from(body, 'latin1').toString()) });
    rest = rest.slice(head[0].length + Number(length));
  }
  return replies;
}
