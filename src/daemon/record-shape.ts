/** The forms of what is written down of instances: whatever has another one is not taken for a record. */
import { fieldAt as at, hasShape, isOneOf, type Shape } from './shape.ts';

const SEAT: Shape = {
  id: 'text',
  index: 'count',
  wish: 'fields',
  generation: 'count',
  failures: 'count',
  restarts: 'count',
  lastExit: 'fields?',
  leaving: 'yes or no??',
  queued: 'yes or no??',
};
const WISH: Shape = { want: 'text', because: 'text' };
const RUN: Shape = {
  run: 'count',
  pid: 'count',
  identity: 'text',
  generation: 'count',
  because: 'text',
  startedAt: 'date',
  readyAt: 'date?',
  kind: 'text',
  deadline: 'number?',
  hook: 'yes or no??',
  watchdogMs: 'number??',
  places: 'list??',
  ending: 'fields?',
};
const ENDING: Shape = {
  because: 'text',
  since: 'date',
  cause: 'text',
  exit: 'fields?',
  drained: 'yes or no',
  killed: 'yes or no',
  onTimeout: 'text',
  asked: 'yes or no??',
  overdue: 'yes or no',
  saidDrained: 'yes or no',
};
const BEGUN: Shape = {
  run: 'count',
  plan: 'text',
  generation: 'count',
  because: 'text',
  startedAt: 'date',
  end: 'fields?',
};
const END: Shape = { because: 'text', onTimeout: 'text', how: 'text' };
const EXIT: Shape = {
  run: 'count',
  exit: 'fields',
  at: 'date',
  because: 'text',
  drained: 'yes or no',
  killed: 'yes or no',
  livedMs: 'number',
};
const COMPLETED: Shape = {
  boot: 'text',
  revision: 'text',
  restarts: 'count',
  lastRun: 'count?',
  lastExit: 'fields?',
};

const WORKING = ['starting', 'running'];
const ENDING_KINDS = ['draining', 'stopping', 'sweeping', 'killing'];
const EXITS: Readonly<Record<string, Shape>> = {
  code: { code: 'number' },
  signal: { signal: 'text' },
  unknown: {},
};

export function isInstanceRecord(value: unknown): boolean {
  const run = at(value, 'run');
  const ending = at(run, 'ending') ?? null;
  const kind = at(run, 'kind');
  const kinds = ending === null ? WORKING : ENDING_KINDS;
  return isSeat(value) && hasShape(run, RUN) && isOneOf(kinds, kind) && (ending === null || isEnding(ending));
}

export function isBegunRecord(value: unknown): boolean {
  const begun = at(value, 'begun');
  const end = at(begun, 'end') ?? null;
  return isSeat(value) && hasShape(begun, BEGUN) && (end === null || hasShape(end, END));
}

export const isCompletedRecord = (value: unknown): boolean =>
  hasShape(value, COMPLETED) && isPastExit(at(value, 'lastExit'));

const isSeat = (value: unknown): boolean =>
  hasShape(value, SEAT) &&
  hasShape(at(value, 'wish'), WISH) &&
  isOneOf(['up', 'down'], at(at(value, 'wish'), 'want')) &&
  isPastExit(at(value, 'lastExit'));

const isEnding = (value: unknown): boolean =>
  hasShape(value, ENDING) &&
  isOneOf(['planned', 'own', 'fault'], at(value, 'cause')) &&
  isOneOf(['pause', 'skip', 'kill', 'stop'], at(value, 'onTimeout')) &&
  isExit(at(value, 'exit') ?? null);

const isPastExit = (value: unknown): boolean =>
  value === null || value === undefined || (hasShape(value, EXIT) && isExit(at(value, 'exit')));

function isExit(value: unknown): boolean {
  if (value === null) return true;
  const kind = at(value, 'kind');
  const shape = typeof kind === 'string' && Object.hasOwn(EXITS, kind) ? EXITS[kind] : undefined;
  return shape !== undefined && hasShape(value, shape);
}
