/** The three ways of watching a rollout: drawn in place, a line an event, or NDJSON. */
import type { Client } from '../client/client.ts';
import type { WireEvent } from '../protocol/events.ts';
import type { InstanceStatus, RolloutStatus } from '../protocol/status.ts';
import type { Context } from './context.ts';
import type { Viewer } from './follow.ts';
import { eventLine } from './render/events.ts';
import { liveLines } from './render/live.ts';
import type { Paint } from './render/paint.ts';
import { cut } from './render/text.ts';
import { jobs } from './render/words.ts';
import { screen } from './screen.ts';

export interface View extends Viewer {
  /** Gives the terminal back; `ended`: how the rollouts ended, unless the watching did. */
  close(ended?: readonly RolloutStatus[]): Promise<void>;
}

export function viewOf(context: Context, client: Client, paint: Paint): View {
  if (context.json) return ndjson(context);
  return context.io.stdout.isTTY ? live(context, client, paint) : eventPerLine(context, client, paint);
}

const LIVE_MS = 250;
/** Where events tell everything, looking is for the case that they do not. */
const SELDOM_MS = 5000;

const ndjson = (context: Context): View => ({
  everyMs: SELDOM_MS,
  event: (event) => context.print(JSON.stringify(event)),
  look: async () => {},
  close: async () => {},
});

function eventPerLine(context: Context, client: Client, paint: Paint): View {
  // One after another, for some lines have to be completed by asking.
  let printed = Promise.resolve();
  return {
    everyMs: SELDOM_MS,
    event(event) {
      if (!isNews(event)) return;
      printed = printed.then(async () => {
        context.print(`${eventLine(event, paint)}${await inFlight(client, event)}`);
      });
    },
    look: async () => {},
    close: () => printed,
  };
}

/** What a drain waits for, which its event does not say. */
async function inFlight(client: Client, event: WireEvent): Promise<string> {
  if (event.type !== 'phase' || event.to !== 'draining') return '';
  try {
    const { instances } = await client.status({ usage: false, selectors: [event.instance] });
    const count = instances[0]?.in_flight ?? null;
    return count === null ? '' : `, ${jobs(count)}`;
  } catch {
    return ''; // an event is worth its line without that
  }
}

/** What a deploy's log is to keep; the rest is in `events`. */
function isNews(event: WireEvent): boolean {
  switch (event.type) {
    case 'turn':
      return event.step === 'failed' || event.step === 'skipped' || event.step === 'done';
    case 'signalled':
      return event.signal === 'KILL';
    case 'gone':
      return event.killed;
    case 'phase':
      return NOTABLE_PHASES.has(event.to);
    case 'spawned':
    case 'reported':
      return false;
    case 'spawn_failed':
    case 'ready':
    case 'overdue':
    case 'exited':
    case 'rollout':
    case 'daemon':
    case 'dropped':
      return true;
  }
}

/** The others follow one another within a moment, or are told by an event of their own. */
const NOTABLE_PHASES: ReadonlySet<string> = new Set([
  'draining',
  'stopping',
  'starting',
  'backoff',
  'failed',
]);

function live(context: Context, client: Client, paint: Paint): View {
  const { stdout, env } = context.io;
  const block = screen(stdout);
  const unicode = /utf-?8/i.test(env.LC_ALL || env.LC_CTYPE || env.LANG || '');
  let instances: readonly InstanceStatus[] = [];
  const draw = (rollouts: readonly RolloutStatus[]) => {
    const width = stdout.columns ?? 80;
    const lines = liveLines(rollouts, instances, { paint, width, now: new Date(), unicode });
    const running = rollouts.some(({ state }) => state === 'running');
    block.draw(running ? [...lines, paint.faint(cut(FOOTER, width))] : lines);
  };
  return {
    everyMs: LIVE_MS,
    event: () => {},
    async look(rollouts, signal) {
      const selectors = rollouts.map(({ program }) => program);
      ({ instances } = await client.status({ usage: false, selectors }, { signal }));
      draw(rollouts);
    },
    async close(ended) {
      if (ended !== undefined) draw(ended);
      block.close();
    },
  };
}

const FOOTER = 'Ctrl-C ends the watching only; the rollout goes on';
