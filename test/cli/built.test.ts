/** The built command as a process of its own. */
import { execFile, spawn } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { EXIT } from '../../src/protocol/errors.ts';
import { type FakeDaemon, fakeDaemon } from './fake-daemon.ts';
import { instance, status } from './samples.ts';

const BIN = fileURLToPath(new URL('../../bin/tsup-visor.js', import.meta.url));

let daemon: FakeDaemon;

beforeEach(async () => {
  const many = Array.from({ length: 5000 }, (_, index) => instance({ id: `worker:${index}`, index }));
  daemon = await fakeDaemon({ 'GET /v1/status': status(many) });
});
afterEach(() => daemon.close());

const call = (bin: string, ...argv: string[]) =>
  new Promise<{ exit: number; out: string; err: string }>((resolve) => {
    const child = execFile(process.execPath, [bin, ...argv], { maxBuffer: 2 ** 26 }, (_, out, err) =>
      resolve({ exit: child.exitCode ?? -1, out, err }),
    );
  });

test('a long answer arrives whole through a pipe', async () => {
  const { exit, out, err } = await call(BIN, '--socket', daemon.socket, '--json', 'status');
  expect({ exit, err }).toEqual({ exit: EXIT.done, err: '' });
  expect(JSON.parse(out).instances).toHaveLength(5000);
});

test('a reader that goes away ends the command quietly', async () => {
  const child = spawn(process.execPath, [BIN, '--socket', daemon.socket, 'status'], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let err = '';
  child.stderr.on('data', (part) => {
    err += part;
  });
  child.stdout.destroy();
  const exit = await new Promise((resolve) => child.on('close', resolve));
  expect({ exit, err }).toEqual({ exit: EXIT.done, err: '' });
});

test('the exit code is the command’s', async () => {
  expect(await call(BIN, '--socket', '/nonexistent/socket', 'status')).toMatchObject({ exit: EXIT.noDaemon });
  expect(await call(BIN, 'no-such-command')).toMatchObject({ exit: EXIT.usage, out: '' });
  expect((await call(BIN, '--version')).out).toMatch(/^tsup-visor \d+\.\d+\.\d+\n$/);
});

test('a checkout that was not built says so', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'tsup-visor-cli-'));
  try {
    mkdirSync(join(folder, 'bin'));
    cpSync(join(BIN, '..'), join(folder, 'bin'), { recursive: true });
    const result = await call(join(folder, 'bin', 'tsup-visor.js'), 'status');
    expect(result).toEqual({
      exit: EXIT.failed,
      out: '',
      err: 'tsup-visor: not built yet; run "npm run build" in its folder first\n',
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
