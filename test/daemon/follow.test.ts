import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Annals, HistoryQuery } from '../../src/daemon/event-history.ts';
import { followEvents } from '../../src/daemon/follow.ts';
import { type Follower, NewsDesk } from '../../src/daemon/news.ts';
import type { WireEvent } from '../../src/protocol/events.ts';
import { at } from '../core/rig.ts';
import { useLeakCheck } from '../rig/leaks.ts';
import { within } from '../rig/within.ts';

useLeakCheck();

/** A desk that counts who follows. */
class Desk extends NewsDesk {
  readonly following = new Set<Follower>();

  override follow(follower: Follower): () => void {
    this.following.add(follower);
    const end = super.follow(follower);
    return () => {
      this.following.delete(follower);
      end();
    };
  }

  tell(count: number): void {
    for (let i = 0; i < count; i++) this.announce({ type: 'shutting_down', fault: null }, at(i));
  }
}

let folder: string;
let path: string;
let desk: Desk;
let server: Server;
let held: number[];
let annals: Annals;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'follow-'));
  path = join(folder, 'socket');
  desk = new Desk();
  held = [];
  annals = written([]);
  server = createServer((request, response) => {
    const { searchParams } = new URL(request.url ?? '', 'http://x');
    void followEvents({ news: desk, annals: () => annals }, searchParams, response).catch(() =>
      response.destroy(),
    );
    watch = () => held.push(response.writableLength);
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));
});
afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  rmSync(folder, { recursive: true, force: true });
});

/** Notes how many bytes are kept for the last reader. */
let watch = (): void => {};

class Reader {
  readonly socket: Socket;
  readonly events: WireEvent[] = [];
  #rest = '';
  readonly #looks = new Set<() => void>();
  readonly closed: Promise<void>;

  constructor(query: string) {
    this.socket = connect(path);
    this.socket.setEncoding('utf8');
    this.socket.write(`GET /v1/events${query} HTTP/1.0\r\n\r\n`); // 1.0: no chunks to take apart
    this.socket.on('error', () => {}); // 'close' follows
    this.socket.on('data', (part) => this.#read(String(part)));
    this.closed = new Promise((resolve) => this.socket.on('close', () => resolve()));
  }

  #read(part: string): void {
    const lines = (this.#rest + part).split('\n');
    this.#rest = lines.pop() ?? '';
    for (const line of lines) if (line.startsWith('{')) this.events.push(JSON.parse(line));
    for (const look of this.#looks) look();
  }

  until(what: string, isSo: (events: readonly WireEvent[]) => boolean): Promise<void> {
    return within(
      what,
      new Promise((resolve) => {
        const look = (): void => void (isSo(this.events) && resolve());
        this.#looks.add(look);
        look();
      }),
    );
  }

  seqs = (): number[] => this.events.map(({ seq }) => seq);
}

const range = (from: number, to: number): number[] =>
  Array.from({ length: to - from + 1 }, (_, i) => from + i);

/** Waits until it is followed, or not any more, by so many. */
async function followed(by: number): Promise<void> {
  const look = async (): Promise<void> => {
    while (desk.following.size !== by) await new Promise((resolve) => setImmediate(resolve));
  };
  await within(`${by} followers`, look());
}

describe('a follower', () => {
  it('hears each event once, in order, from the one that it names, across past and present', async () => {
    desk.tell(10);
    const reader = new Reader('?follow=1&since=7');
    await followed(1);
    desk.tell(5);
    await reader.until('all', (events) => events.length === 8);
    expect(reader.seqs()).toEqual(range(8, 15));
    reader.socket.destroy();
    await followed(0);
  });

  it.each(['?follow', '?follow=1', '?follow='])('is who says %s', async (query) => {
    const reader = new Reader(query);
    await followed(1);
    reader.socket.destroy();
    await followed(0);
  });

  it.each(['', '?follow=0', '?since=2'])('is not who says "%s": the answer ends', async (query) => {
    desk.tell(3);
    const reader = new Reader(query);
    await within('the end', reader.closed);
    expect(reader.seqs()).toEqual(query === '?since=2' ? [3] : [1, 2, 3]);
    expect(desk.following.size).toBe(0);
  });

  it('hears the last event and then the end, when the daemon ends', async () => {
    const reader = new Reader('?follow');
    await followed(1);
    desk.announce({ type: 'daemon', state: 'stopped' }, at(0));
    desk.close();
    await within('the end', reader.closed);
    expect(reader.events).toMatchObject([{ type: 'daemon', state: 'stopped' }]);
  });

  it('that is gone is forgotten: a hundred that come and go leave nothing', async () => {
    for (let i = 0; i < 10; i++) {
      const readers = range(1, 10).map(() => new Reader('?follow'));
      await followed(10);
      for (const [n, reader] of readers.entries()) {
        if (n % 2 === 0) reader.socket.destroy();
        else reader.socket.end();
      }
      await followed(0);
      desk.tell(10);
    }
  });
});

describe('a follower that does not read', () => {
  it('costs no more than the bound, and is told how many it has missed when it reads again', async () => {
    const reader = new Reader('?follow');
    await followed(1);
    reader.socket.pause();
    const TOLD = 30_000;
    let longest = 0;
    for (let told = 0; told < TOLD; told += 100) {
      desk.tell(100);
      watch();
      longest = Math.max(longest, held.at(-1) ?? 0);
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(longest, 'something was kept for it').toBeGreaterThan(100_000);
    expect(longest).toBeLessThan(300 * 1024);

    reader.socket.resume();
    await reader.until('the confession', (events) => events.some(({ type }) => type === 'dropped'));
    const dropped = reader.events.find(({ type }) => type === 'dropped');
    const heard = reader.events.filter(({ type }) => type !== 'dropped');
    if (dropped?.type !== 'dropped') throw new Error('it was told of nothing dropped');
    expect(heard.map(({ seq }) => seq)).toEqual(range(1, heard.length));
    expect(dropped.count, 'what was heard and what was not are all').toBe(TOLD - heard.length);
    expect(dropped).toMatchObject({
      version: 1,
      seq: TOLD,
      message: expect.stringContaining(`${dropped.count}`),
    });

    desk.tell(3);
    await reader.until('the next', (events) => events.at(-1)?.seq === TOLD + 3);
    expect(reader.seqs().slice(-4)).toEqual([TOLD, TOLD + 1, TOLD + 2, TOLD + 3]);
    reader.socket.destroy();
    await followed(0);
  });

  it('does not slow down one that does', async () => {
    const idle = new Reader('?follow');
    await followed(1);
    idle.socket.pause();
    const reader = new Reader('?follow');
    await followed(2);
    for (let told = 0; told < 20_000; told += 100) {
      desk.tell(100);
      await new Promise((resolve) => setImmediate(resolve));
    }
    await reader.until('all', (events) => events.at(-1)?.seq === 20_000);
    expect(reader.seqs()).toEqual(range(1, 20_000));
    for (const { socket } of [idle, reader]) socket.destroy();
    await followed(0);
  });

  it('and goes away unread is forgotten too', async () => {
    const reader = new Reader('?follow');
    await followed(1);
    reader.socket.pause();
    desk.tell(10_000);
    reader.socket.destroy();
    await followed(0);
    expect(() => desk.tell(10)).not.toThrow();
  });
});

/** So many events of an earlier daemon, and the first of this one; `asked` notes how it was asked. */
function written(
  blocks: readonly (readonly object[])[],
  { upTo = 0, asked = (_: HistoryQuery): void => {}, between = async (): Promise<void> => {} } = {},
): Annals {
  return {
    written: upTo,
    async *blocks(query) {
      asked(query);
      for (const events of blocks) {
        yield events.map((event) => `${JSON.stringify(event)}\n`).join('');
        await between();
      }
    },
  };
}

const old = (seq: number, message = 'old') => ({ version: 1, seq, at: '2026-01-31T14:00:01.000Z', message });

describe('whoever asks for what is written down', () => {
  it.each([
    ['?last=all', { last: null, from: null }],
    ['?last=5', { last: 3, from: null }], // two more are not in the file yet
    ['?last=1', { last: 0, from: null }],
    ['?from=1970-01-01T00:00:00.000Z', { last: null, from: 0 }],
    ['?from=1970-01-01T00:00:00.000Z&last=9', { last: 7, from: 0 }],
  ] as const)('gets that first, then what is only in memory, and the end: %s', async (query, wanted) => {
    desk.tell(5);
    const queries: HistoryQuery[] = [];
    annals = written([[old(98)], [old(99)]], { upTo: 3, asked: (asked) => queries.push(asked) });
    const reader = new Reader(query);
    await within('the end', reader.closed);
    expect(queries).toEqual([wanted]);
    expect(reader.seqs()).toEqual(query === '?last=1' ? [98, 99, 5] : [98, 99, 4, 5]);
  });

  it('hears what happens while it reads, once, and goes on without a gap', async () => {
    desk.tell(3);
    annals = written([[old(98)], [old(99)]], { upTo: 3, between: async () => desk.tell(2) });
    const reader = new Reader('?follow&last=all');
    await reader.until('what came meanwhile', (events) => events.length >= 6);
    await followed(1);
    desk.tell(2);
    await reader.until('all', (events) => events.length === 8);
    expect(reader.seqs()).toEqual([98, 99, 4, 5, 6, 7, 8, 9]);
    reader.socket.destroy();
    await followed(0);
  });

  it('is told of a gap where more has happened meanwhile than is kept', async () => {
    annals = written([[old(98)]], { upTo: 0, between: async () => desk.tell(20_000) });
    const reader = new Reader('?last=all');
    await within('the end', reader.closed);
    const [first, gap, next] = reader.events;
    expect(first?.seq).toBe(98);
    expect(gap).toMatchObject({ type: 'dropped', count: (next?.seq ?? 0) - 1, seq: (next?.seq ?? 0) - 1 });
    expect(reader.events.at(-1)?.seq).toBe(20_000);
  });

  it('and does not read is kept nothing for, and is forgotten when it goes', async () => {
    let given = 0;
    const block = `${JSON.stringify(old(1, 'x'.repeat(1000)))}\n`.repeat(500);
    annals = {
      written: 0,
      async *blocks() {
        for (; given < 200; given++) yield block;
      },
    };
    const reader = new Reader('?follow&last=all');
    reader.socket.pause();
    await followed(1);
    const settled = async (): Promise<void> => {
      for (let before = -1; before !== given; ) {
        before = given;
        for (let i = 0; i < 50; i++) await new Promise((resolve) => setImmediate(resolve));
      }
    };
    await within('it is full', settled());
    expect(given).toBeLessThan(20);
    reader.socket.destroy();
    await followed(0);
    await within('it is given up', settled());
    expect(given).toBeLessThan(20);
  });

  it('is let go when the daemon ends meanwhile, with its last word', async () => {
    annals = written([[old(98)], [old(99)]], {
      between: async () => {
        desk.announce({ type: 'daemon', state: 'stopped' }, at(0));
        desk.close();
      },
    });
    const reader = new Reader('?follow&last=all');
    await within('the end', reader.closed);
    expect(reader.events.at(-1)).toMatchObject({ type: 'daemon', state: 'stopped' });
  });

  it.each(['?last=x', '?last=-1', '?from=yesterday', '?last=3&since=4'])(
    'in a way that makes no sense is refused: %s',
    async (query) => {
      const reader = new Reader(query);
      await within('the end', reader.closed);
      expect(reader.events).toEqual([]);
    },
  );
});
