/** Orphans are taken note of, all of them and soon, and nobody's exit status is lost by it. */
import { type ChildProcess, execFile, execFileSync, spawn } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { loadLibc } from '../../src/os/libc.ts';
import { createReaper } from '../../src/os/reaper.ts';
import { bundle } from '../rig/bundle.ts';
import { useLeakCheck } from '../rig/leaks.ts';
import { within } from '../rig/within.ts';
import { useHands } from './hands.ts';

const leaks = useLeakCheck();
const hands = useHands(leaks);

const until = (what: string, fits: () => boolean): Promise<void> =>
  within(
    what,
    (async () => {
      while (!fits()) await new Promise((resolve) => setTimeout(resolve, 2));
    })(),
  );

/** A child of Node's, and not of the hands. */
const start = (script: string, detached = true): ChildProcess =>
  spawn('bash', ['-c', script], { detached, stdio: 'ignore', env: { ...process.env, ...leaks.environment } });

const exitOf = (child: ChildProcess): Promise<number | null> =>
  within('an exit', new Promise((resolve) => child.once('exit', (code) => resolve(code))));

const orphans = (count: number, script = 'exec sleep 1000') =>
  `for ((i = 0; i < ${count}; i++)); do (setsid bash -c '${script}' &); done`;

test('two hundred orphans that end at once are all reaped, among leaders that end and leaders that do not', async () => {
  const h = hands('session');
  const living = h.spawn(1, ['sleep', '1000']);
  const run = h.spawn(2, ['bash', '-c', `${orphans(200)}; exit 5`]);
  expect((await h.until('exited', run)).exit).toEqual({ kind: 'code', code: 5 });
  await h.empty(run);
  await until('the zombies to go', () => leaks.zombies() === 0);
  await h.end(living);
});

test('an orphan that leads a session is reaped in the turn that hears of its end', async () => {
  const h = hands('session');
  const libc = loadLibc();
  const run = h.spawn(1, [
    'bash',
    '-c',
    `${orphans(1, 'echo STATUS=$$ >&3; exec sleep 1000')}; exec sleep 1000`,
  ]);
  const orphan = await h.child(run);
  await until('the orphan to come to us', () => libc?.childState(orphan) === 'alive');
  const heard = within('SIGCHLD', new Promise((resolve) => process.once('SIGCHLD', resolve)));
  process.kill(orphan, 'SIGKILL');
  await heard;
  await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
  expect(libc?.childState(orphan)).toBe('none');
  await h.end(run);
});

test('an orphan in our own session is reaped as well', async () => {
  hands('session');
  const libc = loadLibc();
  const child = start('sleep 1000 & echo $! > /dev/null; sleep 1000 & exit 4', false);
  expect(await exitOf(child)).toBe(4);
  const left = () => leaks.processes().map((line) => Number(line.split(' ')[1]));
  await until('the orphans to come to us', () => left().length === 2);
  for (const pid of left()) process.kill(pid, 'SIGKILL');
  // One that is killed is no zombie yet.
  await until('the zombies to go', () => left().length === 0 && leaks.zombies() === 0);
  expect(libc?.deadChild()).toBe(0);
});

test('every exit status reaches whoever waits for it, while orphans end', async () => {
  const h = hands('session');
  const storm = h.spawn(1, [
    'bash',
    '-c',
    `${orphans(100, 'read -t 0.$((RANDOM % 5)) < /dev/null')}; exec sleep 1000`,
  ]);
  const children = Array.from({ length: 40 }, (_, i) => exitOf(start(`exit ${i}`, i % 2 === 0)));
  const commands = Array.from(
    { length: 20 },
    (_, i) =>
      new Promise((resolve) => {
        h.processes.execute(
          {
            id: 'worker:0' as Parameters<typeof h.processes.execute>[0]['id'], // any will do
            command: ['bash', '-c', `exit ${i}`],
            directory: h.folder,
            environment: { PATH: process.env.PATH ?? '', ...leaks.environment },
            credentials: null,
            umask: null,
            timeoutMs: 10_000,
          },
          ({ detail }) => resolve(detail),
        );
      }),
  );
  const runs = Array.from({ length: 20 }, (_, i) => h.spawn(100 + i, ['bash', '-c', `exit ${i}`]));
  expect(await Promise.all(children)).toEqual(children.map((_, i) => i));
  expect(await Promise.all(commands)).toEqual(commands.map((_, i) => `exited with code ${i}`));
  for (const [i, run] of runs.entries())
    expect((await h.until('exited', run)).exit).toEqual({ kind: 'code', code: i });
  await h.end(storm);
  await until('the zombies to go', () => leaks.zombies() === 0);
});

test('a zombie that was there before is reaped, and hides nobody', async ({ skip }) => {
  const libc = loadLibc();
  if (libc === null) return skip('without koffi orphans do not come to us');
  expect(libc.becomeSubreaper()).toBe(true);
  const child = start('(setsid sleep 0.05 &); exit 3');
  expect(await exitOf(child)).toBe(3);
  await until('a zombie that nobody waits for', () => libc.deadChild() !== 0);
  const reaper = createReaper(libc, () => {});
  await until('the zombie to go', () => libc.deadChild() === 0);
  reaper.close();
});

test('as PID 1 it reaps strangers, hears signals, and loses no exit status', async ({ skip }) => {
  try {
    execFileSync('unshare', ['--pid', '--fork', '--mount-proc', 'true'], { stdio: 'ignore' });
  } catch {
    return skip('a PID namespace needs unshare(1) and the right to use it');
  }
  const file = await bundle('test/rig/pid-one.ts');
  const { stdout, stderr } = await promisify(execFile)(
    'unshare',
    ['--pid', '--fork', '--mount-proc', '--kill-child=KILL', process.execPath, file],
    { timeout: 20_000, env: { ...process.env, ...leaks.environment } },
  );
  expect(stderr).toBe('');
  expect(JSON.parse(stdout)).toEqual({
    pid: 1,
    exits: [{ run: 1, exit: { kind: 'code', code: 3 } }],
    codes: [7, 8, null],
    command: { ok: true, detail: 'exited with code 0' },
    failing: { ok: false, detail: 'exited with code 9: why' },
    clean: true,
    term: true,
    tree: 0,
  });
});
