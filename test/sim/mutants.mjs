// All deliberate faults.
import { MUTANTS as FLEET } from './mutants-fleet.mjs';
import { MUTANTS as INSTANCE } from './mutants-instance.mjs';
import { MUTANTS as ROLLOUT } from './mutants-rollout.mjs';

export const MUTANTS = [...INSTANCE, ...ROLLOUT, ...FLEET];
