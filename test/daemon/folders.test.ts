import { chmodSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { makeFolders } from '../../src/daemon/folders.ts';
import { plan, program } from '../core/rig.ts';

let folder: string;
const old = process.umask();

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'folders-'));
});
afterEach(() => {
  process.umask(old);
  rmSync(folder, { recursive: true, force: true });
});

const make = () =>
  makeFolders({
    ...plan([program()]),
    runDir: join(folder, 'a/run'),
    stateDir: join(folder, 'a/state'),
    logDir: join(folder, 'b/logs'),
  });

const modeOf = (name: string): number => statSync(join(folder, name)).mode & 0o777;

describe('the folders of a daemon', () => {
  it.each([0o000, 0o022, 0o777])('are made with the modes that they need, under the umask %o', (umask) => {
    mkdirSync(join(folder, 'a'));
    mkdirSync(join(folder, 'b'));
    process.umask(umask);
    expect(make()).toMatchObject({ ok: true });
    expect([modeOf('a/run'), modeOf('a/state'), modeOf('b/logs')]).toEqual([
      process.geteuid?.() === 0 ? 0o711 : 0o700, // for the programs of other users
      0o700,
      0o750,
    ]);
  });

  it('that are there already are left as they are', () => {
    mkdirSync(join(folder, 'b/logs'), { recursive: true });
    chmodSync(join(folder, 'b/logs'), 0o755);
    expect(make()).toMatchObject({ ok: true });
    expect(make()).toMatchObject({ ok: true });
    expect(modeOf('b/logs')).toBe(0o755);
  });

  it.each(['run', 'state'])('must not let everybody put something in the place of ours: %s', (name) => {
    const path = join(folder, 'a', name);
    mkdirSync(path, { recursive: true });
    chmodSync(path, 0o777);
    expect(make()).toMatchObject({
      ok: false,
      error: expect.stringMatching(new RegExp(`\\(${name}_dir\\): everybody may write there; run "chmod`)),
    });
  });

  it('that cannot be made are named, with the key that they come from', () => {
    writeFileSync(join(folder, 'b'), '');
    expect(make()).toMatchObject({
      ok: false,
      error: `cannot make the folder ${join(folder, 'b/logs')} (log_dir): ${join(folder, 'b')} is a file; move it away, or write another "log_dir" into the config, below "supervisor"`,
    });
  });

  it('in whose place a file is are not made, and that is said in plain words', () => {
    mkdirSync(join(folder, 'a'));
    writeFileSync(join(folder, 'a/state'), '');
    expect(make()).toMatchObject({
      ok: false,
      error: expect.stringMatching(
        / \(state_dir\): .*a\/state is a file; move it away, or write another "state_dir"/,
      ),
    });
  });
});
