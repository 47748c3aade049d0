/** Writes jobs into a queue: bash scripts that take a while and leave a result. */
import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { folders } from './queue.ts';

export interface Seconds {
  readonly min: number;
  readonly max: number;
}

/** The names are new with each call, so a queue can be filled again while it is worked through. */
export function fill(dir: string, count: number, seconds: Seconds): void {
  const { todo } = folders(dir);
  mkdirSync(todo, { recursive: true });
  const batch = Date.now().toString(36);
  for (let n = 0; n < count; n++) {
    const name = `job-${batch}-${String(n).padStart(4, '0')}.sh`;
    // Written beside its place and moved in: a runner never sees half a job.
    const draft = join(todo, `.${name}.part`);
    writeFileSync(draft, script(spread(n, seconds)));
    renameSync(draft, join(todo, name));
  }
}

/** Evenly spread lengths without dice: steps of the golden ratio never bunch up. */
const spread = (n: number, { min, max }: Seconds): number => min + (max - min) * ((n * 0.618034) % 1);

const script = (seconds: number): string => `set -eu
sleep ${seconds.toFixed(2)}
echo "$JOB_NAME took ${seconds.toFixed(2)} s in process $$ of $JOB_RUNNER" > "$JOB_RESULT.part"
mv "$JOB_RESULT.part" "$JOB_RESULT"
`;
