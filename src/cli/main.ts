/** The door of the command line: the process's own streams, arguments and exit code. */
import { fileURLToPath } from 'node:url';
import { foresee } from './foresight.ts';
import { processIo } from './io.ts';

// Beside this file once both are bundled.
const daemonProgram = fileURLToPath(new URL('./daemon.cjs', import.meta.url));

async function main(): Promise<void> {
  const words = process.argv.slice(2);
  const io = processIo(daemonProgram);
  const foreseen = foresee(words, io);
  if (foreseen === undefined) {
    const { run } = await import('./command-line.ts');
    process.exitCode = await run(words, io);
    return;
  }
  // One turn of the loop, in which the connection is made and the question leaves.
  await new Promise((resolve) => setImmediate(resolve));
  const { showForeseen } = await import('./plain-status.ts');
  process.exitCode = await showForeseen(foreseen, io);
}

// Not awaited: a chunk that imports this one could not be loaded before it had ended.
main();
