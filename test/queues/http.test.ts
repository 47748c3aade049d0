import { connect, type Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { until } from '../e2e/until.ts';
import { cutOneJob, JOBS, passRollingRestarts } from './fleet.ts';
import { freePorts, startCallers } from './http-callers.ts';

describe('an HTTP server', () => {
  it('answers every request that it has taken in three rolling restarts', {
    timeout: 120_000,
  }, async (test) => {
    const ports = await freePorts(4);
    const callers = startCallers(ports);
    test.onTestFinished(() => callers.close());

    await passRollingRestarts(test, {
      example: 'http',
      environment: { PORT: String(ports[0]) },
      add: async (jobs) => callers.add(jobs),
      done: async () => callers.answers.length,
    });

    expect(callers.errors).toEqual([]);
    expect(callers.answers.map(({ status }) => status)).toEqual(Array.from({ length: JOBS }, () => 200));
    expect(new Set(callers.answers.map(({ id }) => id)).size).toBe(JOBS);
    expect(callers.answers.filter(({ reused }) => reused).length, 'kept alive').toBeGreaterThan(JOBS / 2);
  });

  it('answers 503 to a request that it has to give up, and a silent connection does not hold it up', {
    timeout: 60_000,
  }, async (test) => {
    const [port = 0] = await freePorts(1);
    const callers = startCallers([port]);
    test.onTestFinished(() => callers.close());
    const silent = { connection: null as Socket | null };
    test.onTestFinished(() => void silent.connection?.destroy());

    await cutOneJob(test, {
      example: 'http',
      environment: { PORT: String(port) },
      add: async (jobs) => {
        silent.connection = connect(port);
        callers.add(jobs);
      },
    });

    await until('it is answered', () => callers.answers.length > 0);
    expect(callers.answers).toMatchObject([{ id: 0, status: 503 }]);
    expect(callers.errors).toEqual([]);
  });
});
