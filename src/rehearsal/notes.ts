/** Writes down what the daemon tells of a round, and wakes whoever waits for something to happen. */
import type { WireEvent } from '../protocol/events.ts';
import type { Exit, Report, Trouble } from './round.ts';

export class Notes {
  leader: number | null = null;
  run: number | null = null;
  readyAt: number | null = null;
  signalAt: number | null = null;
  stopAt: number | null = null;
  killedAt: number | null = null;
  exit: Exit | null = null;
  goneAt: number | null = null;
  /** It will not run again. */
  atRest = false;
  readonly reports: Report[] = [];
  readonly troubles: Trouble[] = [];
  readonly #wakers = new Set<() => void>();

  /** `at`: now. The event's own time is that of the step; a signal is sent a moment later. */
  take(event: WireEvent, at: number, isAsked: boolean): void {
    switch (event.type) {
      case 'spawned':
        [this.leader, this.run] = [event.pid, event.run];
        break;
      case 'ready':
        this.readyAt = event.mono_ms;
        break;
      case 'signalled':
        this.#signalled(event.signal, at, isAsked);
        break;
      case 'exited': {
        const { code, signal, oom } = event.exit;
        this.exit = { at: event.mono_ms, code, signal, oom };
        break;
      }
      case 'gone':
        this.goneAt = event.mono_ms;
        break;
      case 'phase':
        if (AT_REST.has(event.to)) this.atRest = true;
        break;
      case 'spawn_failed':
        this.troubles.push({ kind: 'spawn', detail: event.message });
        break;
      case 'hook_failed':
        this.troubles.push({ kind: 'hook', detail: event.message });
        break;
      case 'watchdog':
        this.troubles.push({ kind: 'watchdog', detail: event.message });
        break;
      case 'health':
        if (!event.ok) this.troubles.push({ kind: 'health', detail: event.message });
        break;
      default: // nothing that a judgement rests upon
    }
    this.wake();
  }

  #signalled(signal: string, at: number, isAsked: boolean): void {
    if (signal === 'KILL') this.killedAt ??= at;
    else if (isAsked && this.signalAt === null) this.signalAt = at;
    else this.stopAt ??= at;
  }

  hear(report: Report): void {
    this.reports.push(report);
    this.wake();
  }

  wake(): void {
    for (const waker of [...this.#wakers]) waker();
  }

  /** Until something happens, or so many milliseconds are over. */
  next(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        this.#wakers.delete(done);
        resolve();
      };
      const timer = setTimeout(done, ms);
      this.#wakers.add(done);
    });
  }
}

const AT_REST: ReadonlySet<string> = new Set(['stopped', 'exited', 'failed', 'backoff']);
