/** Questions to the world: each gets one answer, in plain words and in time, and leaves nothing open. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { createServer, type RequestListener, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import {
  type AddressInfo,
  createServer as createTcpServer,
  type Socket,
  type Server as TcpServer,
} from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { wall } from '../../src/base/clock.ts';
import { instanceId, programName } from '../../src/base/ids.ts';
import { createChecks } from '../../src/os/checks.ts';
import type { Checks } from '../../src/ports/checks.ts';
import type { CommandResult } from '../../src/ports/processes.ts';
import { useLeakCheck } from '../rig/leaks.ts';
import { within } from '../rig/within.ts';
import { useHands } from './hands.ts';

const leaks = useLeakCheck();
const hands = useHands(leaks);

type Check = Parameters<Checks['ask']>[0];

let folder: string;
let closing: (() => Promise<void>)[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'checks-'));
  closing = [];
});
afterEach(async () => {
  for (const close of closing) await close();
  rmSync(folder, { recursive: true, force: true });
});

const never: Parameters<typeof createChecks>[0] = () => {
  throw new Error('no command is to be run');
};

const as = (timeoutMs: number) => ({
  id: instanceId(programName('worker'), 0),
  directory: folder,
  environment: { PATH: process.env.PATH ?? '', ...leaks.environment },
  credentials: null,
  umask: null,
  timeoutMs,
});

function ask(check: Check, { timeoutMs = 5000, since = 0, checks = createChecks(never) } = {}) {
  let within_ = true;
  const answer = new Promise<CommandResult>((resolve, reject) => {
    checks.ask(check, as(timeoutMs), wall(since), (result) => {
      if (within_) reject(new Error('answered within the call'));
      else resolve(result);
    });
  });
  within_ = false;
  return within(`an answer to ${JSON.stringify(check)}`, answer);
}

async function listen(server: Server | TcpServer): Promise<number> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.once('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closing.push(async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise<void>((resolve) => server.close(() => resolve()));
  });
  return (server.address() as AddressInfo).port; // it listens on a port
}

const http = async (answer: RequestListener) => `http://127.0.0.1:${await listen(createServer(answer))}`;

/** A port on which nobody listens: it was somebody's a moment ago. */
async function closedPort(): Promise<number> {
  const server = createTcpServer();
  const port = await listen(server);
  await closing.pop()?.();
  return port;
}

describe('http', () => {
  test('a status from 200 to 399 is a yes, and a redirect is not followed', async () => {
    const url = await http((request, response) => {
      response.writeHead(Number(request.url?.slice(1)), { location: 'http://127.0.0.1:1/' }).end('text');
    });
    const answers = [];
    for (const status of [200, 204, 302, 399, 400, 404, 503])
      answers.push(await ask({ kind: 'http', url: `${url}/${status}` }));
    expect(answers.map(({ ok }) => ok)).toEqual([true, true, true, true, false, false, false]);
    expect(answers.at(-1)?.detail).toBe('answered 503');
  });

  test('the connection is closed afterwards', async () => {
    const seen: (string | undefined)[] = [];
    const url = await http(({ headers }, response) => {
      seen.push(headers.connection, headers['user-agent']);
      response.end();
    });
    await ask({ kind: 'http', url });
    expect(seen).toEqual(['close', 'tsup-visor']);
  });

  test('a body without end does not hold up the answer', async () => {
    const url = await http((request, response) => {
      response.writeHead(200);
      const flood = () => {
        if (request.url === '/flood') while (response.write('x'.repeat(65_536)));
      };
      response.on('drain', flood);
      response.write('begun');
      flood();
    });
    expect((await ask({ kind: 'http', url: `${url}/flood` })).detail).toBe('answered 200');
    expect((await ask({ kind: 'http', url: `${url}/silence` })).detail).toBe('answered 200');
    // Who has answered in time has answered.
    expect((await ask({ kind: 'http', url: `${url}/silence` }, { timeoutMs: 200 })).ok).toBe(true);
  });

  test('an answer that is broken off has been an answer', async () => {
    const url = await http((request, response) => {
      response.writeHead(503, { 'content-length': 1000 });
      response.write('x');
      setImmediate(() => request.socket.destroy());
    });
    expect((await ask({ kind: 'http', url })).detail).toBe('answered 503');
  });

  test('whoever says nothing takes too long', async () => {
    const url = await http(() => {});
    expect(await ask({ kind: 'http', url }, { timeoutMs: 100 })).toEqual({
      ok: false,
      detail: 'took longer than 100ms',
    });
  });

  test('what goes wrong is told in plain words', async () => {
    const port = await closedPort();
    const detail = async (url: string) => (await ask({ kind: 'http', url })).detail;
    expect(await detail(`http://127.0.0.1:${port}/`)).toBe(
      `cannot connect to 127.0.0.1:${port}: connection refused`,
    );
    expect(await detail(`http://[::1]:${port}/`)).toMatch(/^cannot connect to \[::1\]:\d+: /);
    const closes = await listen(createTcpServer((socket) => socket.destroy()));
    expect(await detail(`http://127.0.0.1:${closes}`)).toBe(
      `127.0.0.1:${closes} closed the connection without an answer`,
    );
    const talks = await listen(createTcpServer((socket) => socket.end('220 hello\r\n')));
    expect(await detail(`http://127.0.0.1:${talks}`)).toBe(
      `cannot understand 127.0.0.1:${talks}: what it answers is not HTTP`,
    );
    expect(await detail('ftp://127.0.0.1/')).toBe('cannot ask "ftp://127.0.0.1/": it is not an http address');
    expect(await detail('http://127.0.0.1:99999')).toMatch(/it is not an http address/);
    const plain = await http((_, response) => response.end());
    expect(await detail(plain.replace('http', 'https'))).toMatch(/^cannot speak TLS with .*: wrong version/);
  });

  test('a certificate that nobody vouches for is refused, also on this machine', async ({ skip }) => {
    const [key, cert] = [join(folder, 'key'), join(folder, 'cert')];
    const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1'];
    try {
      const made = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
      execFileSync('openssl', [...made, '-keyout', key, '-out', cert, '-days', '2', ...subject], {
        stdio: 'ignore',
      });
    } catch {
      skip('openssl, which makes the certificate, is not installed here');
    }
    const server = createTlsServer({ key: readFileSync(key), cert: readFileSync(cert) }, (_, response) =>
      response.end(),
    );
    const port = await listen(server);
    expect((await ask({ kind: 'http', url: `https://127.0.0.1:${port}/` })).detail).toBe(
      `cannot speak TLS with 127.0.0.1:${port}: self-signed certificate`,
    );
  });
});

describe('tcp', () => {
  test('a connection is a yes', async () => {
    const port = await listen(createTcpServer());
    for (const host of ['127.0.0.1', 'localhost'])
      expect((await ask({ kind: 'tcp', host, port: String(port) })).ok).toBe(true);
  });

  test('what goes wrong is told in plain words', async () => {
    const port = String(await closedPort());
    expect(await ask({ kind: 'tcp', host: '127.0.0.1', port })).toEqual({
      ok: false,
      detail: `cannot connect to 127.0.0.1:${port}: connection refused`,
    });
    expect((await ask({ kind: 'tcp', host: 'localhost', port })).detail).toBe(
      `cannot connect to localhost:${port}: connection refused`,
    );
    for (const wrong of ['', '0', '65536', '80x', '-1'])
      expect((await ask({ kind: 'tcp', host: 'localhost', port: wrong })).detail).toBe(
        `cannot connect to localhost: "${wrong}" is not a port`,
      );
  });
});

describe('file', () => {
  test('it has to be there, and to be as young as the run', async () => {
    const path = join(folder, 'ready');
    expect(await ask({ kind: 'file', path })).toEqual({ ok: false, detail: `${path} does not exist` });
    const before = Date.now();
    writeFileSync(path, '');
    expect(await ask({ kind: 'file', path }, { since: before })).toEqual({
      ok: true,
      detail: `${path} exists`,
    });
    utimesSync(path, before / 1000, before / 1000 - 1);
    expect((await ask({ kind: 'file', path }, { since: before })).detail).toBe(
      `${path} is older than the run`,
    );
    expect((await ask({ kind: 'file', path: `${path}/below` })).detail).toMatch(/does not exist$/);
  });
});

describe('exec', () => {
  test('it is done as a command is', async () => {
    const { processes } = hands();
    const checks = createChecks(processes.execute.bind(processes));
    expect((await ask({ kind: 'exec', command: ['true'] }, { checks })).ok).toBe(true);
    const failing = ['sh', '-c', 'echo "no queue"; exit 4'];
    expect((await ask({ kind: 'exec', command: failing }, { checks })).detail).toBe(
      'exited with code 4: no queue',
    );
    expect((await ask({ kind: 'exec', command: ['sleep', '1000'] }, { checks, timeoutMs: 100 })).detail).toBe(
      'took longer than 100ms',
    );
  });
});

test('a question that is cancelled gets no answer', async () => {
  const { processes } = hands();
  const checks = createChecks(processes.execute.bind(processes));
  const url = await http((_, response) => setImmediate(() => response.end()));
  const port = String(new URL(url).port);
  const answers: CommandResult[] = [];
  const questions: Check[] = [
    { kind: 'http', url },
    { kind: 'http', url: 'nonsense' },
    { kind: 'tcp', host: '127.0.0.1', port },
    { kind: 'file', path: folder },
    { kind: 'exec', command: ['true'] },
  ];
  for (const question of questions) {
    const cancel = checks.ask(question, as(5000), wall(0), (result) => answers.push(result));
    cancel();
    cancel();
  }
  // Every one of them has had the time to be answered.
  for (const question of questions) await ask(question, { checks });
  expect(answers).toEqual([]);
});

const descriptors = () => readdirSync('/proc/self/fd').length;

test.skipIf(process.platform !== 'linux')(
  'a hundred questions of each kind leave no descriptor open',
  async () => {
    const { processes } = hands();
    const checks = createChecks(processes.execute.bind(processes));
    const url = await http((_, response) => response.end('fine'));
    const port = String(new URL(url).port);
    const nobody = String(await closedPort());
    const questions: Check[] = [
      { kind: 'http', url },
      { kind: 'http', url: `http://127.0.0.1:${nobody}` },
      { kind: 'tcp', host: '127.0.0.1', port },
      { kind: 'tcp', host: '127.0.0.1', port: nobody },
      { kind: 'file', path: folder },
      { kind: 'exec', command: ['true'] },
      { kind: 'exec', command: ['/nowhere'] },
    ];
    for (const question of questions) await ask(question, { checks });
    for (const question of questions) {
      const before = descriptors();
      for (let done = 0; done < 100; done += 20)
        await Promise.all(Array.from({ length: 20 }, () => ask(question, { checks })));
      await until(() => descriptors() <= before);
    }
  },
);

/** The server in this process closes its side a moment later. */
const until = (fits: () => boolean): Promise<void> =>
  within(
    'descriptors to be closed',
    (async () => {
      while (!fits()) await new Promise((resolve) => setTimeout(resolve, 5));
    })(),
  );
