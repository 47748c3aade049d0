/** The signals of a process have one owner, also where the SDK has been loaded twice. */
import type { Host } from './host.ts';

const KEY = Symbol.for('tsup-visor.runner.owned');
const shared = globalThis as { [KEY]?: WeakSet<Host> }; // a place that all copies of this file know
shared[KEY] ??= new WeakSet();
const owned = shared[KEY];

/** Returns what gives it back: to be called once, for afterwards it may be another's. @throws when somebody has it. */
export function own(host: Host): () => void {
  if (owned.has(host))
    throw new Error('cannot create a second runner in this process: its signals have an owner');
  owned.add(host);
  return () => void owned.delete(host);
}
