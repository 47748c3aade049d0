/** Watching where nothing can be drawn: a line an event, each with its time, as the log of a deploy wants it. */
import type { Client } from '../client/client.ts';
import type { WireEvent } from '../protocol/events.ts';
import type { Begun } from './begun.ts';
import type { Context } from './context.ts';
import { isNews } from './event-news.ts';
import { Progress } from './progress.ts';
import { eventLine } from './render/events.ts';
import { nextSteps } from './render/next-step.ts';
import type { Paint } from './render/paint.ts';
import { firstLine } from './render/rollout-plan.ts';
import { jobs, stamp } from './render/words.ts';
import { AWAY, BACK, silent, type View } from './view.ts';

export function eventPerLine(context: Context, client: Client, paint: Paint, begun: Begun): View {
  // One after another, for some lines have to be completed by asking.
  let printed = Promise.resolve();
  const then = (work: () => void | Promise<void>) => {
    printed = printed.then(work);
  };
  const timed = (line: string): string => `${paint.faint(stamp(new Date().toISOString()))} ${line}`;
  const held = new Set<number>();
  const progress = new Progress(begun.rollouts);
  context.print(...begun.rollouts.map((rollout) => timed(firstLine(rollout))));
  return {
    ...silent,
    /** Its event says that it is held; what to do about it is told once, after that. */
    look({ rollouts }) {
      progress.look(rollouts);
      for (const rollout of rollouts) {
        const steps = rollout.canary?.state === 'held' ? nextSteps(rollout) : [];
        if (steps.length === 0) held.delete(rollout.id);
        else if (!held.has(rollout.id)) then(() => context.say(...steps.map(timed)));
        if (steps.length > 0) held.add(rollout.id);
      }
    },
    away: (isAway) => then(() => context.say(timed(isAway ? AWAY : BACK))),
    event(event) {
      if (!isNews(event) || progress.isToldAlready(event)) return;
      const count = progress.count(event);
      then(async () => {
        context.print(`${eventLine(event, paint)}${count}${await inFlight(client, event)}`);
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
