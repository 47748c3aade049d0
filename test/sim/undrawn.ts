/** Transitions that were seen and are not drawn in src/README.md. */
import { diagramIn, readMap } from '../map.ts';
import type { Transitions } from './transitions.ts';

export function undrawn(seen: Transitions): string[] {
  const map = readMap();
  const missing = (heading: string, arrows: ReadonlySet<string>): string[] =>
    [...arrows].filter((arrow) => !diagramIn(map, heading).has(arrow));
  return [
    ...missing('Phases of an instance', seen.instance),
    ...missing('A rollout', seen.rollout),
    ...missing('A turn of a rollout', seen.turn),
  ];
}
