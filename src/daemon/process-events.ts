/** What the hands report, as events for the loop. */
import type { FleetEvent } from '../core/fleet/event.ts';
import type { Notified } from '../core/instance/event.ts';
import type { ProcessEvents } from '../ports/processes.ts';
import { isEmpty, parseNotify, parseNotifyLine } from '../protocol/notify.ts';

export function processEvents(post: (event: FleetEvent) => void): ProcessEvents {
  return {
    spawned: (run, pid) => post({ type: 'spawned', run, pid }),
    spawnFailed: (run, stage, error) => post({ type: 'spawn_failed', run, stage, error }),
    exited: (run, exit) => post({ type: 'exited', run, exit }),
    tree: (run, left) => post({ type: 'tree', run, left }),
    notified(run, text, channel) {
      const message: Notified = channel === 'line' ? parseNotifyLine(text) : parseNotify(text);
      // Nothing in it that means anything to us.
      if (!isEmpty(message)) post({ type: 'notified', run, message });
    },
  };
}
