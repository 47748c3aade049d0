import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { EventLog } from './event-log.ts';
import { heeds, READY, steady } from './keys/row.ts';
import { started } from './life.ts';
import { until } from './until.ts';

/** What happened to the first run of `worker:0`, in order. */
const story = (log: EventLog, ...kinds: string[]): string[] =>
  log.all.flatMap((it) => (kinds.includes(it.type) && (!('run' in it) || it.run === 1) ? it.type : []));

describe.concurrent('an instance that works', () => {
  it('and is unhealthy is drained before it is started anew', async (test) => {
    const { world, log, instance, see } = await started(test, (dir) => {
      writeFileSync(join(dir, 'well'), '');
      return {
        worker: {
          ...steady,
          command: heeds(READY, { TERM: 'echo STOPPING=1 >&3', USR1: 'exit 0' }),
          health: { exec: 'test -e well', interval: '20ms', failures: 2 },
        },
      };
    });
    rmSync(join(world.dir, 'well'));
    await log.sees('it drains', (it) => it.type === 'reported');
    const draining = await instance('worker:0');
    expect(draining).toMatchObject({ state: 'draining', because: 'unhealthy', healthy: false, run: 1 });
    writeFileSync(join(world.dir, 'well'), '');
    process.kill(draining.pid ?? 0, 'SIGUSR1');
    await see('worker:0', 'it is well again', ({ run, ready }) => run === 2 && ready);
    expect(story(log, 'health', 'signalled', 'reported', 'exited', 'gone')).toEqual([
      'health',
      'signalled',
      'reported',
      'exited',
      'gone',
    ]);
    const { last_exit } = await instance('worker:0');
    expect(last_exit).toMatchObject({ code: 0, because: 'unhealthy', drained: true, killed: false });
  });

  it('and does not send WATCHDOG=1 in time is ended without a drain, since what hangs cannot drain', async (test) => {
    const { log, instance, see } = await started(test, (dir) => ({
      worker: {
        ...steady,
        // Only its first run says that it lives, and only until it is told not to.
        command: heeds(
          `${READY}; mkdir ${dir}/first || exec bash -c 'while echo WATCHDOG=1 >&3; do read -rt 0.1 -u 4 _; done'
           echo WATCHDOG=1 >&3`,
          { TERM: ':', INT: 'exit 0' },
        ),
        drain: { timeout: '1h' },
        stop: { signal: 'INT', timeout: '20s' },
        watchdog: '1s',
      },
    }));
    const missed = await log.sees('it has missed it', (it) => it.type === 'watchdog');
    expect(missed.message).toMatch(/WATCHDOG=1 within 1s/);
    await see('worker:0', 'another runs', ({ run, ready }) => run === 2 && ready);
    const signals = log.of('signalled').map(({ signal, to }) => `${signal} ${to}`);
    expect(signals).toEqual(['INT leader']);
    const { last_exit } = await instance('worker:0');
    expect(last_exit).toMatchObject({ code: 0, because: 'watchdog', drained: false });
  });

  it('and is older than max_age is replaced, one of a program at a time', async (test) => {
    const { log } = await started(test, () => ({
      worker: { ...steady, instances: 3, max_age: '1s' },
    }));
    await until('each has been replaced', () => log.of('gone').length >= 3);
    for (const gone of log.of('gone')) expect(gone).toMatchObject({ drained: true, killed: false });
    const away = new Set<string>();
    let begun = false;
    for (const event of log.all) {
      if (event.type === 'worn') begun = true;
      if (event.type === 'signalled') away.add(event.instance);
      if (event.type === 'ready') away.delete(event.instance);
      if (begun) expect([...away].length, event.message).toBeLessThanOrEqual(1);
    }
    expect(new Set(log.of('worn').map(({ instance }) => instance)).size).toBe(3);
  });

  it('to a schedule runs to completion each time; what falls into a run is skipped, and that is said', async (test) => {
    const { world, log, instance, see } = await started(test, (dir) => ({
      quick: { ...steady, command: `sh -c 'echo done >> ${dir}/done'`, schedule: '* * * * * *' },
      slow: { ...steady, schedule: { cron: '* * * * * *', overlap: 'skip' } },
    }));
    const skipped = await log.sees(
      'a time is skipped',
      (it) => it.type === 'schedule' && it.what === 'skipped',
    );
    expect(skipped.message).toMatch(/slow:0 still runs/);
    const done = join(world.dir, 'done');
    await until('it has run twice', () => existsSync(done) && readFileSync(done, 'utf8') === 'done\ndone\n');
    const slow = await instance('slow:0');
    expect(slow).toMatchObject({ state: 'running', restarts: 0 });
    const quick = await see('quick:0', 'it waits', ({ state }) => state === 'waiting');
    expect(quick.last_exit).toMatchObject({ code: 0 });
    expect(Date.parse(quick.next_run ?? '')).toBeGreaterThan(0);
    expect((await world.cli('status')).code, 'to wait for its time is no fault').toBe(0);
    process.kill(slow.pid ?? 0, 'SIGUSR2');
    const again = await log.sees(
      'its next time comes',
      (it) => it.type === 'spawned' && it.instance === 'slow:0' && it.pid !== slow.pid,
    );
    expect(again.mono_ms).toBeGreaterThan(skipped.mono_ms);
  });
});
