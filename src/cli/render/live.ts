/** A rolling restart under way, as a block of lines that is drawn again and again. */
import type { InstanceState, InstanceStatus, RolloutStatus, TurnStatus } from '../../protocol/status.ts';
import { doing } from './doing.ts';
import type { Paint } from './paint.ts';
import { cut, printable, widthOf } from './text.ts';
import { elapsed, uptime } from './words.ts';

export interface LiveLook {
  readonly paint: Paint;
  /** Of the terminal, in columns. */
  readonly width: number;
  readonly now: Date;
  /** Whether the terminal shows more than ASCII. */
  readonly unicode: boolean;
}

export function liveLines(
  rollouts: readonly RolloutStatus[],
  instances: readonly InstanceStatus[],
  look: LiveLook,
): string[] {
  return rollouts.flatMap((rollout) => [heading(rollout, look), ...motion(rollout, instances, look)]);
}

/** A line for each instance that comes or goes outside a rollout. */
export const movingLines = (instances: readonly InstanceStatus[], { width, now }: LiveLook): string[] =>
  instances.map((instance) => {
    const said = doing(instance, now);
    // A drain says its own name.
    const state = instance.state === 'draining' ? '' : `${instance.state}${age(instance)}`;
    return cut([instance.id, state, said].filter((part) => part !== '').join('  '), width);
  });

const age = ({ state, uptime_ms }: InstanceStatus): string =>
  state === 'starting' && uptime_ms !== null ? ` ${uptime(uptime_ms)}` : '';

/** `worker  [████▒░░░]  2 of 4  1m12s` */
function heading(rollout: RolloutStatus, look: LiveLook): string {
  const { program, done, total } = rollout;
  const end = rollout.ended_at === null ? look.now.getTime() : Date.parse(rollout.ended_at);
  const time = elapsed(Math.max(0, end - Date.parse(rollout.started_at)));
  const counts = `${done} of ${total}  ${time}`;
  const room = look.width - widthOf(program) - counts.length - 6;
  if (room < MIN_BAR) return cut(`${program}  ${counts}`, look.width);
  return `${look.paint.strong(program)}  ${bar(rollout, Math.min(room, MAX_BAR), look)}  ${counts}`;
}

const MIN_BAR = 5;
const MAX_BAR = 30;

function bar({ done, total, current }: RolloutStatus, width: number, { paint, unicode }: LiveLook): string {
  const [full, half, empty] = unicode ? (['█', '▒', '░'] as const) : (['#', '+', '.'] as const);
  const cells = (count: number) => Math.round((Math.min(count, total) / Math.max(1, total)) * width);
  const behind = cells(done);
  const moving = cells(done + current.length) - behind;
  return `[${paint.good(full.repeat(behind))}${paint.busy(half.repeat(moving))}${empty.repeat(width - behind - moving)}]`;
}

function motion(rollout: RolloutStatus, instances: readonly InstanceStatus[], look: LiveLook): string[] {
  const lines: string[] = [];
  for (const turn of rollout.turns) {
    if (!IN_MOTION.has(turn.step)) continue;
    const instance = instances.find(({ id }) => id === turn.instance);
    const text = cut(`  ${turn.instance}  ${stepWords(turn, instance, look.now)}`, look.width);
    lines.push(turn.step === 'failed' ? look.paint.bad(text) : text);
  }
  if (rollout.reason !== null) lines.push(cut(`  ${printable(rollout.reason)}`, look.width));
  return lines;
}

const IN_MOTION: ReadonlySet<TurnStatus['step']> = new Set(['draining', 'starting', 'settling', 'failed']);

const HELD_UP: ReadonlySet<InstanceState | undefined> = new Set(['backoff', 'waiting']);

/** What it does, and what is waited for. */
function stepWords(turn: TurnStatus, instance: InstanceStatus | undefined, now: Date): string {
  const said = instance === undefined ? '' : doing(instance, now);
  const time = turn.elapsed_ms === null ? '' : ` ${elapsed(turn.elapsed_ms)}`;
  const tail = said === '' ? '' : `; ${said}`;
  switch (turn.step) {
    case 'draining':
      return instance?.state === 'draining' ? said : `${instance?.state ?? 'draining'}${time}${tail}`;
    case 'starting':
      return `${HELD_UP.has(instance?.state) ? instance?.state : 'starting'}${time}, not ready yet${tail}`;
    case 'settling':
      return `ready${time === '' ? '' : ` for${time}`}, must stay so${tail}`;
    case 'failed':
      // What it did when it was last looked at may be from before it failed; the reason follows on a line of its own.
      return `failed${instance?.state === 'draining' ? '' : tail}`;
    case 'pending':
    case 'done':
    case 'skipped':
      return turn.step;
  }
}
