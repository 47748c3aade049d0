/** A real runner to look at: works through a folder of jobs, and can be stopped at any time without cutting one. */
import { setTimeout as pause } from 'node:timers/promises';
import { fill } from './fill.ts';
import { parseCommand, USAGE } from './options.ts';
import { describe, isPerfect, isWorkedOff, tally } from './tally.ts';
import { work } from './work.ts';

async function main(args: readonly string[]): Promise<void> {
  const command = parseCommand(args);
  if (command.kind === 'work') work(command);
  else if (command.kind === 'fill') fill(command.dir, command.count, command.seconds);
  else await report(command.dir, command.waitSeconds);
}

/** Exit code 0 only when every job was done exactly once. */
async function report(dir: string, waitSeconds: number): Promise<void> {
  const deadline = performance.now() + waitSeconds * 1000;
  let it = tally(dir);
  while (!isWorkedOff(it) && performance.now() < deadline) {
    await pause(250);
    it = tally(dir);
  }
  console.log(describe(it));
  process.exitCode = isPerfect(it) ? 0 : 1;
}

main(process.argv.slice(2)).catch((error: unknown) => {
  console.error(`file-queue: ${error instanceof Error ? error.message : String(error)}\n${USAGE}`);
  process.exitCode = 2;
});
