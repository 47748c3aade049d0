/** The README's first command: starts the example fleet, restarts it under load, and leaves it running. */
import { spawnSync } from 'node:child_process';
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../..', import.meta.url)); // this file is dist/example/demo.js
const QUEUE = 'example-queue'; // as supervisor.example.yaml has it
const VISOR = ['bin/tsup-visor.js', '-c', 'supervisor.example.yaml'];
const RUNNER = ['dist/example/file-queue.js', '--dir', QUEUE];
const JOBS = 64;
const NO_DAEMON = 4;
const LOOK = `  node ${VISOR.join(' ')} status --watch`;
const END = `  node ${VISOR.join(' ')} shutdown`;

/** A step that fails ends the tour with its exit code. */
function show(title: string, args: readonly string[]): void {
  console.log(`\n# ${title}\n$ node ${args.join(' ')}`);
  const { status } = spawnSync(process.execPath, args, { cwd: ROOT, stdio: 'inherit' });
  if (status === 0) return;
  console.log(`\nThe tour ends here. What runs, runs on: look at it and end it with\n${LOOK}\n${END}`);
  process.exit(status ?? 1);
}

/** What an earlier tour has left would be counted too; a fleet that still runs keeps its queue. */
function clearOldQueue(): void {
  const asked = spawnSync(process.execPath, [...VISOR, 'status'], { cwd: ROOT, stdio: 'ignore' });
  const queue = join(ROOT, QUEUE);
  if (asked.status === NO_DAEMON && existsSync(queue)) rmSync(queue, { recursive: true });
}

clearOldQueue();
show(`${JOBS} jobs of 1 to 3 seconds, as files in a folder`, [...RUNNER, '--fill', String(JOBS)]);
show('Four workers, two jobs each at a time', [...VISOR, 'start']);
show('They are at work', [...VISOR, 'status']);
show('Each is replaced in its turn, once its jobs are done', [...VISOR, 'rolling-restart', 'worker']);
show('New processes, and no job was cut', [...VISOR, 'status']);
show('The ledger of the jobs, once the last one is done', [...RUNNER, '--report', '--wait', '120']);

console.log(`
The fleet runs on. Look further:
  node ${RUNNER.join(' ')} --fill 100                       # more work
${LOOK}
  node ${VISOR.join(' ')} logs -f worker
  node ${VISOR.join(' ')} rolling-restart worker
and end it, which waits for the jobs under way:
${END}`);
