/** An event as one line: the time, and what happened. */
import type { WireEvent } from '../../protocol/events.ts';
import type { Paint } from './paint.ts';
import { printable } from './text.ts';
import { clock } from './words.ts';

/** `14:00:01 worker:0 draining (2 jobs in flight)`, in local time. */
export function eventLine(event: WireEvent, paint: Paint): string {
  return `${paint.faint(clock(event.at))} ${looks(event, paint)(printable(event.message))}`;
}

function looks(event: WireEvent, paint: Paint): (text: string) => string {
  switch (event.type) {
    case 'spawn_failed':
    case 'overdue':
    case 'dropped':
      return paint.bad;
    case 'ready':
      return paint.good;
    case 'gone':
      return event.killed ? paint.bad : unpainted;
    case 'rollout':
      return event.state === 'running' || event.state === 'succeeded' ? paint.strong : paint.bad;
    case 'phase':
    case 'spawned':
    case 'signalled':
    case 'reported':
    case 'exited':
    case 'turn':
    case 'daemon':
      return unpainted;
  }
}

const unpainted = (text: string): string => text;
