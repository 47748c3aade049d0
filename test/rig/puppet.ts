/** Puppets: real processes that do what a test tells them, and say when they have done it. So tests need no sleeps. */
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { within } from './within.ts';

export type PuppetCommand =
  /** Writes to descriptor 3 as it is: a line needs its newline. */
  | { readonly do: 'line' | 'datagram' | 'print'; readonly text: string }
  /** From now on the signal is survived, and told in `signals`. */
  | { readonly do: 'hear'; readonly signal: NodeJS.Signals }
  /** Starts another puppet; answers with its pid. */
  | { readonly do: 'fork'; readonly name: string; readonly own?: 'group' | 'session' }
  | { readonly do: 'exit'; readonly code: number }
  | { readonly do: 'crash' };

export interface Puppet {
  readonly pid: number;
  /** Resolves when it is done, with what it answers. Not to be waited for after `exit` and `crash`. */
  tell(command: PuppetCommand): Promise<unknown>;
  /** Signals heard so far, in order. */
  readonly signals: readonly string[];
  /** Resolves when the puppet has heard so many signals. */
  heard(count: number): Promise<void>;
  /** Resolves when the process has ended. */
  readonly gone: Promise<void>;
}

export interface Stage {
  /** What to start as a puppet: the command, and the environment that it needs. */
  readonly command: readonly string[];
  environment(name: string): Record<string, string>;
  /** Resolves when the puppet of this name has come to life. */
  puppet(name: string): Promise<Puppet>;
  /** Ends all puppets. */
  close(): Promise<void>;
}

const PROGRAM = fileURLToPath(new URL('./puppet-program.mjs', import.meta.url));

export async function openStage(): Promise<Stage> {
  const folder = mkdtempSync(join(tmpdir(), 'stage-'));
  const path = join(folder, 'socket');
  const sockets = new Set<Socket>();
  const puppets = new Map<string, Puppet>();
  const waiting = new Map<string, (puppet: Puppet) => void>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    meet(socket, (name, puppet) => {
      puppets.set(name, puppet);
      waiting.get(name)?.(puppet);
    });
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));
  return {
    command: [process.execPath, PROGRAM],
    environment: (name) => ({ PUPPET_SOCKET: path, PUPPET_NAME: name }),
    puppet(name) {
      const here = puppets.get(name);
      if (here !== undefined) return Promise.resolve(here);
      return within(`puppet ${name} to come to life`, new Promise((resolve) => waiting.set(name, resolve)));
    },
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function meet(socket: Socket, hello: (name: string, puppet: Puppet) => void): void {
  const answers = new Map<number, (value: unknown) => void>();
  const signals: string[] = [];
  const listeners = new Set<() => void>();
  const gone = new Promise<void>((resolve) => socket.on('close', () => resolve()));
  socket.on('error', () => {}); // a puppet that is killed resets the connection; 'close' follows
  let count = 0;
  const tell = (command: PuppetCommand) =>
    within(
      `a puppet to ${command.do}`,
      new Promise<unknown>((resolve) => {
        answers.set(++count, resolve);
        if (command.do === 'exit' || command.do === 'crash') resolve(null);
        socket.write(`${JSON.stringify({ id: count, command })}\n`);
      }),
    );
  const heard = (wanted: number) =>
    within(
      `${wanted} signals`,
      new Promise<void>((resolve) => {
        const look = () => void (signals.length >= wanted && resolve());
        listeners.add(look);
        look();
      }),
    );
  createInterface({ input: socket }).on('line', (line) => {
    const message: Record<string, unknown> = JSON.parse(line);
    if (typeof message.name === 'string')
      hello(message.name, { pid: Number(message.pid), tell, signals, heard, gone });
    else if (typeof message.signal === 'string') {
      signals.push(message.signal);
      for (const look of listeners) look();
    } else answers.get(Number(message.id))?.(message.value);
  });
}
