/** A BullMQ worker whose restart costs no attempt. Each job runs a command: `node bullmq.mjs ./job.sh` */
import { WaitingError, Worker } from 'bullmq';
import { createRunner } from 'tsup-visor/runner';

const [script = './job.sh'] = process.argv.slice(2);
const { REDIS_URL: url = 'redis://127.0.0.1:6379', QUEUE = 'jobs' } = process.env;

const runner = createRunner();
const worker = new Worker(QUEUE, work, { connection: { url }, concurrency: 2 });
worker.on('error', (error) => console.error('bullmq:', error.message));

// Not `close()`: it also waits, but what it has begun cannot be hurried any more. `pause()` takes no further job and
// resolves when the last one is entered as done; meanwhile the locks are renewed. It waits for a Redis that is away.
runner.onQuiet('bullmq', () => worker.pause());
runner.onShutdown('bullmq', () => worker.close());

void worker.waitUntilReady().then(() => runner.ready());
await runner.drained();

async function work(job, token) {
  try {
    await runner.run(`job ${job.id}`, async (cancel) => {
      const { id, ms } = job.data;
      await runner.exec('bash', [script, String(id), String(ms)], { signal: cancel });
    });
  } catch (error) {
    if (!runner.cancel.aborted) throw error; // it failed by itself: BullMQ counts that, and tries again
    await job.moveToWait(token); // given up for our sake: another worker begins it anew, and no attempt is lost
    throw new WaitingError();
  }
}
