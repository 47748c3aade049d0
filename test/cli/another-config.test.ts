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

test('it is left alone: somebody else may mean it by the same name', async () => {
  const { exit, out, err } = await startWhereItRunsWith(() => '/srv/other/supervisor.yaml');
  expect({ exit, out }).toEqual({ exit: 6, out: '' });
  expect(err).toBe(
    `tsup-visor: the daemon at ${daemon.socket} runs with /srv/other/supervisor.yaml, not with ${daemon.folder}/supervisor.yaml; give one of the two a "supervisor: { name: … }" of its own, or say which daemon you mean with --socket\n`,
  );
  expect(daemon.asked.map(({ path }) => path)).not.toContain('/v1/start');
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
