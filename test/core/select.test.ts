import { describe, expect, it } from 'vitest';
import { instanceId, programName } from '../../src/base/ids.ts';
import { select } from '../../src/core/fleet/select.ts';
import { newInstance } from '../../src/core/instance/instance.ts';
import { program } from './rig.ts';

const seats = (name: string, count: number) =>
  Array.from({ length: count }, (_, index) => {
    const plan = program({ name: programName(name) });
    return newInstance(instanceId(plan.name, index), index, plan, { want: 'down', because: 'start' });
  });

const ALL = [...seats('worker', 3), ...seats('work-horse', 1), ...seats('mailer', 2)];
const GROUPS = { batch: [programName('worker'), programName('mailer')], none: [] };

function chosen(...selectors: string[]): string {
  const result = select(selectors, ALL, GROUPS);
  return result.ok ? result.value.join(' ') : `nothing for ${result.error}`;
}

describe('a selector', () => {
  it.each([
    ['worker', 'worker:0 worker:1 worker:2'],
    ['worker:1', 'worker:1'],
    ['@batch', 'worker:0 worker:1 worker:2 mailer:0 mailer:1'],
    ['@none', 'nothing for @none'],
    ['@toString', 'nothing for @toString'],
    ['work*', 'worker:0 worker:1 worker:2 work-horse:0'],
    ['*', 'worker:0 worker:1 worker:2 work-horse:0 mailer:0 mailer:1'],
    ['*:0', 'worker:0 work-horse:0 mailer:0'],
    ['worker:?', 'worker:0 worker:1 worker:2'],
    ['w*r', 'worker:0 worker:1 worker:2'],
    ['*r*r*', 'worker:0 worker:1 worker:2 work-horse:0'],
    ['m?iler', 'mailer:0 mailer:1'],
    ['*a*e*1', 'mailer:1'],
    ['??', 'nothing for ??'],
    ['work*x', 'nothing for work*x'],
    ['worker.*', 'nothing for worker.*'],
    ['', 'nothing for '],
    ['worker:01', 'nothing for worker:01'],
  ])('%s means: %s', (selector, ids) => {
    expect(chosen(selector)).toBe(ids);
  });

  it('beside others adds to them, in the order of the fleet, each instance once', () => {
    expect(chosen('mailer:1', 'worker:2', '*:1')).toBe('worker:1 worker:2 mailer:1');
    expect(chosen('worker', 'nope', 'neither')).toBe('nothing for nope');
  });

  it('is answered at once even where it is made to be as hard as can be', () => {
    const hard = seats('a'.repeat(60), 500);
    const began = performance.now();
    expect(select([`${'*a'.repeat(29)}*b`], hard, {}).ok).toBe(false);
    expect(select(['*?'.repeat(100)], hard, {}).ok).toBe(false);
    expect(performance.now() - began).toBeLessThan(2000);
  });
});
