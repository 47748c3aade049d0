/**
 * Lives worlds until a rule is broken, and says which: mutate.mjs bundles it and runs it once for each fault.
 * HUNT_WORLDS=n says how many. Ends with 1 when something was noticed.
 */
import { live } from './life.ts';
import { Transitions } from './transitions.ts';
import { undrawn } from './undrawn.ts';

const seen = new Transitions();
try {
  for (let seed = 1; seed <= Number(process.env.HUNT_WORLDS); seed++) live(seed, seen);
  const missing = undrawn(seen);
  if (missing.length > 0) throw new Error(`not drawn: ${missing.join(', ')}`);
} catch (error) {
  const [rule, seed] = error instanceof Error ? error.message.split('\n') : [];
  console.log(seed === undefined ? `${rule}` : `${rule} (${/SIM_SEED=\d+/.exec(seed)?.[0]})`);
  process.exitCode = 1;
}
