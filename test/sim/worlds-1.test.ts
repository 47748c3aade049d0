/** One share of the worlds: see worlds.ts. */
import { testWorlds } from './worlds.ts';

testWorlds(1);
