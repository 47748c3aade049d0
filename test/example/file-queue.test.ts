import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type LedgerLine, readLedger } from '../../src/example/ledger.ts';
import { folders, jobsIn } from '../../src/example/queue.ts';
import { isPerfect, tally } from '../../src/example/tally.ts';
import { EXIT } from '../../src/runner/index.ts';
import { until } from '../e2e/until.ts';
import { createRig, type Rig } from './rig.ts';

let rig: Rig;
beforeEach(async () => {
  rig = await createRig();
});
afterEach(() => rig.close());

const ledger = (): LedgerLine[] => readLedger(folders(rig.dir).ledger);
const lines = (what: LedgerLine['what']): LedgerLine[] => ledger().filter((line) => line.what === what);
const workedOff = (): Promise<true> =>
  until('every job is done', () => (tally(rig.dir).missing.length === 0 ? true : undefined), {
    seen: () => JSON.stringify(tally(rig.dir)),
  });

describe('a runner that is asked to stop', () => {
  it('finishes what is under way, takes nothing more, and says each step', async () => {
    await rig.run('--fill', '6', '--seconds', '0.4-0.6');
    const runner = rig.start(['--parallel', '2']);
    await runner.hears('X_INFLIGHT=2');
    runner.child.kill('SIGTERM');

    expect(await runner.ended()).toBe(0);
    expect(lines('begun')).toHaveLength(2);
    expect(lines('done')).toHaveLength(2);
    expect(jobsIn(folders(rig.dir).todo)).toHaveLength(4);
    const steps = runner.said.filter((line) => !line.startsWith('STATUS='));
    expect(steps[0]).toBe('READY=1');
    expect(steps.slice(steps.indexOf('STOPPING=1'))).toEqual([
      'STOPPING=1',
      'X_INFLIGHT=1',
      'X_INFLIGHT=0',
      'X_DRAINED=1',
    ]);
  });

  it('ends at once when it has nothing to do', async () => {
    const runner = rig.start([]);
    await runner.hears('READY=1');
    runner.child.kill('SIGINT');
    expect(await runner.ended()).toBe(0);
    expect(runner.said.at(-1)).toBe('X_DRAINED=1');
  });

  it('does not hurry when it is asked twice at once, as by a signal to the group and its forward', async () => {
    await rig.run('--fill', '1', '--seconds', '0.5');
    const runner = rig.start([]);
    await runner.hears('X_INFLIGHT=1');
    runner.child.kill('SIGTERM');
    runner.child.kill('SIGINT');
    expect(await runner.ended()).toBe(0);
    expect(isPerfect(tally(rig.dir))).toBe(true);
  });

  it('gives its jobs up for somebody who insists, and keeps them aside', async () => {
    await rig.run('--fill', '2', '--seconds', '100');
    const runner = rig.start([]);
    await runner.hears('X_INFLIGHT=2');
    runner.child.kill('SIGTERM');
    await runner.hears('STOPPING=1');
    const givenUp = (): boolean => lines('interrupted').length === 2;
    // The first of these may come so soon that it is the same wish.
    await until('both are given up', () => givenUp() || !runner.child.kill('SIGTERM'), { everyMs: 700 });
    expect(await runner.ended()).toBe(EXIT.cancelled);
    expect(lines('interrupted').map(({ why }) => why)).toEqual(['ended by SIGTERM', 'ended by SIGTERM']);
    expect(jobsIn(folders(rig.dir).failed)).toHaveLength(2);
  });
});

describe('the queue', () => {
  it('gives each job to exactly one of four runners that compete for it', async () => {
    await rig.run('--fill', '60', '--seconds', '0.01-0.05');
    const runners = ['0', '1', '2', '3'].map((n) =>
      rig.start(['--parallel', '4'], { instance: `worker:${n}` }),
    );
    await workedOff();
    for (const runner of runners) runner.child.kill('SIGTERM');
    for (const runner of runners) expect(await runner.ended()).toBe(0);

    expect(tally(rig.dir)).toMatchObject({ jobs: 60, begun: 60, done: 60, interrupted: 0, doneTwice: [] });
    expect(new Set(lines('done').map((line) => line.instance)).size).toBeGreaterThan(1);
    const report = await rig.run('--report');
    expect(report.code).toBe(0);
    expect(report.stdout).toContain('every job was done exactly once');
  });

  it('is watched: a job that comes later is taken before the slow look round', async () => {
    const runner = rig.start([]);
    await runner.hears('X_INFLIGHT=0');
    const since = performance.now();
    await rig.run('--fill', '1', '--seconds', '0.1');
    await runner.hears('X_INFLIGHT=1');
    expect(performance.now() - since).toBeLessThan(2500);
  });

  it('keeps a job that fails aside, with the reason, and does not try it again', async () => {
    const { todo, failed } = folders(rig.dir);
    mkdirSync(todo, { recursive: true });
    writeFileSync(join(todo, 'broken.sh'), 'exit 3\n');
    writeFileSync(join(todo, 'lazy.job'), 'exit 0\n');
    rig.start([]);
    await until('both are set aside', () => jobsIn(failed).length === 2);
    expect(lines('interrupted').map((line) => [line.job, line.why])).toEqual(
      expect.arrayContaining([
        ['broken.sh', 'exited with code 3'],
        ['lazy.job', 'left no result'],
      ]),
    );
    expect(lines('begun')).toHaveLength(2);
    expect((await rig.run('--report')).code).toBe(1);
  });
});

describe('a signal to the whole group', () => {
  const signalled = async (jobGroup: 'shared' | 'own'): Promise<void> => {
    await rig.run('--fill', '2', '--seconds', '1');
    const runner = rig.start(['--job-group', jobGroup]);
    await runner.hears('X_INFLIGHT=2');
    process.kill(-runner.pid, 'SIGTERM');
    expect(await runner.ended()).toBe(0);
  };

  it('cuts the jobs that share it, and each is counted', async () => {
    await signalled('shared');
    expect(tally(rig.dir)).toMatchObject({ begun: 2, done: 0, interrupted: 2 });
    expect(lines('interrupted').map((line) => line.why)).toEqual(['ended by SIGTERM', 'ended by SIGTERM']);
    expect(jobsIn(folders(rig.dir).failed)).toHaveLength(2);
  });

  it('does not reach jobs that have a group of their own', async () => {
    await signalled('own');
    expect(isPerfect(tally(rig.dir))).toBe(true);
  });
});

describe('the channel to the supervisor', () => {
  it('may break in the middle', async () => {
    await rig.run('--fill', '4', '--seconds', '0.2');
    const runner = rig.start([]);
    await runner.hears('X_INFLIGHT=2');
    runner.child.stdio[3]?.destroy();
    await workedOff();
    runner.child.kill('SIGTERM');
    expect(await runner.ended()).toBe(0);
  });

  it('may be promised and not be there', async () => {
    await rig.run('--fill', '2', '--seconds', '0.1');
    const runner = rig.start([], { descriptor: 'missing' });
    await workedOff();
    runner.child.kill('SIGTERM');
    expect(await runner.ended()).toBe(0);
  });

  it('is not passed on to the jobs', async () => {
    const { todo, done } = folders(rig.dir);
    mkdirSync(todo, { recursive: true });
    writeFileSync(
      join(todo, 'nosy.sh'),
      '{ echo READY=again >&3; } 2>/dev/null; echo "$TSUP_VISOR_NOTIFY_FD$NOTIFY_SOCKET" > "$JOB_RESULT"\n',
    );
    const runner = rig.start([]);
    await until('the job is done', () => jobsIn(done).length === 1);
    await runner.hears('X_INFLIGHT=0');
    expect(runner.said).not.toContain('READY=again');
  });
});

it('a mistake on the command line is said in one sentence, with the usage', async () => {
  const mistakes = [['--job-group', 'mine'], ['--parallel', '0'], ['--fill', 'x'], ['--nonsense']];
  for (const args of mistakes) {
    const { code, stderr } = await rig.run(...args);
    expect(code).toBe(2);
    expect(stderr).toMatch(/^file-queue: .+\nusage: /);
  }
});
