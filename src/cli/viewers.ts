/** The ways of watching what the daemon does: drawn in place, a line an event, NDJSON, or without a word. */
import type { Client } from '../client/client.ts';
import type { WireEvent } from '../protocol/events.ts';
import type { Begun } from './begun.ts';
import type { Context } from './context.ts';
import { liveView } from './live-view.ts';
import { Progress } from './progress.ts';
import { eventLine } from './render/events.ts';
import { nextStep } from './render/next-step.ts';
import type { Paint } from './render/paint.ts';
import { jobs, stamp } from './render/words.ts';
import { AWAY, BACK, type View } from './view.ts';

/** For people; `what` goes on when the watching ends: `rollout`. */
export function viewOf(context: Context, client: Client, paint: Paint, begun: Begun, what: string): View {
  const { stdout, env } = context.io;
  const canDraw = stdout.isTTY && env.TERM !== 'dumb';
  return canDraw ? liveView(context, paint, begun, what) : eventPerLine(context, client, paint, begun);
}

/** Where events tell everything, looking is for the case that they do not. */
const SELDOM_MS = 5000;

export const silent: View = {
  everyMs: SELDOM_MS,
  showsInstances: false,
  event: () => {},
  look: () => {},
  away: () => {},
  close: async () => {},
};

export const ndjson = (context: Context): View => ({
  ...silent,
  event: (event) => context.print(JSON.stringify(event)),
  away: (isAway) => context.say(JSON.stringify({ warning: { message: isAway ? AWAY : BACK } })),
});

function eventPerLine(context: Context, client: Client, paint: Paint, begun: Begun): View {
  const progress = new Progress(begun.rollouts);
  // One after another, for some lines have to be completed by asking.
  let printed = Promise.resolve();
  const then = (work: () => void) => {
    printed = printed.then(work);
  };
  const held = new Set<number>();
  return {
    ...silent,
    /** Its event says that it is held; what to do about it is told once, after that. */
    look({ rollouts }) {
      for (const rollout of rollouts) {
        const next = rollout.canary?.state === 'held' ? nextStep(rollout) : undefined;
        if (next === undefined) held.delete(rollout.id);
        else if (!held.has(rollout.id)) then(() => context.say(`${stamp(new Date().toISOString())} ${next}`));
        if (next !== undefined) held.add(rollout.id);
      }
    },
    away: (isAway) => then(() => context.say(isAway ? AWAY : BACK)),
    event(event) {
      if (!isNews(event)) return;
      printed = printed.then(async () => {
        const more = `${progress.after(event)}${await inFlight(client, event)}`;
        context.print(`${eventLine(event, paint)}${more}`);
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
      return NOTABLE_STEPS.has(event.step);
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

/** What an instance does on the way is told by its phases. */
const NOTABLE_STEPS: ReadonlySet<string> = new Set(['done', 'failed', 'skipped', 'checking', 'serving']);

/** The others follow one another within a moment, or are told by an event of their own. */
const NOTABLE_PHASES: ReadonlySet<string> = new Set([
  'draining',
  'stopping',
  'starting',
  'waiting',
  'backoff',
  'failed',
]);
