/** Gates that are put in their places while the run before still ends: what comes of them, and that they are no runs. */
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { run as toRun } from '../../src/base/ids.ts';
import { loadLibc } from '../../src/os/libc.ts';
import { createMark } from '../../src/os/mark.ts';
import { createProcesses, type Force } from '../../src/os/processes.ts';
import type { Credentials, SpawnRequest } from '../../src/ports/processes.ts';
import { useLeakCheck } from '../rig/leaks.ts';
import { within } from '../rig/within.ts';
import { homeOf, whyNoCgroups } from './cgroups.ts';
import { type Hands, isAlive, NO_LIMITS, useHands } from './hands.ts';

const leaks = useLeakCheck();
const hands = useHands(leaks);
const RUN = toRun(1);
const IDLE = ['/bin/sh', '-c', 'echo READY=1 >&3; exec sleep 1000'];

/** What is in the group of a run; empty when there is none. */
function inGroup(h: Hands, number: number): number[] {
  try {
    return readFileSync(join(homeOf(h.folder), `run-${number}`, 'cgroup.procs'), 'utf8')
      .split('\n')
      .filter(Boolean)
      .map(Number);
  } catch {
    return [];
  }
}

const groups = (h: Hands): string[] =>
  readdirSync(homeOf(h.folder)).filter((name) => name.startsWith('run-'));
const descriptors = (): string[] =>
  readdirSync('/proc/self/fd').map((name) => linkOf(`/proc/self/fd/${name}`));

function linkOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return '';
  }
}

/** The gate that waits for this run. */
function gateOf(h: Hands, number = 1): number {
  const [gate, ...more] = inGroup(h, number);
  if (gate === undefined || more.length > 0) throw new Error(`there is no gate for run ${number}`);
  return gate;
}

const loaded = loadLibc();
const cannot = whyNoCgroups !== null || loaded === null;

describe.skipIf(cannot)('a gate that waits', () => {
  test('becomes the run: with the same pid, in its group', async () => {
    const h = hands();
    const request = h.request(1, IDLE);
    h.processes.prepare(request);
    const gate = gateOf(h);
    h.processes.spawn(request);
    expect(h.happened).toEqual([{ kind: 'spawned', run: 1, pid: gate }]);
    await h.until('notified', RUN);
    expect(inGroup(h, 1)).toEqual([gate]);
    // It has said so before it becomes what it goes on as.
    const isAsleep = (): boolean => readFileSync(`/proc/${gate}/cmdline`, 'latin1') === 'sleep\x001000\0';
    await within('its sleep', until(isAsleep));
    await h.end(RUN);
    expect(groups(h)).toEqual([]);
  });

  test('its end is told as that of any run', async () => {
    const h = hands();
    const request = h.request(1, ['/bin/sh', '-c', 'echo STATUS=last >&3; exit 7']);
    h.processes.prepare(request);
    h.processes.spawn(request);
    expect(await h.until('exited', RUN)).toMatchObject({ exit: { kind: 'code', code: 7 } });
    expect(h.happened.map(({ kind }) => kind)).toEqual(['spawned', 'notified', 'exited']);
  });

  test('says of no run that it is of it, and is counted by nobody', async () => {
    const h = hands();
    const before = h.spawn(1, IDLE);
    const mine = { TSUP_VISOR_INSTANCE: 'worker:0', TSUP_VISOR_RUN: '2', WATCHDOG_USEC: '1' };
    h.processes.prepare(h.request(2, IDLE, { environment: mine }));
    const gate = gateOf(h, 2);
    const environment = readFileSync(`/proc/${gate}/environ`, 'latin1').split('\0');
    const ours = environment.filter((one) => /^(TSUP_VISOR_(?!TEST)|NOTIFY_|WATCHDOG_)/.test(one));
    expect(ours).toEqual([expect.stringMatching(/^TSUP_VISOR_MARK=[0-9a-f]+:gate-2\b/)]);
    h.processes.survey(before);
    expect((await h.until('tree', before)).left).toBe(0);
    expect([...(await h.processes.usage([before, toRun(2)])).keys()]).toEqual([before]);
    expect(h.processes.strays).toBe(0);
    h.processes.signalTree(before, 'KILL');
    await h.until('exited', before);
    expect(isAlive(gate)).toBe(true);
    h.processes.unprepare(toRun(2));
    await h.empty(before);
  });

  test('bears the mark of the daemon that this one is a run of', () => {
    const [outer, inner] = ['/run/outer', '/run/inner'].map((folder) => createMark(folder, '')) as [
      never,
      never,
    ];
    const nested = createMark('/run/inner', createMark('/run/outer', '').of(RUN));
    const value = nested.waiting(toRun(5));
    expect(
      [outer, inner].map((mark: ReturnType<typeof createMark>) => [mark.read(value), mark.isWaiting(value)]),
    ).toEqual([
      [1, false],
      [null, true],
    ]);
  });

  test('is let go of, and nothing of it is left', () => {
    const h = hands();
    h.processes.prepare(h.request(9, IDLE)); // what is made once for all is there
    h.processes.unprepare(toRun(9));
    const before = descriptors().toSorted();
    h.processes.prepare(h.request(1, IDLE, { stdout: join(h.folder, 'out') }));
    const gate = gateOf(h);
    expect(readdirSync(join(h.folder, 'notify'))).toEqual(['1.sock']);
    h.processes.unprepare(RUN);
    expect(isAlive(gate)).toBe(false);
    expect(leaks.zombies()).toBe(0);
    expect(groups(h)).toEqual([]);
    expect(readdirSync(join(h.folder, 'notify'))).toEqual([]);
    expect(descriptors().toSorted()).toEqual(before);
    expect(h.happened).toEqual([]);
    h.processes.unprepare(RUN); // once more, and of one that never was
    h.processes.unprepare(toRun(77));
  });

  test('goes when the hands are put down', () => {
    const h = hands();
    const home = homeOf(h.folder);
    h.processes.prepare(h.request(1, IDLE));
    const gate = gateOf(h);
    h.close();
    expect(isAlive(gate)).toBe(false);
    expect(() => readdirSync(home)).toThrow('ENOENT');
  });

  test('nobody else holds what would keep it waiting when the daemon dies', () => {
    const h = hands();
    const other = h.spawn(5, IDLE);
    h.processes.prepare(h.request(1, IDLE));
    h.processes.prepare(h.request(2, IDLE));
    const [gate, second] = [gateOf(h, 1), gateOf(h, 2)];
    const pipe = readlinkSync(`/proc/${gate}/fd/4`);
    const holders = (pid: number | string): string[] =>
      readdirSync(`/proc/${pid}/fd`).filter((name) => linkOf(`/proc/${pid}/fd/${name}`) === pipe);
    expect(holders('self')).toHaveLength(1);
    // Its own ends are to read from; while a shell waits at 4, it has that as 0 as well.
    expect(holders(gate)).toContain('4');
    for (const name of holders(gate)) {
      const flags = /^flags:\s*(\d+)$/m.exec(readFileSync(`/proc/${gate}/fdinfo/${name}`, 'utf8'))?.[1];
      expect(Number.parseInt(flags ?? '', 8) & 3).toBe(0);
    }
    expect([...holders(second), ...holders(h.pid(other))]).toEqual([]);
    return h.end(other);
  });

  test('that has ended by itself is no run: the run begins in the ordinary way', async () => {
    const h = hands();
    for (const isNoticed of [true, false]) {
      h.happened.length = 0;
      const request = h.request(1, IDLE);
      h.processes.prepare(request);
      const gate = gateOf(h);
      process.kill(gate, 'SIGKILL');
      if (isNoticed) await gone(gate);
      else while (isAlive(gate));
      h.processes.spawn(request);
      expect(h.happened).toMatchObject([{ kind: 'spawned', run: 1 }]);
      expect(h.pid(RUN)).not.toBe(gate);
      await h.until('notified', RUN);
      await h.end(RUN);
      expect(groups(h)).toEqual([]);
    }
  });

  test('there are sixteen at most, and what has none begins all the same', async () => {
    const h = hands();
    const requests = Array.from({ length: 20 }, (_, at) => h.request(at + 1, IDLE));
    for (const request of requests) h.processes.prepare(request);
    expect(groups(h)).toHaveLength(16);
    for (const request of requests) h.processes.spawn(request);
    for (const { run } of requests) await h.until('notified', run);
    for (const { run } of requests) await h.end(run);
  });

  test('nothing waits where the number of processes is limited: it would be one of them', () => {
    const h = hands();
    h.processes.prepare(h.request(1, IDLE, { limits: { ...NO_LIMITS, resources: { nproc: 1000 } } }));
    expect(groups(h)).toEqual([]);
  });

  const nobody: Credentials = {
    uid: 65534,
    gid: 65534,
    groups: [65534],
    name: 'nobody',
    home: '/',
    shell: '/bin/sh',
  };

  test.skipIf(process.getuid?.() !== 0)('has its user, limits, nice and umask, as any run', async () => {
    const see = async (isEarly: boolean): Promise<string> => {
      const h = hands();
      const out = join(h.folder, 'out');
      const request = h.request(
        1,
        ['/bin/sh', '-c', 'id; umask; nice; ulimit -a; pwd; cat /proc/self/limits'],
        {
          stdout: out,
          credentials: nobody,
          directory: '/',
          umask: 0o77,
          nice: 3,
          limits: { ...NO_LIMITS, resources: { nofile: 99, stack: 4 * 1024 * 1024, core: 0 } },
        },
      );
      if (isEarly) h.processes.prepare(request);
      if (isEarly) gateOf(h);
      h.processes.spawn(request);
      await h.until('exited', RUN);
      return readFileSync(out, 'utf8');
    };
    const ordinary = await see(false);
    expect(ordinary).toContain('uid=65534');
    expect(await see(true)).toBe(ordinary);
  });
});

describe.skipIf(cannot)('the environment', () => {
  test('is the same as in an ordinary start, byte for byte', async () => {
    const h = hands();
    const out = join(h.folder, 'out');
    const environment = {
      ...Object.fromEntries(Array.from({ length: 60 }, (_, at) => [`V${at}`, `${at}`])),
      'dotted.name': 'a b',
      IFS: ',',
      PWD: "/it's\nelsewhere",
      _gate: 'mine',
      EMPTY: '',
      TEXT: '$(echo no) `echo no` "\'\\',
      TSUP_VISOR_PROGRAM: "it's",
      TSUP_VISOR_INSTANCE: 'worker:0',
      TSUP_VISOR_INDEX: '0',
      TSUP_VISOR_RUN: '1',
      TSUP_VISOR_REVISION: '9f2c1a',
      TSUP_VISOR_GENERATION: '7',
      WATCHDOG_USEC: '100',
    };
    const request = h.request(1, ['/bin/cat', '/proc/self/environ'], { stdout: out, environment });
    const dumps: string[] = [];
    for (const isEarly of [false, true]) {
      h.happened.length = 0;
      rmSync(out, { force: true });
      writeFileSync(out, '');
      if (isEarly) h.processes.prepare(request);
      const gate = isEarly ? gateOf(h) : null;
      h.processes.spawn(request);
      if (gate !== null) expect(h.pid(RUN)).toBe(gate);
      await h.until('exited', RUN);
      await h.empty(RUN);
      h.processes.forget(RUN);
      dumps.push(readFileSync(out, 'latin1'));
    }
    expect(dumps[0]).toContain('TSUP_VISOR_MARK=');
    expect(dumps[1]).toBe(dumps[0]);
  });
});

describe.skipIf(cannot)('what is asked for in the end is not what was got ready', () => {
  /** What changes, or what it is asked for instead. */
  type Change = (h: Hands) => Partial<SpawnRequest> | undefined;
  const script = (h: Hands, folder: string): void => {
    mkdirSync(join(h.folder, folder), { recursive: true });
    writeFileSync(join(h.folder, folder, 'worker'), '#!/bin/sh\necho READY=1 >&3; exec sleep 1000\n');
    chmodSync(join(h.folder, folder, 'worker'), 0o755);
  };
  const changes: Record<string, Change> = {
    'another command': () => ({ command: IDLE }),
    'another environment': (h) => ({ environment: { PATH: pathOf(h), MORE: '1' } }),
    'another folder': () => ({ directory: '/' }),
    'another umask': () => ({ umask: 0o77 }),
    'another nice': () => ({ nice: 5 }),
    'another limit': () => ({ limits: { ...NO_LIMITS, resources: { nofile: 100 } } }),
    'another log file': (h) => ({ stdout: join(h.folder, 'elsewhere') }),
    'its log file was moved away': (h) => {
      renameSync(join(h.folder, 'out'), join(h.folder, 'out.1'));
      return undefined;
    },
    'its folder is another by now': (h) => {
      mkdirSync(join(h.folder, 'next'));
      unlinkSync(join(h.folder, 'current'));
      symlinkSync('next', join(h.folder, 'current'));
      return undefined;
    },
    'its program is found elsewhere by now': (h) => {
      script(h, 'first');
      return undefined;
    },
  };
  const plain = (h: Hands): string => {
    writeFileSync(join(h.folder, 'plain'), '');
    return join(h.folder, 'plain');
  };
  const pathOf = (h: Hands): string => `${h.folder}/first:${h.folder}/second:${process.env.PATH}`;

  test.each(Object.keys(changes))('%s', async (name) => {
    const h = hands();
    script(h, 'second');
    mkdirSync(join(h.folder, 'was'));
    symlinkSync('was', join(h.folder, 'current'));
    writeFileSync(join(h.folder, 'out'), '');
    const asked = (more: Partial<SpawnRequest> = {}): SpawnRequest =>
      h.request(1, ['worker'], {
        directory: join(h.folder, 'current'),
        stdout: join(h.folder, 'out'),
        environment: { PATH: pathOf(h) },
        ...more,
      });
    h.processes.prepare(asked());
    const gate = gateOf(h);
    h.processes.spawn(asked(changes[name]?.(h) ?? {}));
    expect(isAlive(gate)).toBe(false);
    expect(h.pid(RUN)).not.toBe(gate);
    await h.until('notified', RUN);
    expect(inGroup(h, 1)).toEqual([h.pid(RUN)]);
    await h.end(RUN);
    expect(groups(h)).toEqual([]);
  });

  test('a program that is not there any more is told as ever', () => {
    const h = hands();
    script(h, 'first');
    const request = h.request(1, ['worker'], { environment: { PATH: pathOf(h) } });
    h.processes.prepare(request);
    gateOf(h);
    rmSync(join(h.folder, 'first/worker'));
    h.processes.spawn(request);
    expect(h.happened).toEqual([
      { kind: 'spawnFailed', run: 1, stage: 'exec', message: 'cannot find the program "worker" in PATH' },
    ]);
    expect(groups(h)).toEqual([]);
  });

  test.each<[string, (h: Hands) => Partial<SpawnRequest>]>([
    ['a program that does not exist', () => ({ command: ['wroker'] })],
    ['a folder that does not exist', () => ({ directory: '/no/folder' })],
    ['a log file that cannot be opened', (h) => ({ stdout: join(plain(h), 'log') })],
    [
      'a limit that cannot be set',
      () => ({ limits: { ...NO_LIMITS, resources: { nofile: 999_999_999_999 } } }),
    ],
    ['a NUL byte', () => ({ command: ['/bin/sh', '\0'] })],
  ])('%s is passed over in silence, and told by the start', async (_, wrong) => {
    const h = hands();
    const request = h.request(1, IDLE, wrong(h));
    const before = descriptors().toSorted();
    h.processes.prepare(request);
    expect(h.happened).toEqual([]);
    expect(groups(h)).toEqual([]);
    expect(descriptors().filter((name) => name.startsWith('pipe')).length).toBe(
      before.filter((name) => name.startsWith('pipe')).length,
    );
    h.processes.spawn(request);
    await h.until('spawnFailed', RUN);
  });
});

describe.each<Force>(['session', 'fork', 'proc'])('where it does not pay (%s)', (force) => {
  test('nothing waits, and the run begins', async () => {
    const h = hands(force);
    const request = h.request(1, IDLE);
    const before = descriptors().length;
    h.processes.prepare(request);
    expect(descriptors()).toHaveLength(before);
    expect(leaks.processes()).toEqual([]);
    h.processes.unprepare(RUN);
    h.processes.spawn(request);
    await h.until('notified', RUN);
    await h.end(RUN);
  });
});

describe.skipIf(cannot)('the next daemon', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'next-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const next = (runDir: string) => {
    const nobody = (): void => {};
    return createProcesses({
      runDir,
      warn: nobody,
      events: { spawned: nobody, spawnFailed: nobody, exited: nobody, tree: nobody, notified: nobody },
    });
  };

  test('takes a gate for no run, and ends one that waits on', async () => {
    const h = hands();
    h.processes.prepare(h.request(1, IDLE, { environment: { TSUP_VISOR_INSTANCE: 'worker:0' } }));
    const gate = gateOf(h);
    const other = next(h.folder);
    expect(other.unrecorded(new Set())).toEqual([]);
    await gone(gate);
    other.close();
    expect(groups(h)).toEqual([]);
  });

  test('takes one that was opened at the last moment for the run that it becomes', async () => {
    const mark = createMark(folder, '');
    const h = hands();
    const slowly = `sleep 0.05; TSUP_VISOR_MARK=${mark.of(toRun(3))} TSUP_VISOR_INSTANCE=worker:0 exec sleep 1000`;
    // Beside the hands, which would give it another mark.
    const begun = loaded?.spawnLeader({
      path: '/bin/sh',
      args: ['sh', '-c', slowly],
      directory: '/',
      environment: Object.entries({
        ...leaks.environment,
        PATH: process.env.PATH,
        TSUP_VISOR_MARK: mark.waiting(toRun(3)),
      }).map((pair) => pair.join('=')),
      stdout: null,
      stderr: null,
      notify: null,
      gate: null,
      asRealUser: false,
    });
    if (begun === undefined || !('pid' in begun)) throw new Error('not begun');
    leaks.watchSession(begun.pid);
    await within(
      'its environment',
      until(() => readFileSync(`/proc/${begun.pid}/environ`, 'latin1').includes('gate-3')),
    );
    const other = next(folder);
    expect(other.unrecorded(new Set())).toMatchObject([{ run: 3, pid: begun.pid, instance: 'worker:0' }]);
    other.close();
    h.close();
    loaded?.endChild(begun.pid);
  });
});

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resolve) => setTimeout(resolve, 2));
}

const gone = (pid: number): Promise<void> =>
  within(
    `the end of ${pid}`,
    until(() => !readdirSync('/proc').includes(String(pid))),
  );
