/** The keys below `drain`: how an instance is asked to finish its jobs. */
import type { Check, DrainPlan } from '../core/plan.ts';
import { execCheck, httpCheck } from './checks.ts';
import { choice } from './choice.ts';
import { converted } from './converted.ts';
import { durationOrNone } from './durations.ts';
import { map } from './maps.ts';
import { signal, word } from './scalars.ts';
import type { Fields, Shape } from './shape.ts';

const doneWhen = choice(['exit', 'notify'], {
  exec: {
    as: 'exec',
    shape: execCheck,
    doc: "Its jobs are done when a command exits with 0. It is split as `command` is and run without a shell, whatever `shell` says; write sh -c '…' for one.",
  },
  http: {
    as: 'http',
    shape: httpCheck,
    doc: 'Its jobs are done when a GET of this URL is answered by a status from 200 to 399.',
  },
});

const fields = {
  signal: {
    as: 'signal',
    shape: signal({
      KILL: 'it would cut the jobs; it belongs to `stop`',
      STOP: 'a stopped process cannot finish its jobs',
    }),
    fallback: 'TERM',
    doc: 'Sent once, to the leader alone, to ask it to finish its jobs.',
  },
  done_when: {
    as: 'done',
    shape: doneWhen,
    fallback: 'exit',
    doc: 'Its jobs are done when the leader exits, when it sends X_DRAINED=1 (notify), or when a check says yes, asked each second.',
  },
  wait_for: {
    as: 'waitFor',
    shape: word('tree', 'leader'),
    fallback: 'tree',
    doc: 'Whether the processes that it has started count as jobs, or it alone.',
  },
  timeout: {
    as: 'timeoutMs',
    shape: durationOrNone,
    fallback: '5m',
    doc: 'How long a drain may take; or none.',
  },
  on_timeout: {
    as: 'onTimeout',
    shape: word('pause', 'skip', 'kill'),
    fallback: 'pause',
    doc: 'What a drain that is too long does to a rolling restart: pause, skip (the rest goes on, it is replaced when it has drained) or kill; any other planned end goes on to `stop`.',
  },
} as const satisfies Fields;

const written = map(fields);

type Written = typeof written extends Shape<infer T> ? T : never;

export const drain: Shape<DrainPlan> = converted(written, planOf, writtenOf);

function planOf({ done, ...rest }: Written): DrainPlan {
  if (done.kind === 'exit' || done.kind === 'notify') return { ...rest, doneWhen: done.kind, check: null };
  return { ...rest, doneWhen: 'check', check: done.of };
}

function writtenOf({ doneWhen, check, ...rest }: DrainPlan): Written {
  return { ...rest, done: doneWhen === 'check' ? asked(check) : { kind: doneWhen } };
}

function asked(check: Check | null): Written['done'] {
  if (check?.kind === 'exec') return { kind: 'exec', of: check };
  if (check?.kind === 'http') return { kind: 'http', of: check };
  throw new Error(`a drain cannot be asked about by ${check?.kind ?? 'nothing'}`);
}
