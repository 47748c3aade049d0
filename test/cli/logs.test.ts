/** `logs`: what the instances wrote, read from their files. */
import { appendFileSync, mkdirSync, renameSync, writeFileSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
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
  readonly text?: string | Buffer;
  readonly format?: 'raw' | 'timestamps' | 'json';
}

/** Writes the files and tells the daemon of them; gives back their paths. */
function logFiles(files: readonly File[]): string[] {
  const paths = files.map(({ instance, stream }) => join(daemon.folder, `${instance}.${stream}`));
  script['GET /v1/logs'] = {
    version: 1,
    files: files.map(({ instance, stream, format }, at) => ({ instance, stream, path: paths[at], format })),
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

const CONFIG = `supervisor: { name: test, run_dir: gone, log_dir: written }
groups: { some: [worker] }
programs:
  worker: { command: node worker.js }
  mail: { command: node mail.js, logs: { stderr: default, timestamps: true } }
`;

test('where no daemon answers, the files that the config means are read', async () => {
  writeFileSync(join(daemon.folder, 'supervisor.yaml'), CONFIG);
  mkdirSync(join(daemon.folder, 'written'));
  writeFileSync(join(daemon.folder, 'written/worker-0.log'), 'a\n');
  writeFileSync(join(daemon.folder, 'written/worker-3.log'), 'of one that was scaled away\n');
  writeFileSync(join(daemon.folder, 'written/worker-3.log.1'), 'before\n');
  writeFileSync(join(daemon.folder, 'written/mail-0.err.log'), 'no\n');
  const offline = (...argv: string[]) => command(['logs', ...argv], { cwd: daemon.folder });
  const some = await offline('@some');
  expect(some.exit).toBe(EXIT.done);
  expect(some.out).toContain('worker:0 | a\n');
  expect(some.out).toContain('worker:3 | before\nworker:3 | of one that was scaled away\n');
  expect(some.err).toContain('this is what was written before');
  expect((await offline('wor*:0')).out).toBe('a\n');
  expect((await offline('mail', '--stderr')).out).toBe('no\n');
  writeFileSync(join(daemon.folder, 'written/daemon.log'), 'its own\n');
  expect((await offline('--daemon')).out).toBe('its own\n');
  expect(await offline('nobody')).toMatchObject({ exit: EXIT.usage });
});

test('where no daemon answers and nothing was written, it is said where the files would be', async () => {
  writeFileSync(join(daemon.folder, 'supervisor.yaml'), CONFIG);
  const { exit, err } = await command(['logs'], { cwd: daemon.folder });
  expect(exit).toBe(EXIT.noDaemon);
  expect(err).toContain(`what was written is in ${daemon.folder}/written`);
});

const at = (second: number): string => new Date(Date.UTC(2026, 0, 31, 14, 0, second)).toISOString();
const json = (second: number, stream: string, message: string, more = {}): string =>
  `${JSON.stringify({ time: at(second), instance: 'a:0', run: 17, stream, message, ...more })}\n`;

test('several are merged by time, whoever wrote it down', async () => {
  logFiles([
    {
      instance: 'a:0',
      stream: 'merged',
      format: 'timestamps',
      text: `${at(1)} one\n${at(4)} four\n  at x.js\n`,
    },
    {
      instance: 'b:0',
      stream: 'merged',
      format: 'json',
      text: json(2, 'stdout', 'two') + json(5, 'stderr', 'five'),
    },
    { instance: 'c:0', stream: 'merged', text: `{"level":30,"time":${Date.parse(at(3))},"msg":"three"}\n` },
  ]);
  expect((await logs()).out.split('\n')).toEqual([
    `a:0 | ${at(1)} one`,
    `b:0 | ${at(2)} two`,
    `c:0 | {"level":30,"time":${Date.parse(at(3))},"msg":"three"}`,
    `a:0 | ${at(4)} four`,
    'a:0 |   at x.js',
    `b:0 | ${at(5)} five`,
    '',
  ]);
});

test('--json tells of each line what is known of it', async () => {
  logFiles([
    { instance: 'a:0', stream: 'merged', format: 'json', text: json(1, 'stderr', 'half', { partial: true }) },
    { instance: 'b:0', stream: 'stdout', format: 'timestamps', text: `${at(2)} text\n` },
    { instance: 'c:0', stream: 'stdout', text: Buffer.from('plain \x1b[31m\xff\n', 'latin1') },
  ]);
  const { out } = await logs('--json');
  expect(
    out
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line))
      .sort((a, b) => (a.instance < b.instance ? -1 : 1)),
  ).toEqual([
    { time: at(1), instance: 'a:0', run: 17, stream: 'stderr', line: 'half', partial: true },
    { time: at(2), instance: 'b:0', stream: 'stdout', line: 'text' },
    { instance: 'c:0', stream: 'stdout', line: 'plain \x1b[31m\ufffd' },
  ]);
});

test('--since and --until choose by time, all of it; -n the last of those', async () => {
  const text = [1, 2, 3, 4, 5].map((second) => `${at(second)} line ${second}\n`).join('');
  logFiles([{ instance: 'a:0', stream: 'merged', format: 'timestamps', text: `${text}  more\n` }]);
  const shown = async (...argv: string[]) => (await logs(...argv)).out.replace(/^\S+Z line /gm, '');
  expect(await shown('--since', at(4))).toBe('4\n5\n  more\n');
  expect(await shown('--since', at(2), '--until', at(3))).toBe('2\n3\n');
  expect(await shown('--until', at(4), '-n', '2')).toBe('3\n4\n');
  expect(await shown('--since', '5s')).toBe('');
  expect(await logs('-f', '--until', '5s')).toMatchObject({ exit: EXIT.usage });
  expect(await logs('--since', 'yore')).toMatchObject({ exit: EXIT.usage });
});

test('where no line says when it was written, it is said once that the files were chosen by their dates', async () => {
  logFiles([
    { instance: 'a:0', stream: 'merged', text: 'one\n' },
    { instance: 'b:0', stream: 'merged', text: 'two\n' },
  ]);
  const { out, err } = await logs('--since', '1h');
  expect(out.split('\n').sort()).toEqual(['', 'a:0 | one', 'b:0 | two']);
  expect(err.match(/timestamps: true/g)?.length).toBe(1);
});

test('--grep shows lines with a text or an expression, in what the program said', async () => {
  logFiles([
    {
      instance: 'a:0',
      stream: 'merged',
      format: 'json',
      text: json(1, 'stdout', 'an error') + json(2, 'stdout', 'stdout'),
    },
    {
      instance: 'b:0',
      stream: 'merged',
      format: 'timestamps',
      text: `${at(3)} Error: 1\r\n${at(4)} no error 12\n`,
    },
  ]);
  expect((await logs('--grep', 'error')).out).toBe(`a:0 | ${at(1)} an error\nb:0 | ${at(4)} no error 12\n`);
  expect((await logs('--grep', '/^Error: \\d$/')).out).toBe(`b:0 | ${at(3)} Error: 1\r\n`);
  expect((await logs('--grep', '/^an ERROR/i')).out).toBe(`a:0 | ${at(1)} an error\n`);
  expect((await logs('--grep', 'stdout')).out).toBe(`a:0 | ${at(2)} stdout\n`);
  expect(await logs('--grep', '/(/')).toMatchObject({ exit: EXIT.usage, out: '' });
});

test('an expression that takes for ever is given up', async () => {
  logFiles([{ instance: 'a:0', stream: 'merged', text: `${'a'.repeat(40)}!\n` }]);
  const { exit, err } = await logs('--grep', '/^(a+)+$/');
  expect(exit).toBe(EXIT.failed);
  expect(err).toContain('it takes too long');
});

test('--both shows both streams of an instance, without its name', async () => {
  logFiles([
    { instance: 'a:0', stream: 'stdout', format: 'timestamps', text: `${at(1)} out\n` },
    { instance: 'a:0', stream: 'stderr', format: 'timestamps', text: `${at(2)} err\n` },
  ]);
  expect((await logs('--both')).out).toBe(`${at(1)} out\n${at(2)} err\n`);
});

test('--stderr of what went to one file as JSON is what was said there', async () => {
  const text = json(1, 'stdout', 'out') + json(2, 'stderr', 'err');
  logFiles([{ instance: 'a:0', stream: 'merged', format: 'json', text }]);
  expect((await logs('--stderr')).out).toBe(`${at(2)} err\n`);
  expect((await logs()).out).toBe(`${at(1)} out\n${at(2)} err\n`);
});

test('on a terminal, lines of several keep their colours and nothing that reaches beyond them', async () => {
  const wild = '\x1b[31mred\x1b[2J\x1b]2;title\x07 10%\r20%\x1b[1A\x07\n';
  const files = [
    { instance: 'a:0', stream: 'merged' as const, text: wild },
    { instance: 'b:0', stream: 'merged' as const, text: '' },
  ];
  logFiles(files);
  const given = { terminal: { columns: 80, rows: 24 }, env: { NO_COLOR: '1' } };
  const there = await command(['--socket', daemon.socket, 'logs'], given);
  expect(there.out).toBe('a:0 | \x1b[31mred 10% 20% \x1b[0m\n');
  expect((await logs()).out).toBe(`a:0 | ${wild}`);
  logFiles(files.slice(0, 1));
  expect((await command(['--socket', daemon.socket, 'logs'], given)).out).toBe(wild);
});

test('what cannot be read is said, and the others are shown', async () => {
  const [path = ''] = logFiles([
    { instance: 'a:0', stream: 'merged' },
    { instance: 'b:0', stream: 'merged', text: 'b\n' },
  ]);
  mkdirSync(path);
  const { exit, out, err } = await logs();
  expect({ exit, out }).toEqual({ exit: EXIT.failed, out: 'b:0 | b\n' });
  expect(err).toContain(`cannot read ${path}: it is not a file`);
});

/** `logs -f` in this process, until Ctrl-C. */
function following(...argv: string[]) {
  const there = terminal();
  const ended = run(['--socket', daemon.socket, 'logs', '-f', ...argv], there.io);
  return {
    shows: (text: string) => vi.waitFor(() => expect(there.out()).toBe(text), { timeout: 10_000 }),
    async end() {
      there.interrupt();
      expect(await ended).toBe(EXIT.interrupted);
    },
  };
}

test('-f shows an instance that comes later, what it writes from now on, and goes on without the daemon', async () => {
  const [first = '', second = ''] = logFiles([
    { instance: 'worker:0', stream: 'merged', text: 'a\n' },
    { instance: 'worker:1', stream: 'merged', text: 'of an earlier life\n' },
  ]);
  const both = script['GET /v1/logs'];
  logFiles([{ instance: 'worker:0', stream: 'merged' }]);
  let tell = (_: object): void => {};
  script['GET /v1/events'] = (response: ServerResponse) => {
    response.writeHead(200, { 'content-type': 'application/x-ndjson' });
    response.write('\n');
    tell = (event) => void response.write(`${JSON.stringify(event)}\n`);
  };
  const follower = following('worker');
  const heard = daemon.got('GET /v1/events');
  await follower.shows('a\n');
  await heard;
  script['GET /v1/logs'] = both ?? {};
  appendFileSync(second, 'b\n');
  tell({
    version: 1,
    seq: 1,
    type: 'phase',
    instance: 'worker:1',
    program: 'worker',
    run: 2,
    from: 'idle',
    to: 'starting',
  });
  await follower.shows('a\nworker:1 | b\n');
  await daemon.die();
  appendFileSync(first, 'c\n');
  await follower.shows('a\nworker:1 | b\nworker:0 | c\n');
  await follower.end();
});

test('--daemon shows what the daemon itself has to say, and nothing of the others', async () => {
  logFiles([{ instance: 'worker:0', stream: 'merged', text: 'not this\n' }]);
  const path = join(daemon.folder, 'daemon.log');
  const own = { ...script['GET /v1/logs'], daemon: { path, format: 'timestamps' } };
  script['GET /v1/logs'] = own;
  const line = '2026-01-31T14:00:00.000Z warn the disk is full';
  writeFileSync(path, `${line}\n`);
  expect(await logs('--daemon')).toEqual({ exit: EXIT.done, out: `${line}\n`, err: '' });
  expect((await logs('--daemon', '--since', '2026-01-31T15:00:00Z')).out).toBe('');
  const { out } = await logs('--json', '--daemon');
  expect(JSON.parse(out)).toMatchObject({
    time: '2026-01-31T14:00:00.000Z',
    instance: 'daemon',
    line: 'warn the disk is full',
  });
  script['GET /v1/logs'] = { ...own, daemon: { path, format: 'json' } };
  const object = JSON.stringify({ time: '2026-01-31T14:00:00.000Z', level: 'info', message: 'a "b"' });
  writeFileSync(path, `${object}\n`);
  expect((await logs('--daemon')).out).toBe(`${object}\n`);
});

test('--daemon goes with no name, nor with a daemon that does not know of it', async () => {
  logFiles([{ instance: 'worker:0', stream: 'merged', text: 'not this\n' }]);
  expect(await logs('--daemon', 'worker')).toMatchObject({ exit: EXIT.usage, out: '' });
  const refused = await logs('--daemon');
  expect(refused).toMatchObject({ exit: EXIT.failed, out: '' });
  expect(refused.err).toContain('does not say where its log is');
});
