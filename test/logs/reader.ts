/**
 * What a daemon does for its instances' output, and nothing else: reads on until it is killed. Arguments: the folder
 * of the FIFOs; for the first one also a log file, and a command that is to be begun. LOGGING, in the environment: what
 * becomes of its output there; where it is something, the next one takes the instance over.
 */
import { spawn } from 'node:child_process';
import { instanceId, programName, run } from '../../src/base/ids.ts';
import { Captures } from '../../src/logs/captures.ts';
import { openLog } from '../../src/os/output.ts';
import { createPlumbing } from '../../src/os/plumbing.ts';
import { PLAIN } from '../rig/logging.ts';

const [folder = '', log, program, ...args] = process.argv.slice(2);
const plumbing = createPlumbing();
if (plumbing === null) throw new Error('no koffi');
const say = (text: string): void => void process.stderr.write(`${text}\n`);
const captures = new Captures({ plumbing, folder, openFile: openLog, say, warn: say });
const logging = { ...PLAIN, ...JSON.parse(process.env.LOGGING ?? '{}') };
const id = instanceId(programName('worker'), 0);
if (log !== undefined && program !== undefined) {
  const opened = captures.openOutput({
    run: run(1),
    id,
    stdout: log,
    stderr: log,
    logging,
    credentials: null,
  });
  if (!opened.ok) throw new Error(opened.error);
  spawn(program, args, { detached: true, stdio: ['ignore', opened.value.stdout, 'ignore'] }).unref();
  opened.value.close();
} else if (process.env.LOGGING !== '{}')
  captures.adopt({ id, run: run(1), pid: null, stdout: null, stderr: null, logging });
setInterval(() => {}, 1_000_000);
// After the keeper has been begun.
setImmediate(() => setImmediate(() => process.stdout.write('here\n')));
