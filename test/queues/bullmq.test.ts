import { type Job, Queue } from 'bullmq';
import { Redis } from 'ioredis';
import { describe, expect, it, type TestContext } from 'vitest';
import { cutOneJob, type Queue as Handed, JOBS, passRollingRestarts, type Work } from './fleet.ts';
import { REDIS, startRedis } from './redis.ts';

const attemptsOf = ({ attemptsMade, attemptsStarted, stalledCounter }: Job) => ({
  attemptsMade,
  attemptsStarted,
  stalledCounter,
});

/** How often the queue has noted what about jobs; `drained` is about itself. */
async function noted(url: string): Promise<Record<string, number>> {
  const redis = new Redis(url);
  const entries = await redis.xrange('bull:jobs:events', '-', '+');
  await redis.quit();
  const counts: Record<string, number> = {};
  for (const [, fields] of entries) {
    const what = fields[fields.indexOf('event') + 1] ?? 'nothing';
    if (what !== 'drained') counts[what] = (counts[what] ?? 0) + 1;
  }
  return counts;
}

describe('a BullMQ worker on Redis', () => {
  it('has no failed attempt, no stalled job and no retry in three rolling restarts', {
    timeout: 120_000,
  }, async (test) => {
    const { queue, url, handOver } = await openQueue(test);
    await passRollingRestarts(test, {
      ...handOver,
      done: async () => (await queue.getJobCounts('completed')).completed ?? 0,
    });

    const counts = Object.entries(await queue.getJobCounts());
    expect(counts.filter(([, count]) => count > 0)).toEqual([['completed', JOBS]]);
    const attempts = (await queue.getJobs(['completed'])).map(attemptsOf);
    expect(attempts).toEqual(
      attempts.map(() => ({ attemptsMade: 1, attemptsStarted: 1, stalledCounter: 0 })),
    );
    expect(await noted(url)).toEqual({ added: JOBS, waiting: JOBS, active: JOBS, completed: JOBS });
  });

  it('gives a job back that it has to give up: no attempt is lost', { timeout: 60_000 }, async (test) => {
    const { queue, url, handOver } = await openQueue(test);
    await cutOneJob(test, handOver);

    const [job] = await queue.getJobs(['wait']);
    expect(job && attemptsOf(job)).toEqual({ attemptsMade: 0, attemptsStarted: 1, stalledCounter: 0 });
    expect(await noted(url)).toEqual({ added: 1, waiting: 2, active: 1 });
  });
});

interface Opened {
  readonly url: string;
  readonly queue: Queue<Work>;
  readonly handOver: Omit<Handed, 'done'>;
}

async function openQueue(test: TestContext): Promise<Opened> {
  if (REDIS === null) return test.skip('redis-server is not installed');
  const { url, close } = await startRedis(REDIS);
  test.onTestFinished(close);
  const queue = new Queue<Work>('jobs', { connection: { url } });
  test.onTestFinished(() => queue.close());
  // So that a job that was cut or failed would be tried again, and be seen by its count.
  const opts = { attempts: 3 };
  const add: Handed['add'] = (jobs) => queue.addBulk(jobs.map((data) => ({ name: 'job', data, opts })));
  return { url, queue, handOver: { example: 'bullmq', environment: { REDIS_URL: url }, add } };
}
