/** The door of the command line: the process's own streams, arguments and exit code. */
import { fileURLToPath } from 'node:url';
import { run } from './command-line.ts';
import { processIo } from './io.ts';

// Beside this file once both are bundled.
const daemonProgram = fileURLToPath(new URL('./daemon.js', import.meta.url));

// Not awaited: a chunk that imports this one could not be loaded before it had ended.
run(process.argv.slice(2), processIo(daemonProgram)).then((code) => {
  process.exitCode = code;
});
