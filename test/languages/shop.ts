/** The folder that a worker of the README works in, with a job that tells a ledger what becomes of it. */
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';

const STATES = ['todo', 'doing', 'done', 'failed'] as const;

export interface Begun {
  readonly job: string;
  /** Of the instance that took it; NaN without a supervisor. */
  readonly run: number;
  /** The process group that the job ran in. */
  readonly group: number;
  /** Whether it could have reported in the worker's name. */
  readonly channel: string;
}

export interface Shop {
  readonly dir: string;
  /** Adds so many jobs. */
  add(count: number): void;
  addNamed(name: string): void;
  /** What is under way now, or begins, lasts until `release`. */
  hold(): void;
  release(): void;
  /** The jobs in this folder. */
  in(state: (typeof STATES)[number]): string[];
  /** Everything that was begun, and everything that came to its end, in order. */
  begun(): Begun[];
  done(): string[];
}

export function openShop(dir: string): Shop {
  for (const state of STATES) mkdirSync(join(dir, state), { recursive: true });
  copyFileSync(join(import.meta.dirname, 'hello.sh'), join(dir, 'hello.sh'));
  const hold = join(dir, 'hold');
  const ledger = join(dir, 'ledger');
  let count = 0;
  const addNamed = (name: string): void => writeFileSync(join(dir, 'todo', name), '');
  const lines = (): string[] =>
    existsSync(ledger) ? readFileSync(ledger, 'utf8').split('\n').slice(0, -1) : [];
  return {
    dir,
    add(more) {
      for (let n = 0; n < more; n++) addNamed(`job-${String(count++).padStart(4, '0')}`);
    },
    addNamed,
    hold: () => writeFileSync(hold, ''),
    release: () => rmSync(hold),
    in: (state) => readdirSync(join(dir, state)).sort(),
    begun: () => lines().flatMap((line) => beginningIn(line) ?? []),
    done: () => lines().flatMap((line) => /^done (\S+)$/.exec(line)?.[1] ?? []),
  };
}

function beginningIn(line: string): Begun | null {
  const [, job, run, group, channel] = /^begun (\S+) run=(\S+) group=(\d+) channel=(\w+)$/.exec(line) ?? [];
  if (job === undefined || channel === undefined) return null;
  return { job, run: Number(run), group: Number(group), channel };
}
