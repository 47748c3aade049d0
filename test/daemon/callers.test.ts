/** A daemon that is about to be replaced answers who is in, and sends nobody away who has just come. */
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type ServerResponse } from 'node:http';
import { Server as NetServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { Callers } from '../../src/daemon/callers.ts';
import { within } from '../rig/within.ts';
import { Raw } from './wire.ts';

const REQUEST = 'GET /x HTTP/1.1\r\nhost: x\r\n\r\n';

let folder: string;
let callers: Callers;
let held: ServerResponse[];
let server: ReturnType<typeof createServer>;
const raws: Raw[] = [];

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'callers-'));
  callers = new Callers();
  held = [];
  server = createServer((_, response) => void held.push(response));
  callers.receive(server);
  server.listen(join(folder, 'socket'));
  await once(server, 'listening');
});
afterEach(() => {
  for (const { socket } of raws.splice(0)) socket.destroy();
  server.closeAllConnections();
  server.close();
  rmSync(folder, { recursive: true, force: true });
});

async function connected(): Promise<Raw> {
  const accepted = once(server, 'connection');
  const raw = new Raw(join(folder, 'socket'));
  raws.push(raw);
  await within('a connection', accepted);
  return raw;
}

/** As the door does it. */
function leave(withinMs: number): Promise<void> {
  NetServer.prototype.close.call(server);
  return callers.leave(withinMs);
}

it('is over at once where nobody is in', () => within('the end', leave(60_000)));

it('answers whoever has come and has not said anything yet', async () => {
  const raw = await connected();
  const gone = leave(60_000);
  const asked = once(server, 'request');
  raw.say(REQUEST);
  await within('the request', asked);
  held[0]?.end('yes');
  await within('the end', gone);
  await raw.heard(/yes/);
});

it('waits for the answer to who has asked, and not for more from there', async () => {
  const raw = await connected();
  const asked = once(server, 'request');
  raw.say(REQUEST);
  await within('the request', asked);
  let isOver = false;
  const gone = leave(60_000).then(() => {
    isOver = true;
  });
  await new Promise((done) => setImmediate(done));
  expect(isOver).toBe(false);
  held[0]?.end('yes');
  await within('the end', gone);
  expect(raw.text).toContain('yes');
});

it('ends the connection of one that was answered before', async () => {
  const raw = await connected();
  const asked = once(server, 'request');
  raw.say(REQUEST);
  await within('the request', asked);
  held[0]?.end('yes');
  await raw.heard(/yes/);
  await within('the end', leave(60_000));
  await within('the connection to end', raw.closed);
});

it('is held up by nobody who says nothing, or who is never answered', async () => {
  await connected();
  const raw = await connected();
  const asked = once(server, 'request');
  raw.say(REQUEST);
  await within('the request', asked);
  await within('the end', leave(50));
});

it('lets people stay again when nobody has left after all', async () => {
  await within('the end', leave(60_000));
  callers.stay();
  server.listen(join(folder, 'again'));
  await once(server, 'listening');
  const raw = new Raw(join(folder, 'again'));
  raws.push(raw);
  for (const at of [0, 1]) {
    const asked = once(server, 'request');
    raw.say(REQUEST);
    await within('the request', asked);
    held[at]?.end('yes');
    await raw.heard(/yes/, at + 1);
  }
});
