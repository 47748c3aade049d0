import { describe, expect, it } from 'vitest';
import { programName } from '../../src/base/ids.ts';
import { Programs } from '../../src/core/fleet/programs.ts';
import type { DependencyCondition } from '../../src/core/plan.ts';
import { program } from './rig.ts';

const [db, web, cron] = ['db', 'web', 'cron'].map(programName) as [
  ReturnType<typeof programName>,
  ReturnType<typeof programName>,
  ReturnType<typeof programName>,
];

const needing = (name: typeof db, ...on: (typeof db)[]) =>
  program({
    name,
    dependsOn: Object.fromEntries(on.map((needed): [string, DependencyCondition] => [needed, 'ready'])),
  });

describe('the plans of all programs', () => {
  it('tell who depends on one, in the order of the config', () => {
    const programs = new Programs(
      [db, web, cron].map((name) => [name, needing(name, ...(name === db ? [] : [db]))]),
    );
    expect(programs.dependentsOf(db)).toEqual([web, cron]);
    expect(programs.dependentsOf(web)).toEqual([]);
  });

  it('tell so of the plans that there are now: after one is changed, added or removed', () => {
    const programs = new Programs([[db, needing(db)]]);
    expect(programs.dependentsOf(db)).toEqual([]);
    programs.set(web, needing(web, db));
    expect(programs.dependentsOf(db)).toEqual([web]);
    programs.set(cron, needing(cron, db, web));
    expect(programs.dependentsOf(db)).toEqual([web, cron]);
    programs.set(web, needing(web));
    expect(programs.dependentsOf(db)).toEqual([cron]);
    programs.delete(cron);
    expect(programs.dependentsOf(db)).toEqual([]);
    programs.set(cron, needing(cron, db));
    programs.clear();
    expect(programs.dependentsOf(db)).toEqual([]);
  });

  it('tell which of several needs none of the others, also by way of one that is not among them', () => {
    const programs = new Programs([
      [cron, needing(cron, web)],
      [web, needing(web, db)],
      [db, needing(db)],
    ]);
    expect(programs.lowestOf([cron, db])).toBe(db);
    expect(programs.lowestOf([cron, web])).toBe(web);
    programs.set(db, needing(db, cron));
    programs.set(web, needing(web));
    expect(programs.lowestOf([db, cron])).toBe(cron);
    expect(programs.lowestOf([])).toBeUndefined();
  });

  it('come to an end with plans that need one another', () => {
    const programs = new Programs([
      [web, needing(web, db)],
      [db, needing(db, web)],
    ]);
    expect([web, db]).toContain(programs.lowestOf([db, web]));
  });
});
