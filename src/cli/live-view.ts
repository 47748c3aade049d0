/** Watching on a terminal: drawn in place, again and again. */
import type { RolloutStatus } from '../protocol/status.ts';
import { Alarms } from './alarms.ts';
import { type Begun, isAtRest, type Seen } from './begun.ts';
import type { Context } from './context.ts';
import { liveLines, movingLines } from './render/live.ts';
import type { Paint } from './render/paint.ts';
import { cut, widthOf } from './render/text.ts';
import { screen } from './screen.ts';
import { inMotion } from './settled.ts';
import { AWAY, type View } from './view.ts';

const LIVE_MS = 250;

export function liveView(
  context: Context,
  paint: Paint,
  { rollouts: begun, programs }: Begun,
  what: string,
): View {
  const { stdout, env } = context.io;
  const unicode = /utf-?8/i.test(env.LC_ALL || env.LC_CTYPE || env.LANG || '');
  let seen: Seen = { rollouts: begun, instances: [] };
  let isAway = false;
  const draw = () => {
    const { rollouts, instances } = seen;
    const width = stdout.columns ?? 80;
    const moving = inMotion(instances, programs);
    const over = moving.length === 0 && rollouts.every((rollout) => isAtRest(rollout, byId(rollouts)));
    const below = [
      ...(isAway ? [paint.bad(cut(AWAY, width))] : []),
      ...(over ? [] : [paint.faint(footer(what, width))]),
    ];
    const rows = (stdout.rows ?? 24) - 1 - below.length - moving.length;
    const look = { paint, width, rows, now: new Date(), unicode, isOver: over, asTyped: context.asTyped };
    const lines = [...liveLines(rollouts, instances, look), ...movingLines(moving, look), ...below];
    block.draw(unicode ? lines : lines.map(inAscii));
  };
  const block = screen(context.io, draw);
  const alarms = new Alarms(block);
  const show = (now: Seen) => {
    seen = now;
    draw();
    alarms.check(now.rollouts);
  };
  return {
    everyMs: LIVE_MS,
    showsInstances: true,
    event: () => {},
    look: show,
    away(away) {
      isAway = away;
      draw();
    },
    async close(ended) {
      if (ended !== undefined) show(ended);
      block.close();
    },
  };
}

const byId = (rollouts: readonly RolloutStatus[]): ReadonlyMap<number, RolloutStatus> =>
  new Map(rollouts.map((rollout) => [rollout.id, rollout]));

/** Where there is no room for all of it, what matters most. */
function footer(what: string, width: number): string {
  const whole = `Ctrl-C ends the watching only; the ${what} goes on`;
  return widthOf(whole) <= width ? whole : cut('Ctrl-C only stops watching', width);
}

/** The mark of what was cut; what a program says of itself is its own matter. */
const inAscii = (line: string): string => line.replaceAll('…', '~');
