/** `logs`: what the instances wrote, read from their files. */
import { appendFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { run } from '../../src/cli/command-line.ts';
import { EXIT } from '../../src/protocol/errors.ts';
import { type FakeDaemon, fakeDaemon } from './fake-daemon.ts';
import { command, terminal } from './terminal.ts';

let daemon: FakeDaemon;
const script: Record<string, object> = {};

beforeEach(async () => {
  daemon = await fakeDaemon(script);
});
afterEach(() => daemon.close());

interface File {
  readonly instance: string;
  readonly stream: 'stdout' | 'stderr' | 'merged';
  readonly text?: string;
}

/** Writes the files and tells the daemon of them; gives back their paths. */
function logFiles(files: readonly File[]): string[] {
  const paths = files.map(({ instance, stream }) => join(daemon.folder, `${instance}.${stream}`));
  script['GET /v1/logs'] = {
    version: 1,
    files: files.map(({ instance, stream }, at) => ({ instance, stream, path: paths[at] })),
  };
  for (const [at, { text }] of files.entries()) {
    if (text !== undefined) writeFileSync(paths[at] ?? '', text);
  }
  return paths;
}

const logs = (...argv: string[]) => command(['--socket', daemon.socket, 'logs', ...argv]);

test('one instance is shown as it wrote, the last ten lines of it', async () => {
  const rows = Array.from({ length: 12 }, (_, at) => `line ${at}`);
  logFiles([{ instance: 'worker:0', stream: 'merged', text: `${rows.join('\n')}\n` }]);
  expect(await logs('worker:0')).toEqual({ exit: EXIT.done, out: `${rows.slice(2).join('\n')}\n`, err: '' });
  expect((await logs('worker:0', '-n', '1')).out).toBe('line 11\n');
  expect((await logs('worker:0', '-n', '0')).out).toBe('');
});

test('several are shown each with its name', async () => {
  logFiles([
    { instance: 'worker:0', stream: 'merged', text: 'a\nb\n' },
    { instance: 'mail:0', stream: 'merged', text: 'c' },
    { instance: 'quiet:0', stream: 'merged' },
  ]);
  expect((await logs()).out).toBe('worker:0 | a\nworker:0 | b\nmail:0   | c\n');
});

test('--stderr shows the other file, or the one that both go to', async () => {
  logFiles([
    { instance: 'a:0', stream: 'stdout', text: 'out\n' },
    { instance: 'a:0', stream: 'stderr', text: 'err\n' },
    { instance: 'b:0', stream: 'merged', text: 'both\n' },
  ]);
  expect((await logs()).out).toBe('a:0 | out\nb:0 | both\n');
  expect((await logs('--stderr')).out).toBe('a:0 | err\nb:0 | both\n');
});

test('lines longer than a block of the file are whole', async () => {
  const long = 'x'.repeat(200_000);
  logFiles([{ instance: 'worker:0', stream: 'merged', text: `first\n${long}\nlast\n` }]);
  expect((await logs('-n', '2')).out).toBe(`${long}\nlast\n`);
});

test('an instance that keeps no logs is a refusal', async () => {
  script['GET /v1/logs'] = { version: 1, files: [{ instance: 'a:0', stream: 'merged', path: null }] };
  const result = await logs();
  expect(result).toMatchObject({ exit: EXIT.failed, out: '' });
  expect(result.err).toContain('keep none');
});

test('-f shows what is added, in whole lines, also after the file was replaced, until Ctrl-C', async () => {
  const [path = ''] = logFiles([{ instance: 'worker:0', stream: 'merged', text: 'old\n' }]);
  const there = terminal();
  const ended = run(['--socket', daemon.socket, 'logs', '-f'], there.io);
  const shows = (text: string) => vi.waitFor(() => expect(there.out()).toBe(text), { timeout: 5000 });
  await shows('old\n');
  appendFileSync(path, 'new\nha');
  await shows('old\nnew\n');
  appendFileSync(path, 'lf\n');
  await shows('old\nnew\nhalf\n');
  renameSync(path, `${path}.1`);
  writeFileSync(path, 'fresh\n');
  await shows('old\nnew\nhalf\nfresh\n');
  there.interrupt();
  expect(await ended).toBe(EXIT.interrupted);
});

test('where no daemon answers it is said where the files are', async () => {
  writeFileSync(
    join(daemon.folder, 'supervisor.yaml'),
    'supervisor: { name: test, run_dir: gone, log_dir: written }\nprograms: { worker: { command: node worker.js } }\n',
  );
  const { exit, err } = await command(['logs'], { cwd: daemon.folder });
  expect(exit).toBe(EXIT.noDaemon);
  expect(err).toContain(`what was written is in ${daemon.folder}/written`);
});
