/** Whoever names something that is not there is told what there is. */
import { expect, test } from 'vitest';
import { programName } from '../../src/base/ids.ts';
import { createFleet, NO_MEMORY } from '../../src/core/fleet/fleet.ts';
import { whatThereIs } from '../../src/core/fleet/hint.ts';
import { plan, program } from './rig.ts';

const fleet = createFleet(plan([program({ instances: 3 })]), NO_MEMORY);
const groups = { batch: [programName('worker')] };

test.each([
  ['worker:7', 'worker has worker:0 to worker:2'],
  ['@bunch', 'the groups are: @batch'],
  ['wroker', 'the programs are: worker; what the config has had added since comes with "tsup-visor reload"'],
])('%s', (selector, hint) => {
  expect(whatThereIs(selector, fleet.programs.keys(), fleet.instances.values(), groups)).toBe(hint);
});

test('where there are no groups, none are named', () => {
  expect(whatThereIs('@batch', [], fleet.instances.values(), {})).toBe('the groups are: none');
});
