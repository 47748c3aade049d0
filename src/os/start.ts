/** What is needed to begin a program, however that is done, and what comes of it. */
import type { ExitStatus } from '../base/exit-status.ts';
import type { Output } from '../ports/output.ts';
import type { SpawnRequest } from '../ports/processes.ts';
import type { Cgroup } from './cgroup.ts';
import type { Report } from './reports.ts';

/** Both are closed here when the launch fails; otherwise the report is whoever's was told `started`. */
export interface Channels {
  readonly output: Output;
  readonly report: Report;
}

/** Everything that a program is begun with. */
export interface Start extends Channels {
  readonly request: SpawnRequest;
  readonly environment: Readonly<Record<string, string>>;
  /** Null: there are no cgroups here. */
  readonly group: Cgroup | null;
}

/** A program that has begun. */
export interface Begun {
  readonly pid: number;
  /** To be called once; false: its end cannot be noticed, so it has been killed. */
  watch(ended: (exit: ExitStatus) => void): boolean;
}
