/** The ways of watching what the daemon does: drawn in place, a line an event, NDJSON, or without a word. */
import type { Client } from '../client/client.ts';
import type { WireEvent } from '../protocol/events.ts';
import type { Begun, Seen } from './begun.ts';
import type { Context } from './context.ts';
import type { Viewer } from './follow.ts';
import { eventLine } from './render/events.ts';
import { liveLines, movingLines } from './render/live.ts';
import type { Paint } from './render/paint.ts';
import { cut } from './render/text.ts';
import { jobs } from './render/words.ts';
import { screen } from './screen.ts';
import { inMotion } from './settled.ts';

export interface View extends Viewer {
  /** Gives the terminal back; `ended`: how all stands in the end, unless only the watching ended. */
  close(ended?: Seen): Promise<void>;
}

/** For people; `what` goes on when the watching ends: `rollout`. */
export function viewOf(context: Context, client: Client, paint: Paint, begun: Begun, what: string): View {
  return context.io.stdout.isTTY ? live(context, paint, begun, what) : eventPerLine(context, client, paint);
}

const LIVE_MS = 250;
/** Where events tell everything, looking is for the case that they do not. */
const SELDOM_MS = 5000;

export const silent: View = {
  everyMs: SELDOM_MS,
  showsInstances: false,
  event: () => {},
  look: () => {},
  close: async () => {},
};

export const ndjson = (context: Context): View => ({
  ...silent,
  event: (event) => context.print(JSON.stringify(event)),
});

function eventPerLine(context: Context, client: Client, paint: Paint): View {
  // One after another, for some lines have to be completed by asking.
  let printed = Promise.resolve();
  return {
    ...silent,
    event(event) {
      if (!isNews(event)) return;
      printed = printed.then(async () => {
        context.print(`${eventLine(event, paint)}${await inFlight(client, event)}`);
      });
    },
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
    // Seldom, and nothing that is to be missed; likewise what only a newer daemon tells.
    default:
      return true;
  }
}

/** The others follow one another within a moment, or are told by an event of their own. */
const NOTABLE_PHASES: ReadonlySet<string> = new Set([
  'draining',
  'stopping',
  'starting',
  'waiting',
  'backoff',
  'failed',
]);

function live(context: Context, paint: Paint, { programs }: Begun, what: string): View {
  const { stdout, env } = context.io;
  const block = screen(stdout);
  const unicode = /utf-?8/i.test(env.LC_ALL || env.LC_CTYPE || env.LANG || '');
  const draw = ({ rollouts, instances }: Seen) => {
    const width = stdout.columns ?? 80;
    const look = { paint, width, now: new Date(), unicode };
    const moving = inMotion(instances, programs);
    const lines = [...liveLines(rollouts, instances, look), ...movingLines(moving, look)];
    const over = moving.length === 0 && rollouts.every(({ state }) => state !== 'running');
    block.draw(over ? lines : [...lines, paint.faint(cut(footer(what), width))]);
  };
  return {
    everyMs: LIVE_MS,
    showsInstances: true,
    event: () => {},
    look: draw,
    async close(ended) {
      if (ended !== undefined) draw(ended);
      block.close();
    },
  };
}

const footer = (what: string): string => `Ctrl-C ends the watching only; the ${what} goes on`;
