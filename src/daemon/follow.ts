/** Events as NDJSON. A reader that is too slow misses some and is told how many: nothing is kept for it without limit. */
import type { ServerResponse } from 'node:http';
import type { WireEvent } from '../protocol/events.ts';
import { PROTOCOL_VERSION } from '../protocol/version.ts';
import type { Follower, NewsDesk } from './news.ts';
import { Refused } from './refuse.ts';

const MAX_BUFFERED_BYTES = 256 * 1024;

export async function followEvents(
  news: NewsDesk,
  query: URLSearchParams,
  response: ServerResponse,
): Promise<void> {
  const since = sinceOf(query);
  const follow = query.has('follow') && query.get('follow') !== '0';
  response.writeHead(200, { 'content-type': 'application/x-ndjson' });
  response.on('error', () => response.destroy());
  response.write(news.since(since).map(lineOf).join(''));
  if (!follow) {
    response.end();
    return;
  }
  response.flushHeaders();
  const pour = new Pour(response, news);
  response.once('close', news.follow(pour));
}

function sinceOf(query: URLSearchParams): number {
  const text = query.get('since') ?? '0';
  if (!/^\d{1,15}$/.test(text))
    throw new Refused('bad_request', `"since" must be the number of an event, not "${text}"`);
  return Number(text);
}

class Pour implements Follower {
  readonly #response: ServerResponse;
  readonly #news: NewsDesk;
  #dropped = 0;

  constructor(response: ServerResponse, news: NewsDesk) {
    this.#response = response;
    this.#news = news;
    response.on('drain', () => this.#confess());
  }

  take(event: WireEvent): void {
    if (this.#dropped > 0 || this.#response.writableLength > MAX_BUFFERED_BYTES) this.#dropped++;
    else this.#response.write(lineOf(event));
  }

  end(): void {
    this.#confess();
    this.#response.end();
  }

  #confess(): void {
    if (this.#dropped === 0) return;
    const count = this.#dropped;
    this.#dropped = 0;
    this.#response.write(
      lineOf({
        version: PROTOCOL_VERSION,
        seq: this.#news.seq,
        at: new Date().toISOString(),
        mono_ms: performance.now(),
        message: `${count} events were left out: they came faster than they were read`,
        type: 'dropped',
        count,
      }),
    );
  }
}

const lineOf = (event: WireEvent): string => `${JSON.stringify(event)}\n`;
