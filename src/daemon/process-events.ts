/** What the hands report, as events for the loop. */
import type { Run } from '../base/ids.ts';
import type { FleetEvent } from '../core/fleet/event.ts';
import type { Notified } from '../core/instance/event.ts';
import type { ProcessEvents } from '../ports/processes.ts';
import { isEmpty, parseNotify, parseNotifyLine } from '../protocol/notify.ts';

/** Gets each report that means anything, before core does. */
export type Heard = (run: Run, message: Notified) => void;

export function processEvents(post: (event: FleetEvent) => void, heard: Heard = () => {}): ProcessEvents {
  return {
    spawned: (run, pid) => post({ type: 'spawned', run, pid }),
    spawnFailed: (run, stage, error) => post({ type: 'spawn_failed', run, stage, error }),
    exited: (run, exit) => post({ type: 'exited', run, exit }),
    tree: (run, left) => post({ type: 'tree', run, left }),
    notified(run, text, channel, wasWaiting) {
      const { asked, ...rest } = channel === 'line' ? parseNotifyLine(text) : parseNotify(text);
      // What was answered to an earlier daemon may not be so any more: that daemon may have asked it since.
      const message: Notified = asked === undefined || wasWaiting ? rest : { ...rest, asked };
      // Nothing in it that means anything to us.
      if (isEmpty(message)) return;
      heard(run, message);
      post({ type: 'notified', run, message });
    },
  };
}
