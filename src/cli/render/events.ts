/** An event as one line: the time, and what happened. */
import type { WireEvent } from '../../protocol/events.ts';
import type { Paint } from './paint.ts';
import { printable } from './text.ts';
import { inLocalTime, stamp } from './words.ts';

/** `2026-01-31T15:00:01+01:00 worker:0 draining (2 jobs in flight)`, in local time. */
export function eventLine(event: WireEvent, paint: Paint): string {
  return `${paint.faint(stamp(event.at))} ${looks(event, paint)(inLocalTime(printable(event.message)))}`;
}

/** What is not named here, and what only a newer daemon tells, is shown as it is. */
function looks(event: WireEvent, paint: Paint): (text: string) => string {
  switch (event.type) {
    case 'spawn_failed':
    case 'hook_failed':
    case 'watchdog':
    case 'overdue':
    case 'dropped':
      return paint.bad;
    case 'worn':
    case 'schedule':
      return paint.busy;
    case 'ready':
      return paint.good;
    case 'health':
      return event.ok ? paint.good : paint.bad;
    case 'dependency':
      return event.lost ? paint.bad : paint.good;
    case 'exited':
      return event.exit.oom ? paint.bad : unpainted;
    case 'gone':
      return event.killed ? paint.bad : unpainted;
    case 'log':
      return event.state === 'well' ? paint.good : paint.bad;
    case 'daemon':
      return event.fault === undefined ? unpainted : paint.bad;
    case 'turn':
      return event.step === 'failed' ? paint.bad : event.step === 'skipped' ? paint.busy : unpainted;
    case 'rollout':
      return event.state === 'running' || event.state === 'succeeded' ? paint.strong : paint.bad;
    default:
      return unpainted;
  }
}

const unpainted = (text: string): string => text;
