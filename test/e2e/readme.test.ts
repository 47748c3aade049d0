/** What the README gives the author of a worker to copy is taken from there, and works. */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { EXIT } from '../../src/runner/index.ts';
import { ROOT } from './build.ts';
import { endMarked } from './processes.ts';
import { until } from './until.ts';
import { createWorld } from './world.ts';

const README = readFileSync(join(ROOT, 'README.md'), 'utf8');
const SECTION = README.split('\n## For the author of a worker\n')[1]?.split(/\n##+ /)[0] ?? '';

let dir: string;
let worker: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'tv-readme-'));
  install();
  worker = write('worker.mjs');
});
afterEach(async () => {
  await endMarked(`TV_TEST=${dir}`);
  rmSync(dir, { recursive: true, force: true });
});

/** Where the worker finds the package, as after `npm install`. */
function install(): void {
  mkdirSync(join(dir, 'node_modules/@types'), { recursive: true });
  symlinkSync(ROOT, join(dir, 'node_modules/tsup-visor'));
  symlinkSync(join(ROOT, 'node_modules/@types/node'), join(dir, 'node_modules/@types/node'));
}

/** The worker of the README. */
function write(name: string): string {
  writeFileSync(join(dir, name), /```js\n([\s\S]*?)```/.exec(SECTION)?.[1] ?? '');
  return join(dir, name);
}

/** The numbers of the jobs that are done, in their order. */
const done = (text: string): number[] =>
  [...text.matchAll(/job (\d+) is done/g)].map(([, n]) => Number(n)).sort((a, b) => a - b);

it('the worker finishes what it has begun when its whole group is signalled, twice', async () => {
  const child = spawn(process.execPath, [worker], {
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, TV_TEST: dir },
  });
  const exit = once(child, 'close');
  const said = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const)
    child[name].on('data', (chunk: Buffer) => {
      said[name] += String(chunk);
    });
  await until('the first job is done', () => done(said.stdout).length > 0);
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.kill(-(child.pid ?? 0), signal);
  expect((await exit)[0]).toBe(EXIT.drained);
  const numbers = done(said.stdout);
  expect(numbers.length).toBeGreaterThan(1); // those that were under way
  expect(numbers).toEqual(numbers.map((_, n) => n + 1));
  expect(said.stderr).toBe('');
});

it('the worker is restarted by the supervisor without a word from it', async (test) => {
  const world = createWorld();
  test.onTestFinished(() => world.close());
  world.configure({
    worker: {
      command: [process.execPath, worker],
      ready: { when: 'notify' },
      backoff: 'none',
      rollout: { min_healthy_time: '0s' },
    },
  });
  await world.succeed('start');
  await world.see('two jobs are under way', ({ instances }) => (instances[0]?.in_flight ?? 0) >= 2);
  await world.succeed('rolling-restart', 'worker');
  const { stdout } = await world.succeed('logs', 'worker', '-n', '1000');
  await world.succeed('shutdown');
  expect(world.left()).toEqual([]);
  expect(stdout).not.toContain('failed');
  expect(done(stdout).length).toBeGreaterThanOrEqual(2);
});

it('the worker is right for the compiler, in its strictest mood', () => {
  const paths = { 'tsup-visor/runner': [join(ROOT, 'src/runner/index.ts')] };
  const options = { ...JSON.parse(readFileSync(join(ROOT, 'tsconfig.json'), 'utf8')).compilerOptions, paths };
  write('worker.mts');
  writeFileSync(
    join(dir, 'tsconfig.json'),
    JSON.stringify({ compilerOptions: { ...options, rootDir: '/' }, include: ['worker.mts'] }),
  );
  const tsc = join(ROOT, 'node_modules/.bin/tsc');
  expect(() => execFileSync(tsc, ['-p', dir], { encoding: 'utf8' })).not.toThrow();
});

it('the exit codes are those of the code', () => {
  const column = SECTION.split('\n').flatMap((line) => /^\|.*\|.*\| (\d.*) \|$/.exec(line)?.[1] ?? []);
  const codes = column.flatMap((text) => [...text.matchAll(/\b\d+\b/g)].map(([code]) => Number(code)));
  expect(codes).toEqual([EXIT.drained, EXIT.hookFailed, EXIT.cancelled, EXIT.forced]);
});
