/** The keys below `backoff`, `max_memory`, `stop` and `logs`, each declared once. */
import { short } from './converted.ts';
import { duration, positiveDuration } from './durations.ts';
import { map } from './maps.ts';
import { backoffRules, logsRules } from './rules.ts';
import { orNone } from './scalar.ts';
import { boolean, decimal, integer, percentage, signal, word } from './scalars.ts';
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

/** What becomes of a log file, whoever writes it. */
const kept = {
  max_size: {
    as: 'maxBytes',
    shape: orNone(size),
    fallback: '50MB',
    doc: 'A file that has so much is put aside at the end of a line, as FILE.1, FILE.2 and so on.',
    aka: ['max_bytes', 'size'],
  },
  keep: {
    as: 'keep',
    shape: integer(0, 1000),
    fallback: 10,
    doc: 'So many of those are kept.',
    aka: ['backups', 'max_files', 'rotate'],
  },
  max_age: {
    as: 'maxAgeMs',
    shape: orNone(positiveDuration),
    fallback: 'none',
    doc: 'A file that was begun so long ago is put aside with the next line.',
  },
  compress: {
    as: 'compress',
    shape: boolean,
    fallback: false,
    doc: 'What is put aside is compressed with gzip.',
  },
} as const;

/** The daemon's own. */
export const ownLogs = map({
  ...kept,
  format: {
    as: 'format',
    shape: word('raw', 'json'),
    fallback: 'raw',
    doc: 'raw (time, level and text), or json (an object a line, with time, level and message).',
  },
});

export const logs = map(
  {
    stdout: {
      as: 'stdout',
      shape: stdoutTarget,
      fallback: 'default',
      doc: "default (LOG_DIR/PROGRAM-INDEX.log), none, inherit (the daemon's own stdout), or a path with {{index}} in it.",
    },
    stderr: {
      as: 'stderr',
      shape: stderrTarget,
      fallback: 'merge',
      doc: 'merge (to where stdout goes), default (LOG_DIR/PROGRAM-INDEX.err.log), none, inherit, or a path.',
    },
    ...kept,
    timestamps: {
      as: 'timestamps',
      shape: boolean,
      fallback: false,
      doc: 'Each line is led by the time at which it was written (UTC, ISO 8601).',
      aka: ['timestamp', 'time'],
    },
    format: {
      as: 'format',
      shape: word('raw', 'json'),
      fallback: 'raw',
      doc: 'raw (as it is written), or json (an object a line, with time, instance, run, stream and message).',
    },
    when_full: {
      as: 'whenFull',
      shape: word('drop', 'block'),
      fallback: 'drop',
      doc: 'Where a file cannot be written to: output is dropped and counted, or the program waits.',
    },
  },
  { refine: logsRules },
);
