/** A start either gives a leader in a session of its own, or one sentence that says what could not be done. */
import { chmodSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { useLeakCheck } from '../rig/leaks.ts';
import { useHands } from './hands.ts';

const leaks = useLeakCheck();
const hands = useHands(leaks);

test('the leader leads a session and a group of its own', async () => {
  const h = hands();
  const run = h.fixture(1, 'ignores-term');
  const pid = h.pid(run);
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  expect(
    stat
      .slice(stat.lastIndexOf(')') + 2)
      .split(' ', 4)
      .slice(2),
  ).toEqual([String(pid), String(pid)]);
  await h.end(run);
});

test('a good start is told within the call', async () => {
  const h = hands();
  const run = h.fixture(1, 'dies-at-once');
  expect(h.happened).toEqual([{ kind: 'spawned', run, pid: h.pid(run) }]);
  expect((await h.until('exited', run)).exit).toEqual({ kind: 'code', code: 7 });
});

test('a start that fails says why, names the thing, and leaves no descriptor', async () => {
  const h = hands();
  const plain = join(h.folder, 'plain');
  writeFileSync(plain, 'text');
  const script = join(h.folder, 'script');
  writeFileSync(script, '#!/no/such/interpreter\n');
  chmodSync(script, 0o755);
  const failures: [string, string, () => void][] = [
    ['exec', 'cannot find the program "wroker" in PATH', () => h.spawn(1, ['wroker'])],
    ['exec', 'cannot find the program /no/worker', () => h.spawn(1, ['/no/worker'])],
    ['exec', `${plain} is not executable`, () => h.spawn(1, ['./plain'])],
    [
      'exec',
      `cannot start ${script}: the interpreter that its first line names does not exist`,
      () => h.spawn(1, ['./script']),
    ],
    [
      'directory',
      'directory /no/folder does not exist',
      () => h.spawn(1, ['ls'], { directory: '/no/folder' }),
    ],
    ['directory', `directory ${plain} is not a directory`, () => h.spawn(1, ['ls'], { directory: plain })],
    [
      'exec',
      'cannot start ls: its arguments and environment are too large',
      () => h.spawn(1, ['ls'], { environment: { BIG: 'x'.repeat(3_000_000) } }),
    ],
    [
      'log',
      `cannot open the log file ${plain}/log: not a directory`,
      () => h.spawn(1, ['ls'], { stdout: `${plain}/log` }),
    ],
  ];
  const before = readdirSync('/proc/self/fd').length;
  for (const [stage, message, start] of failures) {
    h.happened.length = 0;
    start();
    const failure = await h.until('spawnFailed', 1 as never); // the number of all these runs
    expect(failure).toEqual({ kind: 'spawnFailed', run: 1, stage, message });
    expect(h.happened).toHaveLength(1);
  }
  expect(readdirSync('/proc/self/fd')).toHaveLength(before);
  expect(readdirSync(join(h.folder, 'notify'))).toEqual([]);
});

test('a zero byte in the environment is a failed start, not an exception', async () => {
  const h = hands();
  const run = h.spawn(1, ['ls'], { environment: { A: 'x\0y' } });
  expect((await h.until('spawnFailed', run)).stage).toBe('exec');
});

test('equal paths share one file, which is appended to, and a removed folder is made again', async () => {
  const h = hands();
  const log = join(h.folder, 'logs', 'worker.log');
  const say = ['bash', '-c', 'echo out; echo err >&2'];
  await h.until('exited', h.spawn(1, say, { stdout: log, stderr: log }));
  expect(readFileSync(log, 'utf8')).toBe('out\nerr\n');
  await h.until('exited', h.spawn(2, say, { stdout: log }));
  expect(readFileSync(log, 'utf8')).toBe('out\nerr\nout\n');
  rmSync(join(h.folder, 'logs'), { recursive: true });
  await h.until('exited', h.spawn(3, say, { stderr: log }));
  expect(readFileSync(log, 'utf8')).toBe('err\n');
});

test('a removed run folder is made again', async () => {
  const h = hands();
  rmSync(h.folder, { recursive: true });
  mkdirSync(h.folder);
  const run = h.fixture(1, 'last-words');
  await h.until('exited', run);
  expect(h.happened).toHaveLength(5);
});

test('a hundred lives leave the descriptors and the memory as they were', async () => {
  const h = hands();
  const live = async (from: number, to: number) => {
    for (let n = from; n < to; n++) {
      const run = h.spawn(n, ['true']);
      await h.until('exited', run);
      h.processes.forget(run);
      h.happened.length = 0;
    }
    await new Promise((resolve) => setImmediate(resolve));
    return { descriptors: readdirSync('/proc/self/fd').length, heap: process.memoryUsage().heapUsed };
  };
  const before = await live(0, 50);
  const after = await live(50, 150);
  expect(after.descriptors).toBe(before.descriptors);
  expect(after.heap - before.heap).toBeLessThan(20_000_000); // no collection is forced: only a gross leak shows
});
