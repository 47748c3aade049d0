/** Whoever takes away what the daemon stands on does not end it, and makes no room for a second one. */
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createDaemon } from '../../src/daemon/daemon.ts';
import { until } from '../e2e/until.ts';
import { useLeakCheck } from '../rig/leaks.ts';
import { PROGRAMS, World } from './world.ts';

const leaks = useLeakCheck();
let world: World;

beforeEach(() => {
  world = new World(leaks);
});
afterEach(() => world.close());

const at = (...names: string[]): string => join(world.folder, ...names);
const remove = (...names: string[]): void => rmSync(at(...names), { recursive: true, force: true });
const isBack = (...names: string[]) => until(`${names.join('/')} is back`, () => existsSync(at(...names)));

async function working(): Promise<void> {
  await world.begin({ steady: PROGRAMS.steady });
  await world.act('start', ['steady'], { wait: true });
}

const second = () => createDaemon({ configFile: world.configFile, socket: undefined, echo: null });

describe('what was taken away from under a daemon', () => {
  it.each([
    ['its socket', ['run', 'control.sock']],
    ['its run_dir', ['run']],
    ['its state_dir', ['state']],
    ['its log_dir', ['logs']],
    ['its lock', ['run', 'lock']],
  ])('is put back, be it %s, and what runs goes on', async (_, place) => {
    await working();
    const [before] = (await world.status()).instances;
    remove(...place);
    await isBack(...place);
    await until('it answers', () => world.status().catch(() => undefined));
    const [after] = (await world.status()).instances;
    expect(after).toMatchObject({ pid: before?.pid, run: before?.run, state: 'running' });
    await until('it has said so', () =>
      world.said.find((text) => /was taken away, and is put back/.test(text)),
    );
    expect(await second()).toMatchObject({ ok: false, error: { kind: 'locked' } });
  });

  it('is put back all at once, with all that was written down and all that instances report through', async () => {
    await working();
    const { run } = await world.instance('steady:0');
    for (const place of ['run', 'state', 'logs']) remove(place);
    for (const place of [
      ['run', 'notify', `${run}.sock`],
      ['state', 'journal'],
    ])
      await isBack(...place);
    expect(readFileSync(at('state', 'journal'), 'utf8')).toContain(`"run":${run},`);
    expect(statSync(at('state', 'journal')).mode & 0o777).toBe(0o600);
    expect(statSync(at('state')).mode & 0o777).toBe(0o700);
    await isBack('run', 'control.sock');
    await world.act('stop', ['steady'], { wait: true });
    expect(readFileSync(at('logs', 'daemon.log'), 'utf8')).toContain('was taken away, and is put back');
  });

  it('is told of as long as it cannot be, and put back once it can', async () => {
    await working();
    renameSync(at('logs'), at('elsewhere'));
    writeFileSync(at('logs'), 'in the way');
    const trouble = /logs \(log_dir\)|cannot write .*daemon\.log/;
    await until('it says so', async () => {
      await world.act('stop', ['steady'], { wait: true });
      const { daemon } = await world.status();
      return daemon.warnings?.find((text) => trouble.test(text));
    });
    rmSync(at('logs'));
    mkdirSync(at('logs'));
    await world.act('start', ['steady'], { wait: true });
    await until('nothing is said any more', async () => {
      const { daemon } = await world.status();
      return daemon.warnings?.some((text) => trouble.test(text)) === false ? true : undefined;
    });
  });
});
