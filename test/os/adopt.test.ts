/** Runs that an earlier daemon has begun: heard and watched again, never taken for one another. */
import {
  closeSync,
  constants,
  existsSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { instanceId, pid, programName, run } from '../../src/base/ids.ts';
import { loadLibc } from '../../src/os/libc.ts';
import { ageMsOf } from '../../src/os/proc.ts';
import { createProcesses, type Force, type RealProcesses } from '../../src/os/processes.ts';
import { useLeakCheck } from '../rig/leaks.ts';
import { PLAIN } from '../rig/logging.ts';
import { within } from '../rig/within.ts';
import { homeOf, whyNoCgroups } from './cgroups.ts';
import { isAlive, NO_LIMITS } from './hands.ts';

const leaks = useLeakCheck();
const RUN = run(1);
let folder: string;
let open: RealProcesses[];
let told: string[];
let look: () => void;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'adopt-'));
  open = [];
  told = [];
  look = () => {};
});
afterEach(() => {
  vi.restoreAllMocks();
  for (const processes of open) processes.close();
  rmSync(folder, { recursive: true, force: true });
});

function hands(force?: Force): RealProcesses {
  const tell = (text: string) => {
    told.push(text);
    look();
  };
  const processes = createProcesses({
    runDir: folder,
    ...(force === undefined ? {} : { force }),
    warn: (text) => tell(`warning: ${text}`),
    events: {
      spawned: (_, pid) => {
        leaks.watchSession(pid);
        tell(`spawned ${pid}`);
      },
      spawnFailed: (_, __, message) => tell(`failed: ${message}`),
      exited: (_, exit) => tell(`exited: ${exit.kind}`),
      tree: (_, left) => tell(`left: ${left}`),
      notified: (_, text, channel, wasWaiting) => tell(`${channel}: ${text}${wasWaiting ? ', before' : ''}`),
    },
  });
  open.push(processes);
  return processes;
}

const until = (text: string): Promise<void> =>
  within(
    text,
    new Promise((resolve) => {
      look = () => told.includes(text) && resolve();
      look();
    }),
  );

/** Begins a run, and ends the daemon that has begun it. */
async function leftBehind(
  script: string,
  notify = 3,
  force?: Force,
): Promise<{ pid: number; identity: string }> {
  const first = hands(force);
  first.spawn({
    run: RUN,
    id: instanceId(programName('worker'), 0),
    command: [
      '/bin/bash',
      '-c',
      `${script}; mkfifo idle; exec 9<>idle; echo STATUS=begun >&${notify}; while :; do read -r -t 0.02 <&9; done`,
    ],
    directory: folder,
    environment: {
      PATH: process.env.PATH ?? '',
      TSUP_VISOR_INSTANCE: 'worker:0',
      TSUP_VISOR_REVISION: '9f2c1a',
      TSUP_VISOR_GENERATION: '7',
      ...leaks.environment,
    },
    stdout: null,
    stderr: null,
    logging: PLAIN,
    credentials: null,
    umask: null,
    nice: null,
    limits: NO_LIMITS,
  });
  const leader = Number(told[0]?.split(' ')[1]);
  await until('line: STATUS=begun');
  const identity = first.identity(RUN);
  if (identity === null) throw new Error('the leader has gone');
  first.close();
  open = [];
  told.length = 0;
  return { pid: leader, identity };
}

/** How many bytes wait on its descriptor 3. */
function pendingOn(leader: number): number {
  const descriptor = openSync(`/proc/${leader}/fd/3`, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    return loadLibc()?.pendingIn(descriptor) ?? 0;
  } finally {
    closeSync(descriptor);
  }
}

/** It is this process's child, as no second daemon's would be. */
function buried(leader: number): void {
  const libc = loadLibc();
  while (libc !== null && libc.childState(leader) !== 'none') libc.reap(leader);
}

function end(leader: number): void {
  process.kill(leader, 'SIGKILL');
  buried(leader);
}

describe.runIf(process.platform === 'linux')('a run of an earlier daemon', () => {
  test('is known to have said before what it has said while nobody listened', async () => {
    const before = await leftBehind('trap "echo STATUS=asked >&3" TERM; trap "echo STATUS=told >&3" USR1');
    process.kill(before.pid, 'SIGUSR1');
    await vi.waitFor(() => expect(pendingOn(before.pid)).toBeGreaterThan(0), {
      timeout: 10_000,
      interval: 5,
    });
    const next = hands();
    next.adopt(RUN, pid(before.pid), before.identity);
    next.signal(RUN, 'TERM');
    await until('line: STATUS=asked');
    expect(told).toEqual(['line: STATUS=told, before', 'line: STATUS=asked']);
    end(before.pid);
    await until('exited: unknown');
    next.forget(RUN);
  });

  test('is heard on its descriptor 3, its end is told with an unknown status, and nothing of it is left', async () => {
    const before = await leftBehind('trap "echo STATUS=asked >&3" TERM');
    const next = hands();
    const age = ageMsOf(before.pid);
    const found = next.unrecorded(new Set());
    expect(found[0]?.ageMs).toBeGreaterThanOrEqual(age);
    expect(found).toEqual([
      {
        ...before,
        run: RUN,
        instance: 'worker:0',
        ageMs: expect.any(Number),
        revision: '9f2c1a',
        generation: 7,
      },
    ]);
    expect(next.unrecorded(new Set([RUN]))).toEqual([]);
    next.adopt(RUN, pid(before.pid), before.identity);
    expect(next.identity(RUN)).toBe(before.identity);
    next.signal(RUN, 'TERM');
    await until('line: STATUS=asked');
    process.kill(before.pid, 'SIGKILL');
    await until('exited: unknown');
    buried(before.pid);
    next.signalTree(RUN, 'KILL');
    next.survey(RUN);
    await until('left: 0');
    next.forget(RUN);
  });

  test('is told from a job of its own that leads a session, too', async () => {
    const before = await leftBehind(
      `mkfifo up; setsid bash -c 'echo $$ >up; exec sleep 60' & read -r job <up; echo $job >job`,
    );
    const job = Number(readFileSync(join(folder, 'job'), 'utf8'));
    leaks.watchSession(job);
    const next = hands();
    expect(next.unrecorded(new Set())).toMatchObject([{ ...before, run: RUN, instance: 'worker:0' }]);
    next.adopt(RUN, pid(before.pid), before.identity);
    next.signalTree(RUN, 'KILL');
    await until('exited: unknown');
    buried(before.pid);
    next.survey(RUN);
    await until('left: 0');
    next.forget(RUN);
  });

  test('that has put a pipe of its own in the place of descriptor 3 is not robbed of what it sends itself', async () => {
    const own = join(folder, 'own');
    const before = await leftBehind(
      `exec 5>&3; mkfifo ${own}; exec 4<>${own} 3<${own}; trap 'read -r -t 3 word <&3; mkdir ${folder}/got-$word' TERM`,
      5,
    );
    const next = hands();
    next.adopt(RUN, pid(before.pid), before.identity);
    writeFileSync(own, 'word\n');
    for (let turns = 0; turns < 10; turns++) await new Promise((resolve) => setImmediate(resolve));
    next.signal(RUN, 'TERM');
    await vi.waitFor(() =>
      expect(readdirSync(folder).filter((name) => name.startsWith('got'))).toEqual(['got-word']),
    );
    expect(told).toEqual([]);
    end(before.pid);
    await until('exited: unknown');
  });

  test('whose number is another’s by now is told to be gone, and that other is never signalled', async () => {
    const before = await leftBehind(':');
    const [boot = '', number = '', start = ''] = before.identity.split(' ');
    for (const [at, identity] of [
      `${boot} ${number} ${Number(start) - 1}`,
      `x${before.identity}`,
      '',
    ].entries()) {
      const next = hands();
      told.length = 0;
      next.adopt(run(10 + at), pid(before.pid), identity);
      next.signal(run(10 + at), 'KILL');
      next.signalTree(run(10 + at), 'KILL');
      expect(told, 'never within the call').toEqual([]);
      await until('exited: unknown');
      next.survey(run(10 + at));
      await until('left: 0');
      expect(isAlive(before.pid)).toBe(true);
    }
    end(before.pid);
  });

  test('that has ended since, though nobody has been told yet, is not signalled by its number', async () => {
    const before = await leftBehind(':');
    const next = hands();
    next.adopt(RUN, pid(before.pid), before.identity);
    end(before.pid);
    const kill = vi.spyOn(process, 'kill');
    next.signal(RUN, 'TERM');
    expect(kill).not.toHaveBeenCalled();
    await until('exited: unknown');
  });

  const HIDDEN = 'setsid env -i sleep 1000 & echo $! > hidden; disown';

  test.skipIf(whyNoCgroups !== null)(
    'is found in its group again, with what hides from all looks',
    async () => {
      const before = await leftBehind(HIDDEN);
      const hidden = Number(readFileSync(join(folder, 'hidden'), 'utf8'));
      leaks.watchSession(hidden);
      const home = homeOf(folder);
      const next = hands();
      next.adopt(RUN, pid(before.pid), before.identity);
      end(before.pid);
      await until('exited: unknown');
      next.survey(RUN);
      await until('left: 1');
      next.signalTree(RUN, 'KILL');
      await until('left: 0');
      expect(isAlive(hidden)).toBe(false);
      expect(next.scans).toBe(0);
      next.forget(RUN);
      next.close();
      open = [];
      expect(existsSync(home)).toBe(false);
    },
  );

  test.skipIf(whyNoCgroups !== null)('that has no group is found by its session', async () => {
    const before = await leftBehind('sleep 1000 & disown', 3, 'session');
    const next = hands();
    expect(next.tracking).toBe('cgroup');
    next.adopt(RUN, pid(before.pid), before.identity);
    end(before.pid);
    await until('exited: unknown');
    next.survey(RUN);
    await until('left: 1');
    next.signalTree(RUN, 'KILL');
    await until('left: 0');
  });
});
