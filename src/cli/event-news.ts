/** Which events are worth a line in the log of a deploy. */
import type { WireEvent } from '../protocol/events.ts';

/** The rest is in `events`. */
export function isNews(event: WireEvent): boolean {
  switch (event.type) {
    case 'turn':
      return NOTABLE_STEPS.has(event.step) && !isByEnd(event.why);
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

/** The rollout's own end says this of all whose turns had not come. */
const isByEnd = (why: string | undefined): boolean =>
  /^the rollout was (?:aborted|reverted)$/.test(why ?? '');

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
