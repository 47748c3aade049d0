/** Which events have been told: a stream that is opened anew may begin with what the last one had. */
import type { WireEvent } from '../protocol/events.ts';

/** By number within one daemon's life, and by date across two of them. */
export class Told {
  #last: WireEvent | undefined;

  isNew(event: WireEvent): boolean {
    const last = this.#last;
    if (last !== undefined && event.seq <= last.seq && event.at <= last.at) return false;
    this.tell(event);
    return true;
  }

  /** It is told, whatever was before it. */
  tell(event: WireEvent): void {
    this.#last = event;
  }
}
