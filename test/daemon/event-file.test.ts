/** What has happened is written down, and read across files and daemons: once, whole, and in order. */
import {
  appendFileSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { EventFile } from '../../src/daemon/event-file.ts';
import { EventHistory, type HistoryQuery } from '../../src/daemon/event-history.ts';
import { NewsDesk } from '../../src/daemon/news.ts';
import type { WireEvent } from '../../src/protocol/events.ts';
import { at } from '../core/rig.ts';
import { useLeakCheck } from '../rig/leaks.ts';

useLeakCheck();
let folder: string;
let path: string;
let said: string[];
const open: EventFile[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'events-'));
  path = join(folder, 'events.ndjson');
  said = [];
});
afterEach(() => {
  for (const file of open.splice(0)) file.close();
  rmSync(folder, { recursive: true, force: true });
});

/** One daemon's life: what happens in it is written at once. */
function life({ maxBytes = 1024 * 1024, keep = 4 } = {}) {
  const kept = { maxBytes, keep, maxAgeMs: null, compress: false };
  const news = new NewsDesk();
  const file = new EventFile(path, news, (text) => said.push(text), kept);
  open.push(file);
  const tell = (count: number, from = news.seq) => {
    for (let i = 1; i <= count; i++)
      news.announce({ type: 'shutting_down', fault: `${from + i}` }, at(from + i));
  };
  return {
    file,
    news,
    tell,
    happens(count: number) {
      for (let i = 0; i < count; i++) {
        tell(1);
        file.flush();
      }
    },
  };
}

async function read(query: Partial<HistoryQuery> = {}, keep = 4): Promise<WireEvent[]> {
  const found: WireEvent[] = [];
  for await (const block of new EventHistory(path, keep).blocks({ last: null, from: null, ...query })) {
    expect(block.endsWith('\n')).toBe(true);
    for (const line of block.trimEnd().split('\n')) found.push(JSON.parse(line));
  }
  return found;
}

const seqs = (events: readonly WireEvent[]): number[] => events.map(({ seq }) => seq);
const range = (from: number, to: number): number[] =>
  Array.from({ length: to - from + 1 }, (_, i) => from + i);

describe('what has happened', () => {
  it('is written as the wire tells it, for nobody else to read', async () => {
    const { news, file, happens } = life();
    expect(readdirSync(folder), 'nothing is made or read before there is something to write').toEqual([]);
    happens(3);
    expect(await read()).toEqual(news.since(0));
    expect(statSync(path).mode & 0o077).toBe(0);
    expect(file.annals().written).toBe(3);
  });

  it('of several lives is read in order', async () => {
    life().happens(3);
    life().happens(2);
    expect(seqs(await read())).toEqual([1, 2, 3, 1, 2]);
  });

  it('is bounded, and read over all files that are kept', async () => {
    const { happens, news } = life({ maxBytes: 10_000, keep: 2 });
    happens(500);
    // What is one too many is on its way out, in another thread.
    const names = (): string[] => readdirSync(folder).sort();
    await expect.poll(names).toEqual(['events.ndjson', 'events.ndjson.1', 'events.ndjson.2']);
    for (const name of readdirSync(folder)) expect(statSync(join(folder, name)).size).toBeLessThan(10_300);
    const found = await read({}, 2);
    expect(found.length).toBeGreaterThan(100);
    expect(found).toEqual(news.since(500 - found.length));
  });

  it.each([0, 1, 7, 120, 499, 500, 501, 9999])('can be asked for its last %i', async (last) => {
    const { happens } = life({ maxBytes: 40_000, keep: 4 });
    happens(500);
    expect(seqs(await read({ last }))).toEqual(range(Math.max(1, 501 - last), 500));
  });

  it('can be asked for from a moment on', async () => {
    const { happens, news } = life({ maxBytes: 10_000, keep: 4 });
    happens(100);
    const [first] = news.since(60);
    const from = Date.parse(first?.at ?? '');
    expect(seqs(await read({ from }))).toEqual(range(61, 100));
    expect(await read({ from: Date.parse('2999-01-01') })).toEqual([]);
  });

  it('is as it was asked for, however it is set aside meanwhile', async () => {
    const { happens } = life({ maxBytes: 100_000, keep: 4 });
    happens(600);
    const blocks = new EventHistory(path, 4).blocks({ last: null, from: null });
    const first = await blocks.next();
    expect(first.done).toBe(false);
    const before = readdirSync(folder).length;
    happens(500);
    expect(readdirSync(folder).length).toBeGreaterThan(before);
    let text = String(first.value);
    for await (const block of blocks) text += block;
    expect(
      seqs(
        text
          .trimEnd()
          .split('\n')
          .map((line) => JSON.parse(line)),
      ),
    ).toEqual(range(1, 600));
  });

  it('has no part of a line that somebody was killed over', async () => {
    life().happens(3);
    truncateSync(path, statSync(path).size - 20);
    life().happens(2);
    expect(seqs(await read())).toEqual([1, 2, 1, 2]);
    appendFileSync(path, '{"version":1,"seq":3,"at":"2026-');
    expect(seqs(await read())).toEqual([1, 2, 1, 2]);
    appendFileSync(path, '\0\0\0\0');
    life().happens(1);
    expect(seqs(await read())).toEqual([1, 2, 1, 2, 1]);
  });

  it('is read as far as it can be: what is gone or no file is passed over', async () => {
    expect(await read()).toEqual([]);
    const { happens } = life({ maxBytes: 10_000, keep: 3 });
    happens(150);
    unlinkSync(`${path}.1`);
    symlinkSync(folder, `${path}.1`);
    const found = await read();
    expect(found.at(-1)?.seq).toBe(150);
    expect(found.length).toBeGreaterThan(10);
  });
});

describe.runIf(process.platform === 'linux')('on a full disk', () => {
  it('nothing of it is lost, and once there is room it is in the file', async () => {
    symlinkSync('/dev/full', path);
    const { news, file, happens } = life();
    happens(5);
    expect(said).toEqual([expect.stringMatching(/^cannot write .*events\.ndjson: .*ENOSPC/)]);
    expect(file.trouble).toContain('ENOSPC');
    expect(file.annals().written).toBe(0);
    unlinkSync(path);
    file.close();
    expect(await read()).toEqual(news.since(0));
    expect(file.trouble).toBeNull();
    expect(said).toHaveLength(2);
  });

  it('more than can be kept is told as a gap', async () => {
    symlinkSync('/dev/full', path);
    const { news, file, tell } = life();
    tell(1);
    file.flush();
    tell(20_000);
    unlinkSync(path);
    file.close();
    const found = await read();
    const [gap, next] = found;
    expect(gap).toMatchObject({ type: 'dropped', count: 20_001 - (found.length - 1) });
    expect(next?.seq).toBe((gap?.seq ?? 0) + 1);
    expect(found.slice(1)).toEqual(news.since(20_001 - (found.length - 1)));
  });

  it('no part of a line stays', () => {
    const { file, happens } = life();
    happens(1);
    const before = readFileSync(path, 'utf8');
    file.close();
    expect(readFileSync(path, 'utf8')).toBe(before);
  });
});
