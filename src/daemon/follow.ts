/** Events as NDJSON. A reader that is too slow misses some and is told how many: nothing is kept for it without limit. */
import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import type { WireEvent } from '../protocol/events.ts';
import type { Annals, HistoryQuery } from './event-history.ts';
import { lineOf, missed } from './missed.ts';
import type { Follower, NewsDesk } from './news.ts';
import { Refused } from './refuse.ts';

const MAX_BUFFERED_BYTES = 256 * 1024;

export async function followEvents(
  { news, annals }: { readonly news: NewsDesk; annals(): Annals },
  query: URLSearchParams,
  response: ServerResponse,
): Promise<void> {
  const since = sinceOf(query);
  const history = historyOf(query);
  const follow = query.has('follow') && query.get('follow') !== '0';
  response.writeHead(200, { 'content-type': 'application/x-ndjson' });
  response.on('error', () => response.destroy());
  if (follow) response.flushHeaders();
  const isOver =
    history === null ? tellKnown(news.since(since), response) : await tell(news, annals(), history, response);
  if (!follow || isOver) {
    response.end();
    return;
  }
  const pour = new Pour(response, news);
  response.once('close', news.follow(pour));
}

function tellKnown(events: readonly WireEvent[], response: ServerResponse): boolean {
  response.write(events.map(lineOf).join(''));
  return false;
}

const SLOW = 'they came faster than they were read';

/** As fast as it is read, and then what has come meanwhile. True: there will be no more, or nobody is there any more. */
async function tell(
  news: NewsDesk,
  annals: Annals,
  query: HistoryQuery,
  response: ServerResponse,
): Promise<boolean> {
  const over = new AbortController();
  response.once('close', () => over.abort());
  const leave = news.follow({ take() {}, end: () => over.abort() });
  const { written } = annals;
  const { last, from } = query;
  const ahead = news.since(written).filter((event) => isIn(event, from)).length;
  const left = last === null ? null : Math.max(0, last - ahead);
  for await (const block of annals.blocks({ last: left, from })) {
    if (over.signal.aborted) break;
    if (!response.write(block)) await once(response, 'drain', { signal: over.signal }).catch(() => {});
  }
  leave();
  const fresh = news.since(written);
  const gap = (fresh[0]?.seq ?? written + 1) - written - 1;
  const lost = gap > 0 ? [missed(gap, written + gap, SLOW)] : [];
  const wanted = fresh
    .filter((event) => isIn(event, from))
    .slice(last === null ? 0 : Math.max(0, ahead - last));
  response.write([...lost, ...wanted].map(lineOf).join(''));
  return over.signal.aborted;
}

const isIn = ({ at }: WireEvent, from: number | null): boolean => from === null || Date.parse(at) >= from;

function sinceOf(query: URLSearchParams): number {
  const text = query.get('since') ?? '0';
  if (!/^\d{1,15}$/.test(text))
    throw new Refused('bad_request', `"since" must be the number of an event, not "${text}"`);
  return Number(text);
}

/** Null: what this daemon still knows by itself is enough. */
function historyOf(query: URLSearchParams): HistoryQuery | null {
  const [last, from] = [query.get('last'), query.get('from')];
  if (last === null && from === null) return null;
  if (query.has('since'))
    throw new Refused(
      'bad_request',
      '"since" counts within the life of this daemon: give "last" or "from" without it',
    );
  if (last !== null && last !== 'all' && !/^\d{1,9}$/.test(last))
    throw new Refused('bad_request', `"last" must be a number of events or "all", not "${last}"`);
  const fromMs = from === null ? null : Date.parse(from);
  if (Number.isNaN(fromMs))
    throw new Refused('bad_request', `"from" must be a date as ISO 8601 has it, not "${from}"`);
  return { last: last === null || last === 'all' ? null : Number(last), from: fromMs };
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
    this.#response.write(lineOf(missed(count, this.#news.seq, SLOW)));
  }
}
