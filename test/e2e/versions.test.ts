/** A command that meets a daemon of another version: they talk, or it says in one sentence which versions both are and what to do. */
import { readFileSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { join } from 'node:path';
import { describe, expect, it, type TestContext } from 'vitest';
import { type Answer, fakeDaemon } from '../cli/fake-daemon.ts';
import { status } from '../cli/samples.ts';
import { ROOT } from './build.ts';
import { newWorld } from './life.ts';
import { steady } from './puppets.ts';
import { install } from './versions.ts';
import type { Outcome } from './world.ts';

const { version: OWN } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string }; // of every package
const OTHER = '0.0.7';

/** As a daemon of the other version answers. */
const says =
  (code: number, reply: object): Answer =>
  (response: ServerResponse) => {
    response.writeHead(code, { 'content-type': 'application/json', server: `tsup-visor/${OTHER}` });
    response.end(JSON.stringify({ version: 1, ...reply }));
  };
const no = (code: number, kind: string, message: string): Answer => says(code, { error: { kind, message } });

async function ask(
  test: TestContext,
  script: Readonly<Record<string, Answer>>,
  ...words: string[]
): Promise<Outcome> {
  const world = newWorld(test, { worker: steady });
  const daemon = await fakeDaemon(script);
  test.onTestFinished(() => daemon.close());
  return world.cli('--socket', daemon.socket, ...words);
}

const BOTH = `the daemon is ${OTHER}, this command ${OWN}`;
const NEXT = new RegExp(`"tsup-visor .*upgrade" makes the daemon ${OWN}, and no instance notices`);

describe('a daemon of another version', () => {
  it('is looked at all the same, and that it is another is said', async (test) => {
    const world = newWorld(test, { worker: steady });
    const next = install(world.dir, '9.9.9');
    await world.succeed('start');
    const { code, stdout, stderr } = await world.by(next, 'status');
    expect(code).toBe(0);
    expect(stdout).toMatch(/worker:0 +running/);
    expect(stderr).toContain(`the daemon is ${OWN}, this command 9.9.9; "tsup-visor`);
    expect((await world.by(next, 'status', '--json')).stderr).toBe('');
    expect(await world.cli('status'), 'its own version says nothing of it').toMatchObject({ stderr: '' });
  });

  it.for([
    ['has no such route', no(404, 'not_found', 'there is no /v1/stop here')],
    ['does not understand the question', no(400, 'bad_request', '"now": Invalid key')],
  ] as const)('that %s says so, with both versions and the next step', async ([, answer], test) => {
    const { code, stdout, stderr } = await ask(test, { 'POST /v1/stop': answer }, 'stop', 'worker');
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain(`(${BOTH})`);
    expect(stderr).toMatch(NEXT);
  });

  it('that refuses for another reason says that alone', async (test) => {
    const answer = no(404, 'no_match', 'no instance matches "worker"');
    const { stderr } = await ask(test, { 'POST /v1/stop': answer }, 'stop', 'worker');
    expect(stderr).toBe('tsup-visor: no instance matches "worker"\n');
  });

  it('that speaks another protocol says so, with both versions and the next step', async (test) => {
    const { code, stderr } = await ask(test, { 'GET /v1/status': says(200, { version: 2 }) }, 'status');
    expect(code).toBe(1);
    expect(stderr).toContain('the daemon speaks version 2 of the protocol and this client version 1');
    expect(stderr).toContain(BOTH);
    expect(stderr).toMatch(NEXT);
  });

  it('that speaks another protocol can be asked to become this one', async (test) => {
    const already = {
      from: OTHER,
      to: OTHER,
      already: true,
      dry_run: false,
      in_place: true,
      handovers: 0,
      log: '/x',
    };
    const script = {
      'GET /v1/status': says(200, { ...status(), version: 2 }),
      'POST /v1/upgrade': says(200, { ...already, version: 2 }),
    };
    expect(await ask(test, script, 'upgrade')).toMatchObject({ code: 0, stderr: '' });
  });

  it('that is too old to be asked for that says how it is done', async (test) => {
    const script = {
      'GET /v1/status': says(200, status()),
      'POST /v1/upgrade': no(404, 'not_found', 'there is no /v1/upgrade here'),
    };
    const { code, stderr } = await ask(test, script, 'upgrade');
    expect(code).toBe(1);
    expect(stderr).toMatch(
      /too old to be replaced in place; "kill -KILL \d+" ends it alone, and "tsup-visor .*start" of this version/,
    );
  });
});
