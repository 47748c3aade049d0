import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { mono, wall } from '../../src/base/clock.ts';
import { type Run, run } from '../../src/base/ids.ts';
import { fail, ok, type Result } from '../../src/base/result.ts';
import { newInstance } from '../../src/core/instance/instance.ts';
import type { Life } from '../../src/core/instance/phase.ts';
import type { Watch } from '../../src/core/instance/watch.ts';
import type { Check } from '../../src/core/plan.ts';
import { Watches } from '../../src/daemon/watches.ts';
import { logPathIn } from '../../src/logs/log-path.ts';
import type { CommandRequest, CommandResult, Usage } from '../../src/ports/processes.ts';
import { at, program, worker } from '../core/rig.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

interface Question {
  readonly check: Check;
  readonly as: Omit<CommandRequest, 'command'>;
  readonly since: number;
  answer(ok: boolean, detail?: string): void;
  cancelled: boolean;
}

interface Line {
  readonly places: readonly { readonly path: string; readonly from: number }[];
  found(line: string): void;
  ended: boolean;
}

/** Everything that a watch asks is answered by the test. */
function scene(
  known: ReadonlyMap<Run, { path: string; from: number }[]> = new Map(),
  readEnvFiles: () => Result<Record<string, string>, string> = () => ok({}),
) {
  const clock = { ms: 0 };
  const asked: Question[] = [];
  const lines: Line[] = [];
  const looks: { runs: readonly Run[]; answer(usage: Record<number, number>): void; fail(): void }[] = [];
  const told: string[] = [];
  const sizes = new Map<string, number>();
  const watches = new Watches(
    {
      clock: { now: () => ({ mono: mono(clock.ms), wall: wall(clock.ms) }) },
      checks: {
        ask: (check, as, since, done: (result: CommandResult) => void) => {
          const question: Question = {
            check,
            as,
            since,
            cancelled: false,
            answer: (good, detail = '') => question.cancelled || done({ ok: good, detail }),
          };
          asked.push(question);
          return () => {
            question.cancelled = true;
          };
        },
      },
      lines: {
        endOf: (path) => sizes.get(path) ?? 0,
        watch: (places, _, found) => {
          const line: Line = { places, found, ended: false };
          lines.push(line);
          return () => {
            line.ended = true;
          };
        },
      },
      surroundings: {
        environment: {},
        logPath: logPathIn('/logs'),
        credentials: (user) =>
          user === null ? ok(null) : fail({ stage: 'user', message: `user "${user}" does not exist` }),
        readEnvFiles,
      },
      usage: (runs) =>
        new Promise((resolve, reject) =>
          looks.push({
            runs,
            answer: (bytes) => {
              const usage = Object.entries(bytes).map(([of, memoryBytes]): [Run, Usage] => [
                run(Number(of)),
                { processes: 1, cpuPercent: 0, memoryBytes },
              ]);
              resolve(new Map(usage));
            },
            fail: () => reject(new Error('cannot look')),
          }),
        ),
      checked: (of, purpose, { ok: good, detail }) => told.push(`${of} ${purpose} ${good} ${detail}`.trim()),
      measured: (of, bytes) => told.push(`${of} ${bytes}`),
    },
    known,
  );
  const pass = async (ms: number): Promise<void> => {
    clock.ms += ms;
    await vi.advanceTimersByTimeAsync(ms);
  };
  return { watches, asked, lines, looks, told, sizes, pass };
}

function seat(number: number, change: Parameters<typeof program>[0] = {}) {
  const plan = program(change);
  const instance = newInstance(worker(2), 2, plan, { want: 'up', because: 'start' });
  const life: Life = { run: run(number), program: plan, generation: 0, because: 'start', startedAt: at(5) };
  return { instance, life };
}

const watch = (check: Check, purpose: 'ready' | 'health' | 'drain' = 'health'): Watch => ({
  purpose,
  check,
  everyMs: 100,
  tryMs: 30,
});
const TCP: Check = { kind: 'tcp', host: '{{program}}.local', port: '80{{index}}' };

describe('a check', () => {
  it('is asked at once, and again so long after each answer', async () => {
    const { watches, asked, told, pass } = scene();
    const { instance, life } = seat(1);
    watches.begin(instance, life, watch(TCP));
    expect(asked).toHaveLength(1);
    await pass(1000);
    expect(asked, 'not before it is answered').toHaveLength(1);
    asked[0]?.answer(false, 'connection refused');
    await pass(99);
    expect(asked).toHaveLength(1);
    await pass(1);
    expect(asked).toHaveLength(2);
    asked[1]?.answer(true);
    expect(told).toEqual(['1 health false connection refused', '1 health true']);
    watches.close();
  });

  it.each([
    [TCP, { kind: 'tcp', host: 'worker.local', port: '802' }],
    [
      { kind: 'http', url: 'http://localhost:80{{index}}/{{instance}}' },
      { kind: 'http', url: 'http://localhost:802/worker:2' },
    ],
    [
      { kind: 'file', path: '/run/{{program}}-{{index}}' },
      { kind: 'file', path: '/run/worker-2' },
    ],
    [
      { kind: 'exec', command: ['check', '{{instance}}'] },
      { kind: 'exec', command: ['check', 'worker:2'] },
    ],
  ] as const satisfies readonly (readonly [Check, Check])[])(
    'has its templates filled in, its limit, and the age of the run: %j',
    (check, filledIn) => {
      const { watches, asked } = scene();
      const { instance, life } = seat(1);
      watches.begin(instance, life, watch(check, 'ready'));
      expect(asked[0]).toMatchObject({ check: filledIn, since: at(5).wall, as: { timeoutMs: 30 } });
      watches.close();
    },
  );

  it('by a command is asked as the program, which is told what for; any other by the daemon', () => {
    const { watches, asked } = scene();
    const { instance, life } = seat(1, { umask: 0o77, environment: { KEY: 'v' } });
    watches.begin(instance, life, watch({ kind: 'exec', command: ['check'] }, 'ready'));
    watches.begin(instance, life, watch(TCP));
    expect(asked[0]?.as).toMatchObject({
      umask: 0o77,
      environment: { KEY: 'v', TSUP_VISOR_RUN: '1', TSUP_VISOR_HOOK: 'ready' },
    });
    expect(asked[1]?.as).toMatchObject({ umask: null, environment: {} });
    watches.close();
  });

  it('that cannot be asked is answered with no, and tried again', async () => {
    const { watches, asked, told, pass } = scene();
    const { instance, life } = seat(1, { user: 'www' });
    watches.begin(instance, life, watch({ kind: 'exec', command: ['check'] }));
    expect(told, 'never within the call').toEqual([]);
    await pass(1);
    await pass(100);
    expect(asked).toEqual([]);
    expect(told.length).toBeGreaterThanOrEqual(1);
    expect(told[0]).toBe('1 health false cannot ask: user "www" does not exist');
    watches.close();
    expect(vi.getTimerCount()).toBe(0);
  });

  it('keeps the environment of its run, whatever becomes of the env_file meanwhile', async () => {
    const file = { now: fail('it does not exist') as Result<Record<string, string>, string> };
    const { watches, asked, told, pass } = scene(new Map(), () => file.now);
    const { instance, life } = seat(1, { envFiles: ['/etc/worker.env'] });
    watches.begin(instance, life, watch({ kind: 'exec', command: ['check'] }));
    await pass(1);
    expect(told).toEqual(['1 health false cannot ask: it does not exist']);
    file.now = ok({ KEY: 'first' });
    await pass(100);
    file.now = fail('line 1: it is not NAME=value');
    asked[0]?.answer(true);
    await pass(100);
    expect(asked.map(({ as }) => as.environment.KEY)).toEqual(['first', 'first']);
    watches.close();
  });

  it('that is seldom asked is not asked all the time', async () => {
    const { watches, asked, pass } = scene();
    const { instance, life } = seat(1);
    watches.begin(instance, life, { purpose: 'health', check: TCP, everyMs: 365 * 86_400_000, tryMs: 30 });
    asked[0]?.answer(true);
    await pass(86_400_000);
    expect(asked).toHaveLength(1);
    watches.close();
  });

  it.each(['while it is asked', 'between two questions'])(
    'is asked no more once it has ended, %s',
    async (when) => {
      const { watches, asked, told, pass } = scene();
      const { instance, life } = seat(1);
      watches.begin(instance, life, watch(TCP));
      if (when !== 'while it is asked') asked[0]?.answer(true);
      const before = [...told];
      watches.end(run(1), 'health');
      asked[0]?.answer(false);
      await pass(1000);
      expect(asked).toHaveLength(1);
      expect(asked[0]?.cancelled).toBe(when === 'while it is asked');
      expect(told).toEqual(before);
      expect([vi.getTimerCount(), watches.size]).toEqual([0, 0]);
    },
  );

  it('may be ended by its own answer', async () => {
    const { watches, asked, told, pass } = scene();
    const { instance, life } = seat(1);
    told.push = (...items: string[]) => {
      watches.end(run(1), 'health');
      return Array.prototype.push.apply(told, items);
    };
    watches.begin(instance, life, watch(TCP));
    asked[0]?.answer(true);
    await pass(1000);
    expect([asked.length, told.length, vi.getTimerCount()]).toEqual([1, 1, 0]);
  });

  it('is one of several: by purpose and by run', () => {
    const { watches, asked } = scene();
    const [first, second] = [seat(1), seat(2)];
    watches.begin(first.instance, first.life, watch(TCP, 'ready'));
    watches.begin(first.instance, first.life, watch(TCP, 'health'));
    watches.begin(second.instance, second.life, watch(TCP, 'health'));
    watches.end(run(1), 'health');
    watches.end(run(3), 'health');
    expect(asked.map(({ cancelled }) => cancelled)).toEqual([false, true, false]);
    watches.close();
    expect(asked.every(({ cancelled }) => cancelled)).toBe(true);
  });

  it('that begins anew replaces the one before', () => {
    const { watches, asked } = scene();
    const { instance, life } = seat(1);
    watches.begin(instance, life, watch(TCP));
    watches.begin(instance, life, { ...watch(TCP), everyMs: 7 } as Watch);
    expect(asked.map(({ cancelled }) => cancelled)).toEqual([true, false]);
    expect(watches.size).toBe(1);
    watches.close();
  });
});

const LOG: Watch = { purpose: 'log', pattern: { kind: 'text', text: 'listening' } };
const LOGGED = {
  ready: { when: 'log', pattern: { kind: 'text', text: 'listening' }, timeoutMs: null },
  logs: { stdout: { kind: 'default' }, stderr: { kind: 'default' } },
} as const;

describe('a line of output', () => {
  it('is looked for in what was written since before the run began', () => {
    const { watches, lines, sizes, told } = scene();
    const { instance, life } = seat(1, LOGGED);
    sizes.set('/logs/worker-2.log', 100);
    watches.beforeSpawn(instance, life);
    sizes.set('/logs/worker-2.log', 500); // written between the spawn and the watch
    watches.begin(instance, life, LOG);
    expect(lines[0]?.places).toEqual([
      { path: '/logs/worker-2.log', from: 100 },
      { path: '/logs/worker-2.err.log', from: 0 },
    ]);
    lines[0]?.found('now listening');
    expect(told).toEqual(['1 log true now listening']);
    watches.end(run(1), 'log');
    expect(lines[0]?.ended).toBe(true);
  });

  it('is looked for once in a file that both streams share, and nowhere in /dev/null', () => {
    const { watches } = scene();
    const merged = seat(1, { ...LOGGED, logs: { stdout: { kind: 'default' }, stderr: 'merge' } });
    watches.beforeSpawn(merged.instance, merged.life);
    expect(watches.placesOf(run(1))).toEqual([{ path: '/logs/worker-2.log', from: 0 }]);
    const none = seat(2, { ...LOGGED, logs: { stdout: { kind: 'none' }, stderr: 'merge' } });
    watches.beforeSpawn(none.instance, none.life);
    expect(watches.placesOf(run(2))).toEqual([]);
  });

  it('is looked for on from the same place by the next daemon', () => {
    const places = [{ path: '/logs/worker-2.log', from: 100 }];
    const { watches, lines } = scene(new Map([[run(1), places]]));
    const { instance, life } = seat(1, LOGGED);
    watches.begin(instance, life, LOG);
    expect(lines[0]?.places).toEqual(places);
    watches.close();
    expect(lines[0]?.ended).toBe(true);
  });

  it('costs nothing where nobody waits for one, and is forgotten with its run', () => {
    const { watches } = scene();
    const quiet = seat(1);
    watches.beforeSpawn(quiet.instance, quiet.life);
    expect(watches.placesOf(run(1))).toEqual([]);
    const { instance, life } = seat(2, LOGGED);
    watches.beforeSpawn(instance, life);
    watches.forget(run(2));
    expect(watches.placesOf(run(2))).toEqual([]);
  });
});

describe('memory', () => {
  const memory = (everyMs: number): Watch => ({ purpose: 'memory', everyMs });

  it('is looked at once for all runs that are due', async () => {
    const { watches, looks, told, pass } = scene();
    for (const number of [1, 2, 3]) {
      const { instance, life } = seat(number);
      watches.begin(instance, life, memory(number === 3 ? 5000 : 1000));
    }
    await pass(0);
    expect(looks.map(({ runs }) => runs)).toEqual([[1, 2, 3]]);
    looks[0]?.answer({ 1: 10, 2: 20, 3: 30 });
    await pass(0);
    expect(told).toEqual(['1 10', '2 20', '3 30']);
    await pass(999);
    expect(looks).toHaveLength(1);
    await pass(1);
    expect(looks.map(({ runs }) => runs)).toEqual([
      [1, 2, 3],
      [1, 2],
    ]);
    watches.close();
    expect(vi.getTimerCount()).toBe(0);
  });

  it('is not looked at again while a look is under way', async () => {
    const { watches, looks, pass } = scene();
    const { instance, life } = seat(1);
    watches.begin(instance, life, memory(100));
    await pass(10_000);
    expect(looks).toHaveLength(1);
    const late = seat(2);
    watches.begin(late.instance, late.life, memory(100));
    await pass(10_000);
    expect(looks).toHaveLength(1);
    looks[0]?.answer({ 1: 10 });
    await pass(0);
    expect(looks[1]?.runs, 'who came meanwhile is due at once').toEqual([2]);
    watches.close();
  });

  it('of a run that is gone is not told, nor of one that is watched no more', async () => {
    const { watches, looks, told, pass } = scene();
    for (const number of [1, 2]) {
      const { instance, life } = seat(number);
      watches.begin(instance, life, memory(100));
    }
    await pass(0);
    watches.end(run(1), 'memory');
    looks[0]?.answer({ 1: 10 });
    await pass(0);
    expect(told).toEqual([]);
    watches.close();
  });

  it('that cannot be looked at is looked at again the next time', async () => {
    const { watches, looks, told, pass } = scene();
    const { instance, life } = seat(1);
    watches.begin(instance, life, memory(100));
    await pass(0);
    looks[0]?.fail();
    await pass(0);
    await pass(100);
    looks[1]?.answer({ 1: 10 });
    await pass(0);
    expect(told).toEqual(['1 10']);
    watches.end(run(1), 'memory');
    expect(vi.getTimerCount()).toBe(0);
  });

  it('is told to nobody after the end', async () => {
    const { watches, looks, told, pass } = scene();
    const { instance, life } = seat(1);
    watches.begin(instance, life, memory(100));
    await pass(0);
    watches.close();
    looks[0]?.answer({ 1: 10 });
    await pass(1000);
    expect([told, vi.getTimerCount()]).toEqual([[], 0]);
  });
});
