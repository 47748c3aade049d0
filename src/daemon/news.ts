/** What happened: the last events for whoever asks, and a stream for whoever follows. */
import type { Moment } from '../base/clock.ts';
import type { News } from '../core/fleet/effect.ts';
import type { Happening, WireEvent } from '../protocol/events.ts';
import { PROTOCOL_VERSION } from '../protocol/version.ts';
import { lastExit } from './describe.ts';
import { sentenceOf, tookOver } from './sentence.ts';

/** Some 800 bytes each. What was before is in a file, for whoever asks for that. */
const KEPT = 2000;

/** As it came: what the wire says of it is made when somebody asks, since most of it nobody ever asks for. */
interface Entry {
  readonly seq: number;
  readonly what: News | OwnNews;
  readonly now: Moment;
}

export class NewsDesk {
  #entries: Entry[] = [];
  #seq = 0;
  readonly #followers = new Set<Follower>();
  #isClosed = false;

  /** The number of the newest event; 0 before the first. */
  get seq(): number {
    return this.#seq;
  }

  announce(what: News | OwnNews, now: Moment): void {
    const entry: Entry = { seq: ++this.#seq, what, now };
    this.#entries.push(entry);
    // Cut seldom and by half as many again, so that the cost of moving the rest is spread over many events.
    if (this.#entries.length > KEPT * 1.5) this.#entries = this.#entries.slice(-KEPT);
    if (this.#followers.size === 0) return;
    const event = eventOf(entry);
    for (const follower of this.#followers) follower.take(event);
  }

  /** Those after `seq` that are still known, oldest first. */
  since(seq: number): readonly WireEvent[] {
    const first = this.#entries[0]?.seq ?? 0;
    return this.#entries.slice(Math.max(0, seq + 1 - first)).map(eventOf);
  }

  /** Tells each event from now on; returns what ends it. */
  follow(follower: Follower): () => void {
    if (this.#isClosed) follower.end();
    else this.#followers.add(follower);
    return () => this.#followers.delete(follower);
  }

  /** To be asked for anew: whoever only listens on a connection is told so. */
  turnAway(): void {
    for (const follower of [...this.#followers]) follower.end();
  }

  /** There will be no more. */
  close(): void {
    this.#isClosed = true;
    for (const follower of this.#followers) follower.end();
    this.#followers.clear();
  }
}

export interface Follower {
  take(event: WireEvent): void;
  /** The last event has been told. */
  end(): void;
}

export type DaemonNews = Extract<Happening, { type: 'daemon' }>;
/** Comes with its sentence. */
export type LogNews = Extract<Happening, { type: 'log' }> & { readonly sentence: string };
type OwnNews = DaemonNews | LogNews;

function eventOf({ seq, what, now }: Entry): WireEvent {
  const [happening, message] = saidOf(what);
  const at = new Date(now.wall).toISOString();
  return { version: PROTOCOL_VERSION, seq, at, mono_ms: now.mono, message, ...happening };
}

function saidOf(what: News | OwnNews): readonly [Happening, string] {
  if (what.type === 'daemon') return [what, sentenceOfDaemon(what)];
  if (what.type !== 'log') return [wireOf(what), sentenceOf(what)];
  const { sentence, ...happening } = what;
  return [happening, sentence];
}

const sentenceOfDaemon = ({ state, fault, to, took_over = [] }: DaemonNews): string => {
  if (state === 'handing_over') return `the daemon hands over to version ${to}`;
  const also = took_over.length === 0 ? '' : `, and ${tookOver(took_over)}`;
  return `the daemon has ${state}${also}${fault === undefined ? '' : `: ${fault}`}`;
};

function wireOf(news: News): Happening {
  switch (news.type) {
    case 'shutting_down':
      return {
        type: 'daemon',
        state: 'shutting_down',
        ...(news.fault === null ? {} : { fault: news.fault }),
      };
    case 'rollout':
    case 'scaled':
    case 'schedule':
    case 'dependency':
      return news;
    case 'turn': {
      const { id, ...rest } = news;
      return { ...rest, instance: id };
    }
    case 'exited': {
      const { id, program: _, exit, ...rest } = news;
      return { ...rest, instance: id, exit: lastExit(exit) };
    }
    case 'phase': {
      const { id, ...rest } = news;
      return { ...rest, instance: id };
    }
    default: {
      const { id, program: _, ...rest } = news;
      return { ...rest, instance: id };
    }
  }
}
