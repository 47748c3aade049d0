// All deliberate faults.
import { MUTANTS as DEATHS } from './mutants-deaths.mjs';
import { MUTANTS as FLEET } from './mutants-fleet.mjs';
import { MUTANTS as INSTANCE } from './mutants-instance.mjs';
import { MUTANTS as ROLLOUT } from './mutants-rollout.mjs';
import { MUTANTS as GATES } from './mutants-rollout-gates.mjs';

export const MUTANTS = [...INSTANCE, ...ROLLOUT, ...GATES, ...FLEET, ...DEATHS];
