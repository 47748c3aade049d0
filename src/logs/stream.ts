/** The streams of an instance, and what each is called. */
import type { InstanceId, Run } from '../base/ids.ts';
import type { LogSettings } from '../core/plan.ts';
import type { Origin } from './outlet.ts';

export const STREAMS = ['out', 'err'] as const;
export type Stream = (typeof STREAMS)[number];

/** As a process has them. */
export const NUMBERS = { out: 1, err: 2 } as const;

/** Of a FIFO. */
export const nameOf = (id: InstanceId, stream: Stream): string => `${id}.${stream}`;

/** `worker` of `worker:0.out`. */
export const programOf = (name: string): string => name.slice(0, name.lastIndexOf(':'));

/** `worker:0.out` is stdout of `worker:0`. */
export const originOf = (name: string, run: Run): Origin => ({
  instance: name.slice(0, name.lastIndexOf('.')),
  run,
  stream: name.endsWith('.err') ? 'stderr' : 'stdout',
});

export interface Ways {
  /** Null: nowhere. */
  readonly stdout: string | null;
  readonly stderr: string | null;
  readonly logging: Pick<LogSettings, 'format'>;
}

/** Those that go somewhere; two that go to the same place are one, where nobody asks which of them it was. */
export function streamsOf({ stdout, stderr, logging }: Ways): [Stream, string][] {
  const out: [Stream, string][] = stdout === null ? [] : [['out', stdout]];
  const isOne = stderr === stdout && logging.format !== 'json';
  return stderr === null || isOne ? out : [...out, ['err', stderr]];
}
