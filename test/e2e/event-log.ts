/** Follows the events of a daemon as they happen, and draws conclusions from them. */
import { connect } from '../../src/client/index.ts';
import type { WireEvent } from '../../src/protocol/events.ts';
import { until } from './until.ts';

type Of<T extends WireEvent['type']> = Extract<WireEvent, { readonly type: T }>;

export interface EventLog {
  readonly all: readonly WireEvent[];
  of<T extends WireEvent['type']>(type: T): Of<T>[];
  /** Waits for an event that has come or is yet to come. */
  sees(what: string, matches: (event: WireEvent) => boolean, timeoutMs?: number): Promise<WireEvent>;
  close(): Promise<void>;
}

export function followEvents(socket: string): EventLog {
  const all: WireEvent[] = [];
  const stop = new AbortController();
  const read = async (): Promise<void> => {
    for await (const event of connect(socket).events({ follow: true, since: 0 }, { signal: stop.signal })) {
      all.push(event);
    }
  };
  const reading = read().catch(() => {}); // closed by us, or the daemon has ended
  return {
    all,
    of: <T extends WireEvent['type']>(type: T) => all.filter((event): event is Of<T> => event.type === type),
    sees: (what, matches, timeoutMs = 15_000) =>
      until(what, () => all.find(matches), { timeoutMs, seen: () => tail(all) }),
    async close() {
      stop.abort();
      await reading;
    },
  };
}

const tail = (events: readonly WireEvent[]): string =>
  events
    .slice(-40)
    .map((event) => `${event.seq} ${event.mono_ms} ${event.message}`)
    .join('\n');

export interface RolloutSpan {
  readonly id: number;
  readonly from: WireEvent;
  readonly to: WireEvent;
}

/** From the event that it runs to the event that it has succeeded. */
export function succeededRollouts(log: EventLog): RolloutSpan[] {
  const changes = log.of('rollout');
  return changes
    .filter((change) => change.state === 'succeeded')
    .flatMap((to) => {
      const from = changes.find((change) => change.rollout === to.rollout && change.state === 'running');
      return from === undefined ? [] : [{ id: to.rollout, from, to }];
    });
}

/** The fewest instances that were ready and not asked to go, at any moment between the two events. */
export function fewestAvailable(log: EventLog, span: RolloutSpan): number {
  const ready = new Map<string, number>();
  let fewest = Number.POSITIVE_INFINITY;
  for (const event of log.all) {
    if (event.seq > span.to.seq) break;
    if (event.type === 'ready') ready.set(event.instance, event.run);
    else if (event.type === 'signalled' || event.type === 'exited' || event.type === 'gone') {
      if (ready.get(event.instance) === event.run) ready.delete(event.instance);
    }
    if (event.seq >= span.from.seq) fewest = Math.min(fewest, ready.size);
  }
  return fewest;
}

export interface Turn {
  readonly instance: string;
  /** When each step happened, on the daemon's stopwatch. */
  readonly signalled: number;
  readonly gone: number;
  readonly spawned: number;
  readonly ready: number;
}

/** The turns of a rollout in the order in which their instances were signalled. */
export function turnsOf(log: EventLog, span: RolloutSpan): Turn[] {
  const within = log.all.filter((event) => event.seq > span.from.seq && event.seq < span.to.seq);
  return within
    .filter((event): event is Of<'signalled'> => event.type === 'signalled')
    .map(({ instance, run, mono_ms }) => {
      const at = (type: 'gone' | 'spawned' | 'ready', isOld: boolean): number =>
        within.find((it) => it.type === type && it.instance === instance && (it.run === run) === isOld)
          ?.mono_ms ?? Number.NaN;
      return {
        instance,
        signalled: mono_ms,
        gone: at('gone', true),
        spawned: at('spawned', false),
        ready: at('ready', false),
      };
    });
}
