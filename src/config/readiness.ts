/** The keys below `ready`: what makes an instance ready, and by when. */
import type { ReadyPlan } from '../core/plan.ts';
import { execCheck, fileCheck, httpCheck, tcpCheck } from './checks.ts';
import { converted } from './converted.ts';
import { duration, durationFrom, durationOrNone } from './durations.ts';
import { logPattern } from './patterns.ts';
import type { Fields, Shape } from './shape.ts';
import { variants } from './variants.ts';

const timed = {
  timeout: {
    as: 'timeoutMs',
    shape: durationOrNone,
    fallback: '30s',
    doc: 'With all but `spawned`: the start has failed when it is not ready by then; or none.',
  },
} as const satisfies Fields;

const probing = {
  interval: {
    as: 'intervalMs',
    shape: durationFrom(10),
    fallback: '250ms',
    doc: 'With exec, http, tcp and file: the time between two tries.',
  },
  ...timed,
} as const satisfies Fields;

const written = variants(
  'when',
  'What makes an instance ready: `spawned` (alive `for` so long), `notify` (READY=1), or one of the forms below.',
  {
    spawned: {
      for: {
        as: 'forMs',
        shape: duration,
        fallback: '1s',
        doc: 'With `spawned`: ready when it has been alive for so long.',
      },
    },
    notify: timed,
    log: timed,
    exec: probing,
    http: probing,
    tcp: probing,
    file: probing,
  },
  {
    log: {
      as: 'pattern',
      shape: logPattern,
      doc: 'A line of its output has this text in it, or matches this regular expression: /ready in \\d+ms/i.',
    },
    exec: {
      as: 'exec',
      shape: execCheck,
      doc: "A command exits with 0. It is split as `command` is and run without a shell, whatever `shell` says; write sh -c '…' for one.",
    },
    http: { as: 'http', shape: httpCheck, doc: 'A GET of this URL is answered by a status from 200 to 399.' },
    tcp: { as: 'tcp', shape: tcpCheck, doc: 'A connection can be made: a port, or HOST:PORT.' },
    file: { as: 'file', shape: fileCheck, doc: 'This file is there, and no older than the run.' },
  },
);

type Written = typeof written extends Shape<infer T> ? T : never;

export const ready: Shape<ReadyPlan> = converted(written, planOf, writtenOf);

function planOf(value: Written): ReadyPlan {
  if (value.when === 'spawned' || value.when === 'notify') return value;
  if (value.when === 'log') return { when: 'log', pattern: value.of, timeoutMs: value.timeoutMs };
  const { of: check, intervalMs, timeoutMs } = value;
  return { when: 'check', check, intervalMs, timeoutMs };
}

function writtenOf(plan: ReadyPlan): Written {
  if (plan.when === 'spawned' || plan.when === 'notify') return plan;
  if (plan.when === 'log') return { when: 'log', of: plan.pattern, timeoutMs: plan.timeoutMs };
  const { check, intervalMs, timeoutMs } = plan;
  // Each kind of check is a form of the same name; the compiler cannot see that they go in pairs.
  return { when: check.kind, of: check, intervalMs, timeoutMs } as Written;
}
