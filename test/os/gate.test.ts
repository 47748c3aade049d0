/** What is set before exec: umask, nice and limits are there at the first instruction, or nothing is begun at all. */
import { chmodSync, closeSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { getPriority, tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { run as toRun } from '../../src/base/ids.ts';
import { openCgroups } from '../../src/os/cgroup-home.ts';
import { GATE_SHUT, gated, needsGate, SHELL, whyNoGate } from '../../src/os/gate.ts';
import { loadLibc } from '../../src/os/libc.ts';
import type { Force } from '../../src/os/processes.ts';
import type { Credentials, SpawnRequest } from '../../src/ports/processes.ts';
import { useLeakCheck } from '../rig/leaks.ts';
import { within } from '../rig/within.ts';
import { homeOf, whyNoCgroups } from './cgroups.ts';
import { type Hands, NO_LIMITS, useHands } from './hands.ts';

const leaks = useLeakCheck();
const hands = useHands(leaks);

type Resources = SpawnRequest['limits']['resources'];
const limited = (resources: Resources) => ({ limits: { ...NO_LIMITS, resources } });

/** What a program sees, line by line. */
async function see(h: Hands, script: string, more: Partial<SpawnRequest>): Promise<string[]> {
  const out = join(h.folder, 'out');
  const run = h.spawn(1, ['/bin/sh', '-c', script], { stdout: out, stderr: out, ...more });
  expect((await h.until('exited', run)).exit).toEqual({ kind: 'code', code: 0 });
  return readFileSync(out, 'utf8').trim().split('\n');
}

const ways: [string, Force | undefined, boolean][] = [
  ['with cgroups', undefined, whyNoCgroups !== null],
  ['without cgroups', 'session', false],
  ['without koffi', 'proc', false],
];

for (const [way, force, skipped] of ways)
  describe.skipIf(skipped)(way, () => {
    test('umask, nice and limits, soft and hard, are the program’s own at its first instruction', async () => {
      const nice = Math.min(19, getPriority() + 3);
      const lines = await see(
        hands(force),
        'umask; nice; ulimit -Sn; ulimit -Hn; ulimit -Sc; ulimit -Hc; ulimit -St',
        {
          umask: 0o027,
          nice,
          ...limited({ nofile: 123, core: 0, cpu: 77 }),
        },
      );
      expect(lines).toEqual(['0027', String(nice), '123', '123', '0', '0', '77']);
    });

    // The kernel puts it back at the very end of exec, which was over for the daemon in every second start.
    test('the limit of the stack is there in each of many starts', async () => {
      const h = hands(force);
      const outs = Array.from({ length: 40 }, (_, at) => join(h.folder, `out-${at}`));
      const runs = outs.map((stdout, at) =>
        h.spawn(at + 1, ['/bin/sh', '-c', 'echo $(ulimit -Ss) $(ulimit -Hs)'], {
          stdout,
          ...limited({ stack: 4 * 1024 * 1024 }),
        }),
      );
      for (const run of runs) await h.until('exited', run);
      expect(new Set(outs.map((out) => readFileSync(out, 'utf8')))).toEqual(new Set(['4096 4096\n']));
    });

    test('a limit may be lifted as far as it goes', async () => {
      const lines = await see(hands(force), 'ulimit -Sc; ulimit -Hc', limited({ core: null }));
      expect(lines).toEqual(['unlimited', 'unlimited']);
    });

    test('a limit that cannot be set is told at once, with its name, and nothing of the start is left', () => {
      const h = hands(force);
      const before = readdirSync('/proc/self/fd').length;
      h.happened.length = 0;
      h.spawn(1, ['touch', join(h.folder, 'ran')], limited({ nofile: 999_999_999_999 }));
      expect(h.happened).toEqual([
        {
          kind: 'spawnFailed',
          run: 1,
          stage: 'limits',
          message: expect.stringMatching(/^cannot set nofile to 999999999999: .*not permitted/i),
        },
      ]);
      expect(readdirSync('/proc/self/fd')).toHaveLength(before);
      expect(readdirSync(h.folder)).not.toContain('ran');
    });

    test('a program that does not exist, or may not be run, is told at once, as ever', async () => {
      const h = hands(force);
      const plain = join(h.folder, 'plain');
      writeFileSync(plain, 'text');
      const script = join(h.folder, 'script');
      writeFileSync(script, '#!/no/such/interpreter\n');
      chmodSync(script, 0o755);
      for (const [command, message] of [
        ['wroker', 'cannot find the program "wroker" in PATH'],
        ['/no/worker', 'cannot find the program /no/worker'],
        ['./plain', `${plain} is not executable`],
        [h.folder, `${h.folder} is not executable`],
        ['./script', `cannot start ${script}: the interpreter that its first line names does not exist`],
      ] as const) {
        h.happened.length = 0;
        h.spawn(1, [command], { umask: 0 });
        expect(h.happened).toEqual([{ kind: 'spawnFailed', run: 1, stage: 'exec', message }]);
      }
      h.happened.length = 0;
      h.spawn(1, ['true'], { umask: 0, directory: '/no/folder' });
      const failed = await h.until('spawnFailed', toRun(1));
      expect(failed).toMatchObject({ stage: 'directory', message: 'directory /no/folder does not exist' });
    });

    test('a script without a first line is a shell’s', async () => {
      const h = hands(force);
      const script = join(h.folder, 'script');
      writeFileSync(script, 'echo "$1"; umask');
      chmodSync(script, 0o755);
      expect(await see(h, 'exec "$0" "a b"', { command: [script, 'a b'], umask: 0o77 } as never)).toEqual([
        'a b',
        '0077',
      ]);
    });

    test('the environment and the arguments are what they were, whatever a shell thinks of them', async () => {
      const h = hands(force);
      const out = join(h.folder, 'out');
      const environment = {
        'dotted.name': 'a b',
        'BASH_FUNC_f%%': '() { echo f; }',
        IFS: ',',
        OPTIND: '5',
        PPID: '7',
        PWD: "/it's\nelsewhere",
        SHLVL: '41',
        _gate: 'mine',
        EMPTY: '',
        TEXT: '$(echo no) `echo no` "\'\\',
      };
      const args = ['', ' ', '$HOME', '-n', "it's", 'a\nb', '*'];
      const program = 'console.log(JSON.stringify([process.env, process.argv.slice(1)]))';
      const run = h.spawn(1, [process.execPath, '-e', program, '--', ...args], {
        environment,
        stdout: out,
        umask: 0,
      });
      await h.until('exited', run);
      const [seen, seenArgs] = JSON.parse(readFileSync(out, 'utf8'));
      for (const [name, value] of Object.entries(environment).filter(([name]) => name !== '_gate'))
        expect(seen[name], name).toBe(value);
      const added = Object.keys(seen).filter(
        (name) => !(name in environment) && !(name in leaks.environment),
      );
      expect(added.sort().filter((name) => name !== '_')).toEqual([
        ...(force === 'proc' ? [] : ['NOTIFY_SOCKET']),
        'PATH',
        'TSUP_VISOR_MARK',
        'TSUP_VISOR_NOTIFY_FD',
      ]);
      expect(seenArgs).toEqual(args);
    });

    test('a PATH that has nothing but the program is enough', async () => {
      const h = hands(force);
      const program = join(h.folder, 'program');
      writeFileSync(program, '#!/bin/sh\nexit 7\n');
      chmodSync(program, 0o755);
      const run = h.spawn(1, ['program'], { environment: { PATH: h.folder, 'dotted.name': 'a' }, umask: 0 });
      expect(await h.until('exited', run)).toMatchObject({ exit: { kind: 'code', code: 7 } });
    });

    test('the program has no descriptor more than without', async () => {
      const straight = await see(hands(force === 'proc' ? 'proc' : 'session'), 'ls /proc/self/fd', {});
      expect(await see(hands(force), 'ls /proc/self/fd', { umask: 0 })).toEqual(straight);
    });
  });

test('a machine without a shell has no gate, which is said, and no cgroups either', () => {
  expect(whyNoGate()).toBeNull();
  expect(whyNoGate('/no/sh')).toEqual({
    stage: 'exec',
    message: 'cannot set its umask, nice or limits without /no/sh: no such file or directory',
  });
  expect(openCgroups('/run/nobody', '/no/sh')).toBeNull();
});

test('what needs no gate has none', () => {
  const nothing = { umask: null, nice: null, limits: NO_LIMITS };
  expect(needsGate(nothing, null)).toBe(false);
  expect(needsGate({ ...nothing, umask: process.umask(), nice: getPriority() }, null)).toBe(false);
  expect(needsGate({ ...nothing, umask: process.umask() ^ 1 }, null)).toBe(true);
  expect(needsGate({ ...nothing, nice: getPriority() + 1 }, null)).toBe(true);
  expect(needsGate({ ...nothing, ...limited({ core: 0 }) }, null)).toBe(true);
});

const libc = loadLibc();
describe.skipIf(libc === null)('the gate', () => {
  test('stays shut when the daemon dies: the program never begins', async () => {
    if (libc === null) return;
    const pipe = libc.makePipe();
    if ('errno' in pipe) throw new Error('no pipe');
    const folder = mkdtempSync(join(tmpdir(), 'gate-'));
    const shell = gated('touch', [join(folder, 'ran')], { PATH: process.env.PATH ?? '' }, { umask: null });
    const begun = libc.spawnLeader({
      path: SHELL,
      args: shell.args,
      directory: '/',
      environment: Object.entries({ ...shell.environment, ...leaks.environment }).map((pair) =>
        pair.join('='),
      ),
      stdout: null,
      stderr: null,
      notify: null,
      gate: pipe.read,
      asRealUser: false,
    });
    if (!('pid' in begun)) throw new Error('not begun');
    closeSync(pipe.read);
    closeSync(pipe.write);
    const ended = async () => {
      for (;;) {
        const exit = libc.collect(begun.pid);
        if (exit !== null) return exit;
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    };
    expect(await within('the end of the shell', ended())).toEqual({ kind: 'code', code: GATE_SHUT });
    expect(readdirSync(folder)).toEqual([]);
    rmSync(folder, { recursive: true });
  });

  const nobody: Credentials = {
    uid: 65534,
    gid: 65534,
    groups: [65534],
    name: 'nobody',
    home: '/',
    shell: '/bin/sh',
  };

  test.skipIf(process.getuid?.() !== 0)('works for another user too: limits, nice and umask', async () => {
    const nice = Math.max(-20, getPriority() - 1);
    const lines = await see(hands(), 'id -u; umask; nice; ulimit -Hn', {
      credentials: nobody,
      directory: '/',
      umask: 0o77,
      nice,
      ...limited({ nofile: 99 }),
    });
    expect(lines).toEqual(['65534', '0077', String(nice), '99']);
  });

  test('a nice value that the system does not take is told with its stage', () => {
    const h = hands('session');
    h.spawn(1, ['true'], { nice: 99 });
    expect(h.happened).toMatchObject([{ kind: 'spawnFailed', stage: 'nice' }]);
  });

  test.skipIf(whyNoCgroups !== null)('a group that cannot be entered is told with its stage', () => {
    const h = hands();
    const home = homeOf(h.folder);
    writeFileSync(`${home}/cgroup.max.descendants`, '0');
    h.spawn(1, ['true']);
    expect(h.happened).toMatchObject([{ kind: 'spawnFailed', stage: 'cgroup' }]);
  });
});

test.each([
  [
    'memoryMax',
    1_000_000,
    'memory_max needs the memory controller of cgroup v2, which is not available here',
  ],
  ['cpuMax', 1.5, 'cpu_max needs the cpu controller of cgroup v2, which is not available here'],
])('%s is refused where there are no cgroups', (name, value, message) => {
  const h = hands('session');
  h.spawn(1, ['true'], { limits: { ...NO_LIMITS, [name]: value } });
  expect(h.happened).toEqual([{ kind: 'spawnFailed', run: 1, stage: 'limits', message }]);
});
