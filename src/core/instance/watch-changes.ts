/** Which watches begin and which end when a phase gives way to another. */
import type { InstanceEffect } from './effect.ts';
import { bodyOf, type Phase } from './phase.ts';
import { type Watch, watchesOf } from './watch.ts';

type WatchEffect = Extract<InstanceEffect, { type: 'watch' | 'unwatch' }>;

/** What begins and ends with a change of phase. A watch that the plan has changed begins anew. */
export function watchChanges(before: Phase, after: Phase): WatchEffect[] {
  const [was, is] = [watchesOf(before), watchesOf(after)];
  if (was === is) return [];
  const [old, life] = [bodyOf(before)?.life, bodyOf(after)?.life];
  const sameRun = old?.run === life?.run;
  const stays = (watch: Watch, others: readonly Watch[]): boolean =>
    sameRun && others.some((other) => JSON.stringify(other) === JSON.stringify(watch));
  const ended = was.filter((watch) => !stays(watch, is));
  const begun = is.filter((watch) => !stays(watch, was));
  return [
    ...ended.flatMap((watch): WatchEffect[] =>
      old === undefined ? [] : [{ type: 'unwatch', run: old.run, purpose: watch.purpose }],
    ),
    ...begun.flatMap((watch): WatchEffect[] => (life === undefined ? [] : [{ type: 'watch', life, watch }])),
  ];
}
