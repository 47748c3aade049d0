/** A graphile-worker whose restart costs no attempt. Each job runs a command: `node graphile-worker.mjs ./job.sh` */
import { run } from 'graphile-worker';
import { createRunner } from 'tsup-visor/runner';

const [script = './job.sh'] = process.argv.slice(2);
const runner = createRunner();

const consumer = await run({
  connectionString: process.env.DATABASE_URL,
  concurrency: 2,
  noHandleSignals: true, // they have an owner; graphile-worker would send itself the signal once more, as if someone insisted
  taskList: {
    job: (payload, { job }) =>
      runner.run(`job ${job.id}`, async (cancel) => {
        await runner.exec('bash', [script, String(payload.id), String(payload.ms)], { signal: cancel });
      }),
  },
});

// Takes no further job, and resolves when the last one is entered as done. A job that `cancel` cuts is entered as
// failed: graphile-worker has counted the attempt when it began, and tries again later.
runner.onQuiet('graphile-worker', () => consumer.stop());

runner.ready();
await runner.drained();
