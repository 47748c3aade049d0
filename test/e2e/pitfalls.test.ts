/** What other supervisors do wrong in ways that belong to no key: each test is red with the defect put in. */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { findCgroupPlace } from '../../src/os/cgroup-place.ts';
import type { WireEvent } from '../../src/protocol/events.ts';
import { PROGRAMS, World } from '../daemon/world.ts';
import { useLeakCheck } from '../rig/leaks.ts';
import { kill } from './processes.ts';
import { steady } from './puppets.ts';
import { heeds, openScene, pause, READY } from './scene.ts';
import { until } from './until.ts';

const WINDOW_MS = 1500;

const CLOSES = {
  'descriptor-3': 'exec 3>&-',
  output: 'exec 1>&- 2>&-',
  all: 'rm -f "$NOTIFY_SOCKET"; exec 0>&- 1>&- 2>&- 3>&-',
};

it('100 % CPU from polling a closed descriptor: whatever an instance closes, the daemon sleeps', async ({
  onTestFinished,
}) => {
  const closing = Object.entries(CLOSES).map(([name, script]) => [
    name,
    { ...steady, instances: 2, command: heeds({}, `${READY}; ${script}`) },
  ]);
  const scene = await openScene(Object.fromEntries(closing));
  onTestFinished(() => scene.close());
  await scene.client.start({ selectors: [] });
  const { pid } = (await scene.client.status({ usage: false })).daemon;
  await scene.log.close(); // nobody asks for anything while it is watched
  const spinner = spawn(process.execPath, ['-e', 'for (;;);'], { stdio: 'ignore' });
  onTestFinished(() => void spinner.kill('SIGKILL'));
  const from = [ticksOf(pid), ticksOf(spinner.pid ?? 0)] as const;
  await pause(WINDOW_MS);
  const daemon = ticksOf(pid) - from[0];
  const whole = ticksOf(spinner.pid ?? 0) - from[1];
  expect(whole, 'the yardstick turns').toBeGreaterThan(10);
  expect(daemon, `ticks, where a loop has ${whole}`).toBeLessThan(whole / 5);
});

/** Processor time so far, in ticks of 10 ms. */
function ticksOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return Number(fields[11]) + Number(fields[12]);
}

const whyNoOom = ((): string | null => {
  const place = findCgroupPlace('/no/such/run/dir');
  place?.home.remove();
  if (place === null) return 'there is no cgroup v2 that may be written to';
  return place.own.words('cgroup.controllers').includes('memory')
    ? null
    : 'the memory controller is not one of cgroup v2 here';
})();
if (whyNoOom !== null) console.warn(`the test of an OOM kill by memory_max is skipped: ${whyNoOom}`);

it.skipIf(whyNoOom !== null)(
  'an OOM kill by memory_max is named in status and events, and the next run follows as after a crash',
  async ({ onTestFinished }) => {
    const hungry = `if [ "$TSUP_VISOR_RUN" = 1 ]; then exec ${process.execPath} -e 'const all = []; for (;;) all.push(Buffer.alloc(1e6, 1))'; fi; ${READY}; exec sleep 1000`;
    const worker = { ...steady, limits: { memory_max: '64MB' }, command: ['bash', '-c', hungry] };
    const scene = await openScene({ worker });
    onTestFinished(() => scene.close());
    const { run, last_exit } = await scene.see('worker:0', 'its next run', ({ ready }) => ready);
    expect(run).toBe(2);
    expect(last_exit).toMatchObject({ signal: 'SIGKILL', oom: true, killed: false });
    expect(await scene.sees('exited', 'worker:0')).toMatchObject({
      exit: { oom: true },
      message: expect.stringContaining('out of memory'),
    });
  },
);

const HOUR = 3_600_000;
const realNow = Date.now;

/** The daemon is in the test's own process, so that its wall clock can be set. */
describe('wall-clock timers: a clock that jumps by an hour', () => {
  const leaks = useLeakCheck();
  let world: World;
  let events: WireEvent[];

  beforeEach(() => {
    world = new World(leaks);
    events = [];
  });
  afterEach(async () => {
    vi.restoreAllMocks();
    await world.close();
  });

  const { steady, ignoresTerm } = PROGRAMS;
  async function begin(programs: Parameters<World['begin']>[0]): Promise<void> {
    (await world.begin(programs)).follow((event) => void events.push(event));
    await world.act('start', []);
  }
  /** The wall clock is so far from the right time. */
  const jump = (ms: number): void => void vi.spyOn(Date, 'now').mockImplementation(() => realNow() + ms);
  const at = (type: WireEvent['type']): number => events.find((event) => event.type === type)?.mono_ms ?? -1;

  it.each([
    ['forwards', HOUR],
    ['back', -HOUR],
  ])('%s moves no deadline of an end', async (_, ms) => {
    const limits = { drain: { timeout: '1s' }, stop: { timeout: '300ms' } };
    await begin({ worker: { ...ignoresTerm, ...limits } });
    await world.act('stop', ['worker'], { wait: false });
    jump(ms);
    const { drain } = await world.instance('worker:0');
    const left = Date.parse(drain?.deadline ?? '') - Date.now();
    expect(left, 'as it is shown, by the clock that people see').toBeLessThanOrEqual(1000);
    expect(left, 'not an hour').toBeGreaterThan(-10_000);
    await world.see('it is stopped', ({ instances }) => instances[0]?.state === 'stopped');
    const [told, ...later] = events.filter((event) => event.type === 'signalled');
    expect(later).toMatchObject([{ signal: 'TERM' }, { signal: 'KILL' }]);
    expect((later[0]?.mono_ms ?? 0) - (told?.mono_ms ?? 0)).toBeGreaterThanOrEqual(995);
    expect(at('gone') - (told?.mono_ms ?? 0)).toBeGreaterThanOrEqual(1290);
    expect(at('gone') - (told?.mono_ms ?? 0), 'not an hour').toBeLessThan(10_000);
  });

  it.each([
    ['forwards', HOUR],
    ['back', -HOUR],
  ])('%s moves no backoff', async (_, ms) => {
    const backoff = { initial: '600ms', factor: 1, max: '600ms', jitter: '0%' };
    await begin({ worker: { ...steady, backoff } });
    kill((await world.instance('worker:0')).pid ?? 0, 'SIGKILL');
    await world.see('it waits', ({ instances }) => instances[0]?.state === 'backoff');
    jump(ms);
    await world.see('it runs again', ({ instances }) => instances[0]?.ready === true);
    const again = events.findLast(({ type }) => type === 'spawned')?.mono_ms ?? 0;
    const waited = again - at('gone');
    expect(waited).toBeGreaterThanOrEqual(595);
    expect(waited).toBeLessThan(10_000);
  });

  it('forwards has a scheduled run at once, and once, for all the times that have passed; and back keeps on', async () => {
    const schedule = { cron: '* * * * * *', overlap: 'queue' };
    await begin({
      job: { ...steady, ready: { when: 'spawned' }, command: ['true'], restart: 'never', schedule },
    });
    const runs = (): number => events.filter(({ type }) => type === 'spawned').length;
    const moreRuns = (count: number) => {
      const wanted = runs() + count;
      return until(`${count} more runs`, () => runs() >= wanted);
    };
    const late = () => events.filter((event) => event.type === 'schedule');
    await moreRuns(1);
    jump(HOUR);
    const before = runs();
    await until('the jump is told', () => late().length > 0);
    expect(late()).toMatchObject([
      { program: 'job', what: 'late', detail: expect.stringMatching(/^\d+ times have passed; it runs once/) },
    ]);
    await moreRuns(1);
    expect(runs() - before, 'no burst of 3600').toBeLessThan(60);
    expect(world.said.join('\n')).toContain('the clock has gone forward by 1h');
    jump(0);
    await moreRuns(2);
    expect(world.said.join('\n')).toContain('the clock was set back by 1h');
    expect((await world.instance('job:0')).state).not.toBe('failed');
    await world.act('stop', ['job'], { now: true });
  });
});
