import {
  AckPolicy,
  type ConsumerInfo,
  type JetStreamManager,
  jetstream,
  jetstreamManager,
  RetentionPolicy,
} from '@nats-io/jetstream';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import { describe, expect, it, type TestContext } from 'vitest';
import { cutOneJob, JOBS, passRollingRestarts, type Queue } from './fleet.ts';
import { NATS, startNats } from './nats.ts';

const SECOND_NS = 1_000_000_000;

describe('a NATS JetStream consumer', () => {
  it('has nothing redelivered in three rolling restarts', { timeout: 120_000 }, async (test) => {
    const { manager, seen, handOver } = await openStream(test, 5);
    await passRollingRestarts(test, { ...handOver, done: async () => (await seen()).ack_floor.stream_seq });

    const { num_redelivered, num_ack_pending, delivered, ack_floor } = await seen();
    expect({ num_redelivered, num_ack_pending }).toEqual({ num_redelivered: 0, num_ack_pending: 0 });
    expect([delivered.consumer_seq, ack_floor.consumer_seq], 'deliveries, each counted').toEqual([
      JOBS,
      JOBS,
    ]);
    expect((await manager.streams.info('JOBS')).state.messages, 'left').toBe(0);
  });

  it('keeps a message that takes longer than `ack_wait`, and gives it back when it has to give up', {
    timeout: 60_000,
  }, async (test) => {
    const { nats, seen, handOver } = await openStream(test, 1);
    await cutOneJob(test, handOver);

    const next = await jetstream(nats).consumers.get('JOBS', 'worker');
    const message = await next.next({ expires: 5000 });
    expect(message?.info.deliveryCount, 'delivered to the worker once').toBe(2);
    message?.ack();
    await nats.flush();
    expect((await seen()).num_ack_pending).toBe(0);
  });
});

interface Opened {
  readonly nats: NatsConnection;
  readonly manager: JetStreamManager;
  /** The consumer as the server has it. */
  seen(): Promise<ConsumerInfo>;
  readonly handOver: Omit<Queue, 'done'>;
}

/** `ackWait`: seconds after which what was not heard of again is delivered again. */
async function openStream(test: TestContext, ackWait: number): Promise<Opened> {
  if (NATS === null) return test.skip('nats-server is not installed');
  const { url, close } = await startNats(NATS);
  test.onTestFinished(close);
  const nats = await connect({ servers: url });
  test.onTestFinished(() => nats.close());
  const manager = await jetstreamManager(nats);
  await manager.streams.add({ name: 'JOBS', subjects: ['job'], retention: RetentionPolicy.Workqueue });
  const consumer = { durable_name: 'worker', ack_policy: AckPolicy.Explicit, ack_wait: ackWait * SECOND_NS };
  await manager.consumers.add('JOBS', consumer);
  const add: Queue['add'] = (jobs) =>
    Promise.all(jobs.map((job) => jetstream(nats).publish('job', JSON.stringify(job))));
  const seen = () => manager.consumers.info('JOBS', 'worker');
  return { nats, manager, seen, handOver: { example: 'nats', environment: { NATS_URL: url }, add } };
}
