/** The keys below `limits`: what a process may have, by setrlimit(2) and by cgroups. */
import { parseDuration } from '../base/duration.ts';
import { fail, ok } from '../base/result.ts';
import type { LimitsPlan, ResourceName } from '../core/plan.ts';
import { converted } from './converted.ts';
import { writtenDuration } from './durations.ts';
import { map } from './maps.ts';
import { must, orNone, orWord, scalar } from './scalar.ts';
import { integer } from './scalars.ts';
import type { Fields, Shape } from './shape.ts';
import { bytesOf, size, writtenSize } from './sizes.ts';

const INHERIT = 'inherit';
const UNLIMITED = 'unlimited';

/** Null: unlimited. */
type Limit = number | null | typeof INHERIT;

function limit(shape: Shape<number>): Shape<Limit> {
  const either = orWord(UNLIMITED, shape);
  const inner = orWord(INHERIT, {
    ...either,
    expects: `${shape.expects}, or ${UNLIMITED}`,
    read(tree, reading, at) {
      const value = either.read(tree, reading, at);
      return value === undefined ? undefined : { value };
    },
    show: ({ value }: { readonly value: number | null }) => either.show(value),
  });
  return converted(
    inner,
    (found): Limit => (found === null ? INHERIT : found.value),
    (value) => (value === INHERIT ? null : { value }),
  );
}

const COUNT = limit(integer(0, Number.MAX_SAFE_INTEGER));

const BYTES_EXPECTED = 'a size such as 64MB, or a number of bytes';

/** A number alone is bytes, as setrlimit(2) has it. */
const BYTES = limit(
  scalar<number>({
    expects: BYTES_EXPECTED,
    parse(found) {
      const bytes = /^\d+$/.test(found) ? Number(found) : bytesOf(found);
      return bytes !== undefined && bytes <= Number.MAX_SAFE_INTEGER
        ? ok(bytes)
        : must(BYTES_EXPECTED, found);
    },
    show: (value) => (value === 0 ? 0 : writtenSize(value)),
  }),
);

const SECONDS_EXPECTED = 'a whole number of seconds, or a duration such as 10m';

const SECONDS = limit(
  scalar<number>({
    expects: SECONDS_EXPECTED,
    parse(found) {
      const parsed = parseDuration(/^\d+$/.test(found) ? `${found}s` : found);
      if (!parsed.ok || parsed.value > Number.MAX_SAFE_INTEGER) return must(SECONDS_EXPECTED, found);
      if (parsed.value % 1000 !== 0) return fail({ message: `must be whole seconds, not ${found}` });
      return ok(parsed.value / 1000);
    },
    show: (seconds) => writtenDuration(seconds * 1000),
  }),
);

const PERCENT_EXPECTED = 'a percentage of one core, such as 150%';

const cores: Shape<number> = scalar<number>({
  expects: PERCENT_EXPECTED,
  parse(found) {
    const percent = /^\d{1,6}(?:\.\d{1,6})?%$/.test(found) ? Number(found.slice(0, -1)) : 0;
    if (percent > 0) return ok(percent / 100);
    const message = `must be ${PERCENT_EXPECTED}, not ${JSON.stringify(found)}`;
    return /^\d+(?:\.\d+)?$/.test(found) ? fail({ message, suggestion: `${found}%` }) : fail({ message });
  },
  show: (value) => `${Number((value * 100).toPrecision(12))}%`,
});

const of = <const N extends ResourceName>(name: N, shape: Shape<Limit>, doc: string) =>
  ({
    as: name,
    shape,
    fallback: INHERIT,
    doc: `${doc}; or unlimited, or inherit for the daemon's own.`,
  }) as const;

const fields = {
  nofile: of('nofile', COUNT, 'Open files'),
  core: of('core', BYTES, 'Bytes of a core file; 0 for none'),
  nproc: of('nproc', COUNT, 'Processes and threads of its user'),
  memlock: of('memlock', BYTES, 'Bytes of locked memory'),
  fsize: of('fsize', BYTES, 'Bytes of a file that it writes'),
  stack: of('stack', BYTES, 'Bytes of the stack'),
  cpu: of('cpu', SECONDS, 'Processor time of one process, in seconds or as a duration'),
  as: of('as', BYTES, 'Bytes of address space'),
  data: of('data', BYTES, 'Bytes of data'),
  rss: of('rss', BYTES, 'Bytes of resident memory, where the system minds it'),
  memory_max: {
    as: 'memoryMax',
    shape: orNone(size),
    fallback: 'none',
    doc: 'Memory of the whole tree of a run; above it the kernel ends it. Needs cgroups; or none.',
  },
  cpu_max: {
    as: 'cpuMax',
    shape: orNone(cores),
    fallback: 'none',
    doc: 'Processor time of the whole tree, as a share of one core: 150% is one and a half. Needs cgroups; or none.',
  },
} as const satisfies Fields;

const written = map(fields);

type Written = typeof written extends Shape<infer T> ? T : never;

export const limits: Shape<LimitsPlan> = converted(written, planOf, writtenOf);

/** What is inherited is not set at all. */
function planOf({ memoryMax, cpuMax, ...rest }: Written): LimitsPlan {
  const set = Object.entries(rest).filter(([, value]) => value !== INHERIT);
  return { resources: Object.fromEntries(set) as LimitsPlan['resources'], memoryMax, cpuMax }; // INHERIT is out
}

function writtenOf({ resources, memoryMax, cpuMax }: LimitsPlan): Written {
  const all = { nofile: INHERIT, core: INHERIT, nproc: INHERIT, memlock: INHERIT, fsize: INHERIT } as const;
  const more = { stack: INHERIT, cpu: INHERIT, as: INHERIT, data: INHERIT, rss: INHERIT } as const;
  return { ...all, ...more, ...resources, memoryMax, cpuMax };
}
