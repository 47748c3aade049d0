/** The keys below `health`: how to find out whether an instance still works. */
import type { Check, HealthPlan } from '../core/plan.ts';
import { execCheck, httpCheck, tcpCheck } from './checks.ts';
import { converted, exclusive } from './converted.ts';
import { durationFrom, positiveDuration } from './durations.ts';
import { map } from './maps.ts';
import { integer, word } from './scalars.ts';
import type { Fields, Shape } from './shape.ts';

const FORMS = ['exec', 'http', 'tcp'] as const;

const fields = {
  exec: {
    as: 'exec',
    shape: execCheck,
    derived: 'one of exec, http and tcp must be there',
    doc: "Healthy when a command exits with 0. It is split as `command` is and run without a shell, whatever `shell` says; write sh -c '…' for one.",
    aka: ['test', 'command', 'cmd'],
  },
  http: {
    as: 'http',
    shape: httpCheck,
    derived: 'one of exec, http and tcp must be there',
    doc: 'Healthy when a GET of this URL is answered by a status from 200 to 399.',
    aka: ['http_get', 'url'],
  },
  tcp: {
    as: 'tcp',
    shape: tcpCheck,
    derived: 'one of exec, http and tcp must be there',
    doc: 'Healthy when a connection can be made: a port, or HOST:PORT.',
    aka: ['tcp_socket', 'port'],
  },
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

const written = map(fields, {
  refine(value, where, reading, meant) {
    const [first, second] = FORMS.filter((name) => value[name] !== null || meant.has(name));
    if (first === undefined) reading.complain(where(), 'health needs one of exec, http and tcp: what to ask');
    if (first === undefined || second === undefined) return;
    reading.complain(where(second), `health cannot have both "${first}" and "${second}"`);
  },
});

type Written = typeof written extends Shape<infer T> ? T : never;

export const health: Shape<HealthPlan> = converted(exclusive(written, FORMS), planOf, writtenOf);

function planOf({ exec, http, tcp, ...rest }: Written): HealthPlan | undefined {
  const check = exec ?? http ?? tcp;
  return check === null ? undefined : { check, ...rest };
}

function writtenOf({ check, ...rest }: HealthPlan): Written {
  const only = <K extends Check['kind']>(kind: K): Extract<Check, { kind: K }> | null =>
    // The kind has just been looked at.
    check.kind === kind ? (check as Extract<Check, { kind: K }>) : null;
  return { exec: only('exec'), http: only('http'), tcp: only('tcp'), ...rest };
}
