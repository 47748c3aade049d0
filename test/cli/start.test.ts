/** `start`: a daemon in the background where none runs. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { EXIT } from '../../src/protocol/errors.ts';
import { action } from './samples.ts';
import { command } from './terminal.ts';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tsup-visor-cli-'));
  writeFileSync(
    join(folder, 'supervisor.yaml'),
    'supervisor:\n  name: test\n  run_dir: .\nprograms:\n  worker:\n    command: node worker.js\n',
  );
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Runs `start` with a script in the daemon's place. */
function start(daemonText: string, ...argv: string[]) {
  const daemonProgram = join(folder, 'daemon.mjs');
  writeFileSync(daemonProgram, `import fs from 'node:fs';\n${daemonText}\n`);
  return command(['start', ...argv], {
    cwd: folder,
    daemonProgram,
    env: { REPLY: JSON.stringify(action()) },
  });
}

/** Serves until it was asked to start something, then ends. */
const serving = (before: string) => `
  import http from 'node:http';
  fs.writeFileSync(${JSON.stringify(join(folder, 'args'))}, JSON.stringify([process.cwd(), ...process.argv.slice(2)]));
  const server = http.createServer((request, response) => {
    response.end(process.env.REPLY);
    if (request.method === 'POST') server.close();
  });
  ${before}
`;

const socket = () => JSON.stringify(join(folder, 'control.sock'));

test('a daemon that reports that it is up is asked to start', async () => {
  const result = await start(
    serving(
      `server.listen(${socket()}, () => { fs.writeSync(3, '{"ok":true,"pid":1}\\n'); fs.closeSync(3); });`,
    ),
    'worker',
  );
  expect(result).toEqual({ exit: EXIT.done, out: '4 instances ready (worker:0-3)\n', err: '' });
  const [cwd, ...args] = JSON.parse(readFileSync(join(folder, 'args'), 'utf8'));
  expect(cwd).toBe('/');
  expect(args).toEqual(['--config', join(folder, 'supervisor.yaml'), '--report-fd', '3', '--start', 'none']);
});

test('where another daemon has won, that one is asked as soon as it answers', async () => {
  const winner = serving(`
    fs.writeSync(3, '{"ok":false,"kind":"locked","message":"a daemon runs already"}\\n');
    fs.closeSync(3);
    server.listen(${socket()});
  `);
  expect(await start(winner)).toMatchObject({ exit: EXIT.done, out: '4 instances ready (worker:0-3)\n' });
});

test('a daemon that cannot start says why in this terminal', async () => {
  const report = JSON.stringify({
    ok: false,
    kind: 'failed',
    message: 'cannot make /run/x: permission denied',
  });
  const result = await start(`fs.writeSync(3, ${JSON.stringify(report)});`);
  expect(result).toEqual({
    exit: EXIT.failed,
    out: '',
    err: 'tsup-visor: cannot make /run/x: permission denied\n',
  });
});

test('a daemon that dies without a report leaves its last words', async () => {
  const result = await start(`process.stderr.write('out of luck\\n'); process.exit(3);`);
  expect(result).toMatchObject({ exit: EXIT.failed, out: '' });
  expect(result.err).toContain('the daemon ended at once:\nout of luck');
});

test('a daemon that was not built is a failure, with the reason', async () => {
  const result = await command(['start'], { cwd: folder, daemonProgram: join(folder, 'missing.js') });
  expect(result.exit).toBe(EXIT.failed);
  expect(result.err).toContain('Cannot find module');
});

test('a config with mistakes is shown as the daemon reports it', async () => {
  const report = JSON.stringify({
    ok: false,
    kind: 'config_invalid',
    message: 'supervisor.yaml:4: a mistake',
  });
  const result = await start(`fs.writeSync(3, ${JSON.stringify(report)});`);
  expect(result).toMatchObject({ exit: EXIT.configInvalid, out: '' });
  expect(result.err).toContain('supervisor.yaml:4: a mistake');
});
