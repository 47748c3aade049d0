/** Tells a watchdog that the runner's loop turns: from the beginning to the end, so while it drains as well. */
import type { Host } from './host.ts';
import type { Reporter } from './report.ts';

/** Returns what ends it. As sd_watchdog_enabled(3) has it: half the time that is given, and only if it is meant for us. */
export function startHeartbeat(
  host: Pick<Host, 'env' | 'pid'>,
  reporter: Pick<Reporter, 'alive'>,
): () => void {
  const everyMs = intervalOf(host);
  if (everyMs === null) return () => {};
  reporter.alive();
  // It is not what keeps the process alive; while something else does, it beats.
  const timer = setInterval(() => reporter.alive(), everyMs).unref();
  return () => clearInterval(timer);
}

function intervalOf({ env, pid }: Pick<Host, 'env' | 'pid'>): number | null {
  const { WATCHDOG_USEC: usec = '', WATCHDOG_PID: meant } = env;
  if (!/^[1-9]\d{0,15}$/.test(usec)) return null;
  if (meant !== undefined && meant !== String(pid)) return null;
  return Math.min(Math.max(1, Math.floor(Number(usec) / 2000)), LONGEST_MS);
}

/** setInterval turns anything longer into 1 ms. */
const LONGEST_MS = 2 ** 31 - 1;
