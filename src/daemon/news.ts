/** What happened: the last events for whoever asks, and a stream for whoever follows. */
import type { Moment } from '../base/clock.ts';
import type { News } from '../core/fleet/effect.ts';
import type { Happening, WireEvent } from '../protocol/events.ts';
import { PROTOCOL_VERSION } from '../protocol/version.ts';
import { lastExit } from './describe.ts';
import { sentenceOf } from './sentence.ts';

const KEPT = 5000;

export class NewsDesk {
  #events: WireEvent[] = [];
  #seq = 0;
  readonly #followers = new Set<Follower>();

  /** The number of the newest event; 0 before the first. */
  get seq(): number {
    return this.#seq;
  }

  announce(what: News | DaemonNews, now: Moment): WireEvent {
    const [happening, message] =
      what.type === 'daemon' ? [what, `the daemon has ${what.state}`] : [wireOf(what), sentenceOf(what)];
    const event: WireEvent = {
      version: PROTOCOL_VERSION,
      seq: ++this.#seq,
      at: new Date(now.wall).toISOString(),
      mono_ms: now.mono,
      message,
      ...happening,
    };
    this.#events.push(event);
    // Cut seldom and by half as many again, so that the cost of moving the rest is spread over many events.
    if (this.#events.length > KEPT * 1.5) this.#events = this.#events.slice(-KEPT);
    for (const follower of this.#followers) follower.take(event);
    return event;
  }

  /** Those after `seq` that are still known, oldest first. */
  since(seq: number): readonly WireEvent[] {
    const first = this.#events[0]?.seq ?? 0;
    return this.#events.slice(Math.max(0, seq + 1 - first));
  }

  /** Tells each event from now on; returns what ends it. */
  follow(follower: Follower): () => void {
    this.#followers.add(follower);
    return () => this.#followers.delete(follower);
  }

  /** There will be no more. */
  close(): void {
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

function wireOf(news: News): Happening {
  switch (news.type) {
    case 'shutting_down':
      return { type: 'daemon', state: 'shutting_down' };
    case 'rollout':
      return news;
    case 'turn':
      return { type: 'turn', rollout: news.rollout, instance: news.id, step: news.step };
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
