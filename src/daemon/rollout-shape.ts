/** The forms of what is written down of rollouts: whatever has another one is not taken for a record. */
import { ROLLOUT_STATES } from '../protocol/status.ts';
import { fieldAt as at, hasShape, isOneOf, type Shape } from './shape.ts';

const ROLLOUT: Shape = {
  id: 'count',
  program: 'text',
  plan: 'text',
  count: 'count',
  generation: 'count',
  maxParallel: 'number',
  canary: 'fields',
  notBefore: 'fields?',
  checks: 'count',
  drains: 'list',
  killed: 'list',
  after: 'count?',
  cause: 'fields',
  reverting: 'fields?',
  reason: 'text?',
  blocker: 'fields?',
  startedAt: 'date',
  endedAt: 'date?',
};
const CANARY: Readonly<Record<string, Shape>> = {
  none: {},
  first: { count: 'count' },
  held: { count: 'count', since: 'date', until: 'number?' },
  promoted: { count: 'count' },
};
const NOT_BEFORE: Shape = { at: 'number', why: 'text' };
const REVERTING: Shape = { why: 'text', from: 'count', revision: 'text' };
const CAUSE: Shape = { kind: 'text', by: 'text?', words: 'text?', of: 'count?' };
const BLOCKER: Shape = { name: 'text', is: 'text' };

const TURN: Shape = { program: 'text', id: 'text', plan: 'text', generation: 'count', step: 'fields' };
const BEGUN: Shape = { since: 'date', began: 'date', drainMs: 'number?', newRun: 'count' };
const OVER: Shape = { tookMs: 'number', drainMs: 'number?' };
const STEPS: Readonly<Record<string, Shape>> = {
  pending: {},
  draining: { since: 'date', oldRun: 'count?' },
  starting: { ...BEGUN, deadline: 'number?' },
  settling: { ...BEGUN, healthyAt: 'number?', deadline: 'number?' },
  checking: { ...BEGUN, attempt: 'count?' },
  serving: BEGUN,
  leaving: { since: 'date', began: 'date' },
  done: { ...OVER, newRun: 'count?' },
  failed: { ...OVER, why: 'text' },
  skipped: { why: 'text' },
};

export const isRolloutRecord = (value: unknown): boolean =>
  hasShape(value, ROLLOUT) &&
  isOneOf(ROLLOUT_STATES, at(value, 'state')) &&
  isOfKind(at(value, 'canary'), CANARY) &&
  isNullOr(at(value, 'notBefore'), NOT_BEFORE) &&
  isNullOr(at(value, 'reverting'), REVERTING) &&
  isNullOr(at(value, 'blocker'), BLOCKER) &&
  hasShape(at(value, 'cause'), CAUSE);

export const isTurnRecord = (value: unknown): boolean =>
  hasShape(value, TURN) && isOfKind(at(value, 'step'), STEPS);

const isNullOr = (value: unknown, shape: Shape): boolean =>
  value === null || value === undefined || hasShape(value, shape);

function isOfKind(value: unknown, shapes: Readonly<Record<string, Shape>>): boolean {
  const kind = at(value, 'kind');
  const shape = typeof kind === 'string' && Object.hasOwn(shapes, kind) ? shapes[kind] : undefined;
  return shape !== undefined && hasShape(value, shape);
}
