/** The keys below `rollout`: how a rolling restart goes from instance to instance. */
import type { RolloutCheckPlan } from '../core/plan.ts';
import { converted, exclusive, refusing } from './converted.ts';
import { duration, durationOr, durationOrNone, positiveDuration } from './durations.ts';
import { map } from './maps.ts';
import { askedBy, checkOf, oneQuestion, QUESTIONS, questions } from './question.ts';
import { rolloutRules } from './rules.ts';
import { orNone } from './scalar.ts';
import { integer, word } from './scalars.ts';
import type { Shape } from './shape.ts';
import { share } from './values.ts';

const judgement = map(
  {
    ...questions('Good'),
    timeout: {
      as: 'timeoutMs',
      shape: positiveDuration,
      fallback: '30s',
      doc: 'No answer by then is a no.',
      aka: ['timeout_seconds'],
    },
  },
  { refine: oneQuestion('rollout.check') },
);

const check: Shape<RolloutCheckPlan> = converted(
  exclusive(judgement, QUESTIONS),
  (asked) => {
    const question = checkOf(asked);
    return question === null ? undefined : { check: question, timeoutMs: asked.timeoutMs };
  },
  ({ check: question, timeoutMs }) => ({ ...askedBy(question), timeoutMs }),
);

/** What Docker and others put there. */
const onFailure = refusing(word('pause', 'abort', 'revert'), {
  rollback: { message: 'must be pause, abort or revert, not "rollback"', suggestion: 'revert' },
  continue: { message: 'cannot be continue; `max_failures: 3` lets so many turns fail' },
});

const FIRST = 'says whose turn is first: idle_first, oldest or index';
const order = refusing(word('idle_first', 'oldest', 'index'), {
  'start-first': { message: `${FIRST}; to start extra instances first, write \`max_surge: 1\`` },
  'stop-first': { message: `${FIRST}; an old run is always gone before its replacement is started` },
});

export const rollout = map(
  {
    max_parallel: {
      as: 'maxParallel',
      shape: share(1),
      fallback: 1,
      doc: 'How many instances may be away at once: a number, or a percentage, rounded down; one always may.',
      aka: ['parallelism', 'max_unavailable', 'batch_size', 'serial'],
    },
    max_surge: {
      as: 'maxSurge',
      shape: share(0, 10_000),
      fallback: 0,
      doc: 'Extra instances, with the next numbers, that work before the first is touched and go at the end: a number, or a percentage, rounded up.',
      aka: ['surge'],
    },
    min_healthy_time: {
      as: 'minHealthyTimeMs',
      shape: duration,
      fallback: '10s',
      doc: 'A replacement must have been ready for so long before the next one is touched.',
      aka: ['min_ready_seconds', 'monitor'],
    },
    healthy_deadline: {
      as: 'healthyDeadlineMs',
      shape: durationOrNone,
      fallback: '5m',
      doc: 'The turn of a replacement that is not there by then has failed; or none.',
      aka: ['progress_deadline', 'progress_deadline_seconds'],
    },
    canary: {
      as: 'canary',
      shape: share(0),
      fallback: 0,
      doc: 'So many have their turns first, and then the rest is held: a number, or a percentage, rounded up. None of them may fail.',
      aka: ['canaries'],
    },
    canary_hold: {
      as: 'canaryHoldMs',
      shape: durationOr('manual'),
      fallback: '0s',
      doc: 'How long the rest is held; manual: until `rollout promote`.',
      aka: ['hold'],
    },
    check: {
      as: 'check',
      shape: orNone(check),
      fallback: 'none',
      doc: 'Your own judgement of each turn, asked once when its instance has been healthy for long enough; or none.',
      aka: ['analysis', 'verify'],
    },
    max_failures: {
      as: 'maxFailures',
      shape: integer(0, 10_000),
      fallback: 0,
      doc: 'So many turns may fail, and the rest goes on; of the canary none.',
    },
    on_failure: {
      as: 'onFailure',
      shape: onFailure,
      fallback: 'pause',
      doc: 'What one failure more does: pause; abort (what works stays, what does not goes back); or revert (all goes back to the last revision that was whole).',
      aka: ['failure_action'],
    },
    after_kill_hold: {
      as: 'afterKillHoldMs',
      shape: duration,
      fallback: '0s',
      doc: 'Nobody is touched for so long after a drain that ended in a kill, so that the job, tried again elsewhere, is not caught again.',
    },
    order: {
      as: 'order',
      shape: order,
      fallback: 'idle_first',
      doc: 'Whose turn is first: the one with the fewest jobs (X_INFLIGHT), the oldest, or the lowest number.',
    },
  },
  { refine: rolloutRules },
);
