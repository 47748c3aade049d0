/** A daemon that was started with another config of the same name. */
import { symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { type FakeDaemon, fakeDaemon } from './fake-daemon.ts';
import { action, status } from './samples.ts';
import { command } from './terminal.ts';

let daemon: FakeDaemon;

afterEach(() => daemon.close());

/** `start` in the daemon's own folder, where the config that is found is supervisor.yaml. */
async function startWhereItRunsWith(config: (folder: string) => string, ...argv: string[]) {
  const reply = status();
  const script = { 'GET /v1/status': reply, 'POST /v1/start': action() };
  daemon = await fakeDaemon(script);
  Object.assign(reply.daemon, { config: config(daemon.folder) });
  writeFileSync(
    join(daemon.folder, 'supervisor.yaml'),
    'supervisor: { name: test, run_dir: . }\nprograms: { worker: { command: node worker.js } }\n',
  );
  symlinkSync('supervisor.yaml', join(daemon.folder, 'link.yaml'));
  return command([...argv, 'start'], { cwd: daemon.folder });
}

test('it is said, and what was asked for is done', async () => {
  const { exit, out, err } = await startWhereItRunsWith(() => '/srv/other/supervisor.yaml');
  expect({ exit, out }).toEqual({ exit: 0, out: '4 instances ready (worker:0-3)\n' });
  expect(err).toBe(
    `tsup-visor: the daemon at ${daemon.socket} runs with /srv/other/supervisor.yaml, not with ${daemon.folder}/supervisor.yaml; if they are not the same, give one of them a "supervisor: { name: … }"\n`,
  );
});

test('another path to the same file is not another config', async () => {
  expect((await startWhereItRunsWith((folder) => join(folder, 'link.yaml'))).err).toBe('');
});

test('who names the socket is told nothing', async () => {
  const other = await fakeDaemon({ 'POST /v1/start': action() });
  try {
    expect((await startWhereItRunsWith(() => '/srv/other.yaml', '--socket', other.socket)).err).toBe('');
  } finally {
    await other.close();
  }
});
