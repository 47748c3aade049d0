/** The keys below `backoff`, `max_memory`, `stop` and `logs`, each declared once. */
import { short } from './converted.ts';
import { duration } from './durations.ts';
import { map } from './maps.ts';
import { backoffRules, logsRules } from './rules.ts';
import { orNone } from './scalar.ts';
import { decimal, integer, percentage, signal } from './scalars.ts';
import { size } from './sizes.ts';
import { stderrTarget, stdoutTarget } from './values.ts';

export const backoff = map(
  {
    initial: { as: 'initialMs', shape: duration, fallback: '100ms', doc: 'The first delay.' },
    factor: {
      as: 'factor',
      shape: decimal(1, 100),
      fallback: 2,
      doc: 'Each delay is so many times the last.',
    },
    max: { as: 'maxMs', shape: duration, fallback: '30s', doc: 'No delay is longer.' },
    jitter: {
      as: 'jitter',
      shape: percentage,
      fallback: '10%',
      doc: 'By how much a delay is lengthened or shortened by chance, so that instances do not start in step.',
    },
    reset_after: {
      as: 'resetAfterMs',
      shape: duration,
      fallback: '10s',
      doc: 'After a run that was ready for so long, the count and the delay begin anew.',
    },
    give_up_after: {
      as: 'giveUpAfter',
      shape: orNone(integer(1, 1_000_000)),
      fallback: 10,
      doc: 'So many failures in a row and the instance is `failed`; none: it is tried for ever.',
    },
  },
  { refine: backoffRules },
);

export const maxMemory = short(
  map({
    size: { as: 'bytes', shape: size, doc: 'Memory of the whole tree of an instance.' },
    for: {
      as: 'forMs',
      shape: duration,
      fallback: '30s',
      doc: 'It is replaced when it has been above that for so long.',
    },
  }),
  'size',
);

export const stop = map({
  signal: {
    as: 'signal',
    shape: signal(),
    fallback: 'TERM',
    doc: 'Sent after the drain, if something still runs.',
  },
  timeout: {
    as: 'timeoutMs',
    shape: duration,
    fallback: '10s',
    doc: 'After this comes SIGKILL, to all that is left.',
  },
});

export const logs = map(
  {
    stdout: {
      as: 'stdout',
      shape: stdoutTarget,
      fallback: 'default',
      doc: 'default (LOG_DIR/PROGRAM-INDEX.log), none, or a path with {{index}} in it.',
    },
    stderr: {
      as: 'stderr',
      shape: stderrTarget,
      fallback: 'merge',
      doc: 'merge (to where stdout goes), default (LOG_DIR/PROGRAM-INDEX.err.log), none, or a path.',
    },
  },
  { refine: logsRules },
);
