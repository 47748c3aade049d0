/** The ways of watching what the daemon does: drawn in place, a line an event, NDJSON, or without a word. */
import type { Client } from '../client/client.ts';
import type { WireEvent } from '../protocol/events.ts';
import type { RolloutStatus } from '../protocol/status.ts';
import { type Begun, isAtRest, type Seen } from './begun.ts';
import type { Context } from './context.ts';
import type { Viewer } from './follow.ts';
import { eventLine } from './render/events.ts';
import { liveLines, movingLines } from './render/live.ts';
import { nextStep } from './render/next-step.ts';
import type { Paint } from './render/paint.ts';
import { cut } from './render/text.ts';
import { jobs } from './render/words.ts';
import { type Screen, screen } from './screen.ts';
import { inMotion } from './settled.ts';

export interface View extends Viewer {
  /** Gives the terminal back; `ended`: how all stands in the end, unless only the watching ended. */
  close(ended?: Seen): Promise<void>;
}

/** For people; `what` goes on when the watching ends: `rollout`. */
export function viewOf(context: Context, client: Client, paint: Paint, begun: Begun, what: string): View {
  const { stdout, env } = context.io;
  const canDraw = stdout.isTTY && env.TERM !== 'dumb';
  return canDraw ? live(context, paint, begun, what) : eventPerLine(context, client, paint);
}

const LIVE_MS = 250;
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

const AWAY = 'the daemon does not answer: waiting for the next one';
const BACK = 'a daemon answers again';

function eventPerLine(context: Context, client: Client, paint: Paint): View {
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
        else if (!held.has(rollout.id)) then(() => context.say(next));
        if (next !== undefined) held.add(rollout.id);
      }
    },
    away: (isAway) => then(() => context.say(isAway ? AWAY : BACK)),
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

function live(context: Context, paint: Paint, { rollouts: begun, programs }: Begun, what: string): View {
  const { stdout, env } = context.io;
  const unicode = /utf-?8/i.test(env.LC_ALL || env.LC_CTYPE || env.LANG || '');
  let seen: Seen = { rollouts: begun, instances: [] };
  let isAway = false;
  const draw = () => {
    const { rollouts, instances } = seen;
    const width = stdout.columns ?? 80;
    const moving = inMotion(instances, programs);
    const over = moving.length === 0 && rollouts.every((rollout) => isAtRest(rollout, byId(rollouts)));
    const below = [
      ...(isAway ? [paint.bad(cut(AWAY, width))] : []),
      ...(over ? [] : [paint.faint(cut(footer(what), width))]),
    ];
    const rows = (stdout.rows ?? 24) - 1 - below.length - moving.length;
    const look = { paint, width, rows, now: new Date(), unicode, asTyped: context.asTyped };
    block.draw([...liveLines(rollouts, instances, look), ...movingLines(moving, look), ...below]);
  };
  const block = screen(context.io, draw);
  const alarms = new Alarms(block);
  const show = (now: Seen) => {
    seen = now;
    draw();
    alarms.check(now.rollouts);
  };
  return {
    everyMs: LIVE_MS,
    showsInstances: true,
    event: () => {},
    look: show,
    away(away) {
      isAway = away;
      draw();
    },
    async close(ended) {
      if (ended !== undefined) show(ended);
      block.close();
    },
  };
}

const byId = (rollouts: readonly RolloutStatus[]): ReadonlyMap<number, RolloutStatus> =>
  new Map(rollouts.map((rollout) => [rollout.id, rollout]));

const footer = (what: string): string => `Ctrl-C ends the watching only; the ${what} goes on`;

/** Rings once for each rollout that comes to need somebody, and names the window after it for as long as it does. */
class Alarms {
  readonly #screen: Screen;
  #ringing = new Map<number, string>();

  constructor(on: Screen) {
    this.#screen = on;
  }

  check(rollouts: readonly RolloutStatus[]): void {
    const now = new Map(
      rollouts.flatMap((rollout) => {
        const word = needOf(rollout);
        return word === undefined ? [] : [[rollout.id, `${rollout.program}: ${word}`] as const];
      }),
    );
    const fresh = [...now].find(([id, words]) => this.#ringing.get(id) !== words);
    if (fresh !== undefined) this.#screen.alarm(fresh[1]);
    else if (now.size === 0 && this.#ringing.size > 0) this.#screen.alarm(null);
    this.#ringing = now;
  }
}

/** What it waits for somebody with; undefined where nobody is needed. */
function needOf({ state, canary, done, total }: RolloutStatus): string | undefined {
  if (state === 'paused') return `paused at ${done} of ${total}`;
  return state === 'running' && canary?.state === 'held' ? `held at ${done} of ${total}` : undefined;
}
