/** Callers of four HTTP servers: each keeps its connections, and asks another server when one is not there. */
import { once } from 'node:events';
import { Agent, type ClientRequest, type IncomingMessage, request } from 'node:http';
import { createServer } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import type { Work } from './fleet.ts';

export interface Answer {
  readonly id: number;
  readonly status: number;
  /** It came on a connection on which another had come before. */
  readonly reused: boolean;
}

export interface Callers {
  readonly answers: readonly Answer[];
  /** What went wrong although a server had taken the request. */
  readonly errors: readonly unknown[];
  add(jobs: readonly Work[]): void;
  close(): void;
}

const CALLERS = 8;

export function startCallers(ports: readonly number[]): Callers {
  const agent = new Agent({ keepAlive: true });
  const waiting: Work[] = [];
  const answers: Answer[] = [];
  const errors: unknown[] = [];
  let isOpen = true;
  let turn = 0;

  const ask = async ({ id, ms }: Work): Promise<void> => {
    while (isOpen) {
      const port = ports[turn++ % ports.length];
      const sent = request({ agent, host: '127.0.0.1', port, path: `/?id=${id}&ms=${ms}` });
      const answer = await answerTo(sent).catch((error: unknown) => ({ error }));
      if (!('error' in answer)) {
        answers.push({ id, status: answer.statusCode ?? 0, reused: sent.reusedSocket });
        return;
      }
      if (!wasNotTaken(answer.error)) errors.push(answer.error);
      await pause(5);
    }
  };
  const call = async (): Promise<void> => {
    while (isOpen) {
      const next = waiting.shift();
      if (next === undefined) await pause(10);
      else await ask(next);
    }
  };
  for (let n = 0; n < CALLERS; n++) void call();
  return {
    answers,
    errors,
    add: (jobs) => void waiting.push(...jobs),
    close() {
      isOpen = false;
      agent.destroy();
    },
  };
}

async function answerTo(sent: ClientRequest): Promise<IncomingMessage> {
  sent.end();
  const [answer]: IncomingMessage[] = await once(sent, 'response');
  if (answer === undefined) throw new Error('no answer');
  for await (const _ of answer); // to its end: a cut one throws
  return answer;
}

/**
 * Nobody listens; or the server has closed a connection on which nothing was under way while we wrote to it. A new
 * connection is reset by the system where its server has gone before it was let in; had the request been heard all the
 * same, the journal would have it twice.
 */
function wasNotTaken(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? error.code : null;
  return code === 'ECONNREFUSED' || code === 'ECONNRESET' || code === 'EPIPE';
}

/** So many free ones in a row, below those that the system gives to whoever connects. */
export async function freePorts(count: number): Promise<number[]> {
  for (;;) {
    const first = 20_000 + Math.floor(Math.random() * 10_000);
    const ports = Array.from({ length: count }, (_, n) => first + n);
    const free = await Promise.all(ports.map(isFree));
    if (free.every(Boolean)) return ports;
  }
}

const isFree = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, () => server.close(() => resolve(true)));
  });
