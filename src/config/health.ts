/** The keys below `health`: how to find out whether an instance still works. */
import type { HealthPlan } from '../core/plan.ts';
import { converted, exclusive } from './converted.ts';
import { durationFrom, positiveDuration } from './durations.ts';
import { map } from './maps.ts';
import { askedBy, checkOf, oneQuestion, QUESTIONS, questions } from './question.ts';
import { integer, word } from './scalars.ts';
import type { Fields, Shape } from './shape.ts';

const fields = {
  ...questions('Healthy'),
  interval: {
    as: 'intervalMs',
    shape: durationFrom(10),
    fallback: '10s',
    doc: 'The time between two tries. None is made while it starts or drains.',
    aka: ['period', 'period_seconds'],
  },
  timeout: {
    as: 'timeoutMs',
    shape: positiveDuration,
    fallback: '3s',
    doc: 'How long one try may take.',
    aka: ['timeout_seconds'],
  },
  failures: {
    as: 'failures',
    shape: integer(1, 1_000_000),
    fallback: 3,
    doc: 'So many in a row and the instance is unhealthy.',
    aka: ['retries', 'failure_threshold', 'max_retries'],
  },
  action: {
    as: 'action',
    shape: word('restart', 'none'),
    fallback: 'restart',
    doc: 'What is done about an unhealthy instance: restart (it is drained first), or none (it is only told).',
  },
} as const satisfies Fields;

const written = map(fields, { refine: oneQuestion('health') });

type Written = typeof written extends Shape<infer T> ? T : never;

export const health: Shape<HealthPlan> = converted(exclusive(written, QUESTIONS), planOf, writtenOf);

function planOf(asked: Written): HealthPlan | undefined {
  const { exec: _exec, http: _http, tcp: _tcp, ...rest } = asked;
  const check = checkOf(asked);
  return check === null ? undefined : { check, ...rest };
}

function writtenOf({ check, ...rest }: HealthPlan): Written {
  return { ...askedBy(check), ...rest };
}
