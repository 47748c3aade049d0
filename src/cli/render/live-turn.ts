/** One instance in motion, as the parts of a line: who, in which phase, for how long, and what is waited for. */
import type { InstanceState, InstanceStatus, RolloutStatus, TurnStatus } from '../../protocol/status.ts';
import type { LiveLook } from './live-look.ts';
import type { Paint } from './paint.ts';
import { drainsOn } from './rollout.ts';
import { printable } from './text.ts';
import { elapsed, inLocalTime, jobs, until } from './words.ts';

export interface MotionRow {
  readonly id: string;
  readonly phase: string;
  readonly time: string;
  readonly words: string;
  readonly look: keyof Pick<Paint, 'good' | 'busy' | 'bad' | 'faint'>;
}

/** What fails comes first, then what is in motion, then what only serves. */
export function motionRows(
  { turns, state }: RolloutStatus,
  instances: ReadonlyMap<string, InstanceStatus>,
  { now, isOver: isLast = false }: Pick<LiveLook, 'now' | 'isOver'>,
): MotionRow[] {
  // The last block stays on the screen, where nothing is in motion any more.
  const isOver = isLast || (state !== 'running' && state !== 'paused');
  const rows = turns.flatMap((turn): MotionRow[] => {
    const row = rowOf(turn, instances.get(turn.instance), now);
    return row === undefined || (isOver && row.look !== 'bad') ? [] : [row];
  });
  return rows.sort((a, b) => RANK[a.look] - RANK[b.look]);
}

const RANK = { bad: 0, busy: 1, good: 2, faint: 3 } as const;

function rowOf(turn: TurnStatus, instance: InstanceStatus | undefined, now: Date): MotionRow | undefined {
  const time = turn.elapsed_ms === null ? '' : elapsed(turn.elapsed_ms);
  const said = saidBy(instance);
  const row = (phase: string, look: MotionRow['look'], words: readonly string[], last = ''): MotionRow => {
    const own = [turn.extra ? 'extra' : '', ...words].filter((part) => part !== '').join(', ');
    return {
      id: turn.instance,
      phase,
      time,
      words: [own, last].filter((part) => part !== '').join('; '),
      look,
    };
  };
  switch (turn.step) {
    case 'draining':
    case 'leaving':
      return row(
        ending(turn, instance),
        'busy',
        [turn.late === true ? 'late' : '', ...drainWords(instance, now)],
        saidOfDrain(instance),
      );
    case 'starting':
      return row(coming(instance), 'busy', startWords(turn, said, now), said);
    case 'settling':
      return row('settling', 'good', [settleWords(turn, now), inFlight(instance)], said);
    case 'checking':
      return row('checking', 'good', ['by your check', deadline(turn, now), inFlight(instance)], said);
    case 'serving':
      return row('serving', 'faint', [inFlight(instance), 'until the others are done']);
    case 'failed':
      return row('failed', 'bad', [inLocalTime(printable(turn.why ?? ''))]);
    case 'skipped':
      if (!drainsOn(turn) || instance?.state !== 'draining') return undefined;
      return { ...row('skipped', 'faint', ['drains on', ...drainWords(instance, now)]), time: '' };
    case 'pending':
    case 'done':
      return undefined;
  }
}

/** The last of a drain may be a stop, or a kill: that is told as soon as it is so. */
function ending({ step }: TurnStatus, instance: InstanceStatus | undefined): string {
  return instance?.state === 'stopping' ? 'stopping' : step;
}

function drainWords(instance: InstanceStatus | undefined, now: Date): string[] {
  const drain = instance?.state === 'draining' ? instance.drain : null;
  if (drain === null) return [];
  const left = drain.in_flight === null ? '' : jobs(drain.in_flight);
  // The daemon says so itself where the deadline has passed; there is none any more then.
  return [left, saidBy(instance).includes('past its deadline') ? '' : until(drain.deadline, now)];
}

/** The daemon may have put the same into its own words. */
function saidOfDrain(instance: InstanceStatus | undefined): string {
  const said = saidBy(instance);
  return said.startsWith('draining') ? '' : said;
}

const HELD_UP: ReadonlySet<InstanceState | undefined> = new Set(['backoff', 'waiting']);

const coming = (instance: InstanceStatus | undefined): string =>
  instance !== undefined && HELD_UP.has(instance.state) ? instance.state : 'starting';

/** What it waits for says that it is not ready. */
const startWords = (turn: TurnStatus, said: string, now: Date): string[] => [
  said.startsWith('waits') ? '' : 'not ready yet',
  tellsEnd(said) ? '' : deadline(turn, now),
];

/** `waits for READY=1, 20s left`: of two deadlines the nearer one counts. */
const tellsEnd = (said: string): boolean => /\b\d\S* left\b/.test(said);

/** No word where there is no such moment: what has no limit here is told by its `healthy_deadline: none` alone. */
const deadline = ({ deadline: at }: TurnStatus, now: Date): string => (at === null ? '' : until(at, now));

function settleWords({ deadline: at }: TurnStatus, now: Date): string {
  if (at === null) return 'runs to its end';
  const left = Math.max(0, Date.parse(at) - now.getTime());
  return `ready, ${elapsed(Math.ceil(left / 1000) * 1000)} more to prove it`;
}

const inFlight = (instance: InstanceStatus | undefined): string =>
  (instance?.in_flight ?? null) === null ? '' : jobs(instance?.in_flight ?? 0);

const saidBy = (instance: InstanceStatus | undefined): string =>
  inLocalTime(printable(instance?.message ?? '')).trim();
