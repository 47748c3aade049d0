/** A rollout as a bar: what is done, what has failed, what is left out, what is in motion. */
import type { RolloutStatus, TurnStatus } from '../../protocol/status.ts';
import type { Paint } from './paint.ts';
import { meantTurns } from './rollout.ts';

export interface BarLook {
  readonly paint: Paint;
  /** Whether the terminal shows more than ASCII. */
  readonly unicode: boolean;
}

/** Exactly `width` columns, brackets included. */
export function bar(
  rollout: Pick<RolloutStatus, 'turns' | 'reverting'>,
  width: number,
  look: BarLook,
): string {
  const own = meantTurns(rollout);
  const kinds = PARTS.map((part) => own.filter(({ step }) => part.steps.has(step)).length);
  const cells = shares(kinds, own.length, width - 2);
  const rest = width - 2 - cells.reduce((sum, count) => sum + count, 0);
  const drawn = PARTS.map((part, at) => {
    const text = part.sign(look.unicode).repeat(cells[at] ?? 0);
    return text === '' ? '' : look.paint[part.look](text);
  });
  return `[${drawn.join('')}${(look.unicode ? '░' : '.').repeat(rest)}]`;
}

interface Part {
  readonly steps: ReadonlySet<TurnStatus['step']>;
  readonly look: 'good' | 'bad' | 'faint' | 'busy';
  sign(unicode: boolean): string;
}

/** From left to right; what is left is to come. */
const PARTS: readonly Part[] = [
  { steps: new Set(['done']), look: 'good', sign: (unicode) => (unicode ? '█' : '#') },
  // The same in any terminal, and not to be overlooked in one without colours.
  { steps: new Set(['failed']), look: 'bad', sign: () => '!' },
  { steps: new Set(['skipped']), look: 'faint', sign: () => '-' },
  {
    steps: new Set(['draining', 'starting', 'settling', 'checking']),
    look: 'busy',
    sign: (unicode) => (unicode ? '▒' : '+'),
  },
];

/** Cells of each kind: each that there is has one at least as long as there is room, and the bar is full only at the end. */
function shares(counts: readonly number[], total: number, width: number): number[] {
  const cells: number[] = [];
  let seen = 0;
  let used = 0;
  for (const count of counts) {
    seen += count;
    const until = Math.floor((seen / Math.max(1, total)) * width);
    const least = count > 0 ? 1 : 0;
    const own = Math.min(width - used, Math.max(least, until - used));
    cells.push(Math.max(0, own));
    used += Math.max(0, own);
  }
  return cells;
}
