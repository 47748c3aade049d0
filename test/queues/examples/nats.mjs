/** A NATS JetStream consumer whose restart redelivers nothing. Each message runs a command: `node nats.mjs ./job.sh` */
import { setTimeout as pause } from 'node:timers/promises';
import { jetstream } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import { createRunner } from 'tsup-visor/runner';

const [script = './job.sh'] = process.argv.slice(2);
const { NATS_URL: servers = 'nats://127.0.0.1:4222', STREAM = 'JOBS', CONSUMER = 'worker' } = process.env;
const EXPIRES_MS = 1000;

const runner = createRunner();
const nats = await connect({ servers, maxReconnectAttempts: -1 });
runner.onShutdown('nats', () => nats.drain()); // sends the last acknowledgements
const consumer = await jetstream(nats).consumers.get(STREAM, CONSUMER);
const { ack_wait: ackWaitNs } = (await consumer.info()).config;

runner.ready();
await Promise.all([takeOneByOne(), takeOneByOne()]);
await runner.drained();

/**
 * One message at a time, not `consume()`: what that fetches ahead would lie here while we drain, and be redelivered.
 * A request that is out is waited for, since its answer may be on the way: a second at most.
 */
async function takeOneByOne() {
  while (!runner.quiet.aborted) {
    try {
      const message = await consumer.next({ expires: EXPIRES_MS });
      if (message !== null) await work(message);
    } catch (error) {
      console.error('nats:', error.message); // it connects again by itself
      await pause(1000);
    }
  }
}

async function work(message) {
  const stillAtWork = setInterval(() => message.working(), ackWaitNs / 1e6 / 3);
  try {
    await runner.run(`message ${message.seq}`, async (cancel) => {
      const { id, ms } = message.json();
      await runner.exec('bash', [script, String(id), String(ms)], { signal: cancel });
    });
    message.ack();
  } catch {
    message.nak(EXPIRES_MS); // the runner has told why; so late, it does not come to a request of ours that is still out
  } finally {
    clearInterval(stillAtWork);
  }
}
