/**
 * A father of the story, in TypeScript: begins a job every so often, each second one through `bash hello.sh`.
 * Every `begun N` in the ledger is to be followed by `done N`; `cut N` is what the story is about.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { createRunner } from '../../../src/runner/index.ts';

const { values } = parseArgs({
  options: {
    'every-ms': { type: 'string', default: '5000' },
    'takes-ms': { type: 'string', default: '3000' },
    // `shared`: in the father's own process group, as most programs have it, so that a signal to that cuts it.
    'job-group': { type: 'string', default: 'own' },
  },
});
const runner = createRunner();
const name = process.env.TSUP_VISOR_INSTANCE ?? process.pid;
const seconds = String(Number(values['takes-ms']) / 1000);

const note = (what: string, job: string): void => appendFileSync('ledger', `${what} ${job}\n`);

async function work(job: string, [file, ...args]: [string, ...string[]], cancel: AbortSignal): Promise<void> {
  note('begun', job);
  try {
    if (values['job-group'] === 'own') await runner.exec(file, args, { signal: cancel });
    else await inOurGroup(file, args);
    note('done', job);
  } catch (error) {
    note('cut', job);
    throw error;
  }
}

async function inOurGroup(file: string, args: readonly string[]): Promise<void> {
  const [code, signal] = await once(spawn(file, args, { stdio: ['ignore', 'inherit', 'inherit'] }), 'exit');
  if (code !== 0) throw new Error(`${file} ended with ${signal ?? code}`);
}

runner.ready();
for (let n = 1; !runner.quiet.aborted; n++) {
  const job = `${name}.${n}`;
  void runner.run(job, (cancel) =>
    work(job, n % 2 === 1 ? ['bash', 'hello.sh', job, seconds] : ['sleep', seconds], cancel),
  );
  await pause(Number(values['every-ms']), null, { signal: runner.quiet }).catch(() => {});
}
await runner.drained();
