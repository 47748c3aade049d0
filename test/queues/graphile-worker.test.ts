import { makeWorkerUtils } from 'graphile-worker';
import { describe, expect, it, type TestContext } from 'vitest';
import { cutOneJob, JOBS, passRollingRestarts, type Queue } from './fleet.ts';
import { POSTGRES, startPostgres } from './postgres.ts';

/** A job that is done is deleted: what it has been through is noted by the database as it goes. */
const NOTE_THE_DONE = `
  create table done (id int, attempts int, last_error text);
  create function note_done() returns trigger language plpgsql as $$ begin
    insert into done values ((old.payload->>'id')::int, old.attempts, old.last_error);
    return null;
  end $$;
  create trigger note_done after delete on graphile_worker._private_jobs for each row execute function note_done();
`;

/** So that a job that was cut or failed would be tried again, and be seen by its count. */
const ADD = `
  select graphile_worker.add_job('job', row_to_json(work), max_attempts := 3)
  from json_to_recordset($1) as work(id int, ms int)
`;

describe('a graphile-worker on PostgreSQL', () => {
  it('has no failed attempt and no retry in three rolling restarts', { timeout: 120_000 }, async (test) => {
    const { ask, handOver } = await openQueue(test);
    await passRollingRestarts(test, {
      ...handOver,
      done: async () => (await ask('select from done')).length,
    });

    expect(await ask('select attempts, last_error, count(*)::int from done group by 1, 2')).toEqual([
      { attempts: 1, last_error: null, count: JOBS },
    ]);
    expect(await ask('select * from graphile_worker.jobs'), 'left').toEqual([]);
  });

  it('enters a job as failed that it has to give up, and leaves no lock behind', {
    timeout: 60_000,
  }, async (test) => {
    const { ask, handOver } = await openQueue(test);
    await cutOneJob(test, handOver);

    expect(await ask('select attempts, last_error, locked_by from graphile_worker._private_jobs')).toEqual([
      { attempts: 1, last_error: expect.stringContaining('gives up its work'), locked_by: null },
    ]);
  });
});

interface Opened {
  ask(sql: string, values?: unknown[]): Promise<unknown[]>;
  readonly handOver: Omit<Queue, 'done'>;
}

async function openQueue(test: TestContext): Promise<Opened> {
  if (POSTGRES === null) return test.skip('PostgreSQL is not installed');
  const { url, close } = await startPostgres(POSTGRES);
  test.onTestFinished(close);
  const utils = await makeWorkerUtils({ connectionString: url });
  test.onTestFinished(() => utils.release());
  await utils.migrate();
  const ask: Opened['ask'] = (sql, values) =>
    utils.withPgClient(async (client) => (await client.query(sql, values)).rows);
  await ask(NOTE_THE_DONE);
  const add: Queue['add'] = (jobs) => ask(ADD, [JSON.stringify(jobs)]);
  return { ask, handOver: { example: 'graphile-worker', environment: { DATABASE_URL: url }, add } };
}
