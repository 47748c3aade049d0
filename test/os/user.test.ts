/** A program is who it is to be before its first instruction, in everything, and the daemon stays who it was. */
import { chmodSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Run } from '../../src/base/ids.ts';
import type { Force } from '../../src/os/processes.ts';
import type { Credentials } from '../../src/ports/processes.ts';
import { useLeakCheck } from '../rig/leaks.ts';
import { whyNoCgroups } from './cgroups.ts';
import { type Hands, useHands } from './hands.ts';

const leaks = useLeakCheck();
const hands = useHands(leaks);
const isRoot = process.getuid?.() === 0;
if (!isRoot) console.warn('tests of other users are skipped: only root can take them on');

/** With more groups than any user of a fresh machine has. */
const nobody: Credentials = {
  uid: 65534,
  gid: 65534,
  groups: [65534, 5, 60],
  name: 'nobody',
  home: '/nonexistent',
  shell: '/bin/sh',
};

const statusOf = (text: string, name: string): string[] =>
  (new RegExp(`^${name}:(.*)$`, 'm').exec(text)?.[1] ?? '').split(/\s+/).filter(Boolean);

const ownStatus = (): string =>
  readFileSync(`/proc/self/task/${process.pid}/status`, 'utf8').replace(/^(?!Uid|Gid|Groups|Cap).*\n/gm, '');

/** No shell: some of them give up what they are not really by themselves. */
async function status(h: Hands, credentials: Credentials): Promise<string> {
  const out = join(h.folder, 'out');
  const run: Run = h.spawn(1, ['cat', '/proc/self/status'], {
    stdout: out,
    stderr: out,
    directory: '/',
    credentials,
  });
  await h.until('exited', run);
  return readFileSync(out, 'utf8');
}

describe.skipIf(!isRoot).each([
  ['straight', 'session'],
  ['through the gate', undefined],
] satisfies [string, Force | undefined][])('another user, %s', (way, force) => {
  const skipped = way === 'through the gate' && whyNoCgroups !== null;
  test.skipIf(skipped)(
    'is real, effective, saved and for files, with all groups and no capability',
    async () => {
      const h = hands(force);
      const before = ownStatus();
      const text = await status(h, nobody);
      expect(statusOf(text, 'Uid')).toEqual(Array(4).fill('65534'));
      expect(statusOf(text, 'Gid')).toEqual(Array(4).fill('65534'));
      expect(statusOf(text, 'Groups').map(Number).sort()).toEqual([5, 60, 65534]);
      for (const set of ['CapEff', 'CapPrm', 'CapInh', 'CapAmb'])
        expect(statusOf(text, set), set).toEqual(['0000000000000000']);
      expect(ownStatus()).toBe(before);
    },
  );

  test.skipIf(skipped)('has no group but its own where it is in no other', async () => {
    const text = await status(hands(force), { ...nobody, groups: [65534] });
    expect(statusOf(text, 'Groups')).toEqual(['65534']);
  });

  test.skipIf(skipped)(
    'that may not run the program, or enter the folder, is told within the call',
    async () => {
      const h = hands(force);
      chmodSync(h.folder, 0o711);
      const script = join(h.folder, 'script');
      writeFileSync(script, '#!/bin/sh\n');
      chmodSync(script, 0o700);
      const closed = join(h.folder, 'closed');
      mkdirSync(closed, { mode: 0o700 });
      const before = ownStatus();
      h.spawn(1, [script], { directory: '/', credentials: nobody });
      h.spawn(2, ['true'], { directory: closed, credentials: nobody });
      expect(h.happened).toEqual([
        {
          kind: 'spawnFailed',
          run: 1,
          stage: 'exec',
          message: `${script} is not executable for user "nobody"`,
        },
        {
          kind: 'spawnFailed',
          run: 2,
          stage: 'directory',
          message: `directory ${closed} cannot be entered for user "nobody": permission denied`,
        },
      ]);
      expect(ownStatus()).toBe(before);
    },
  );

  test.skipIf(skipped)('finds its own program in PATH, past one that it may not run', async () => {
    const h = hands(force);
    chmodSync(h.folder, 0o711);
    const closed = join(h.folder, 'closed');
    mkdirSync(closed, { mode: 0o700 });
    writeFileSync(join(closed, 'true'), '#!/bin/sh\nexit 9\n');
    chmodSync(join(closed, 'true'), 0o755);
    const environment = { PATH: `${closed}:/usr/bin:/bin` };
    const run = h.spawn(1, ['true'], { directory: '/', credentials: nobody, environment });
    expect((await h.until('exited', run)).exit).toEqual({ kind: 'code', code: 0 });
  });

  test.skipIf(skipped)('can report: its socket is its own', async () => {
    const h = hands(force);
    chmodSync(h.folder, 0o711);
    const run = h.spawn(
      1,
      [
        process.execPath,
        '-e',
        'require("fs").accessSync(process.env.NOTIFY_SOCKET, 2); require("fs").writeSync(3, "READY=1\\n")',
      ],
      { directory: '/', credentials: nobody },
    );
    await h.until('notified', run, ({ text }) => text === 'READY=1');
    await h.until('exited', run);
    const { uid, mode } = statSync(join(h.folder, 'notify', '1.sock'));
    expect([uid, mode & 0o777]).toEqual([65534, 0o600]);
    expect(statSync(join(h.folder, 'notify')).mode & 0o777).toBe(0o711);
  });

  test.skipIf(skipped)('can open its channel by name: the pipe is its own', async () => {
    const h = hands(force);
    const run = h.spawn(1, ['sh', '-c', 'echo READY=1 > /dev/fd/3'], {
      directory: '/',
      credentials: nobody,
    });
    await h.until('exited', run);
    expect(h.happened).toContainEqual({ kind: 'notified', run, text: 'READY=1', channel: 'line' });
  });

  test.skipIf(skipped)('is signalled and ended like any other', async () => {
    const h = hands(force);
    const run = h.spawn(1, ['sh', '-c', 'sleep 1000 & echo STATUS=$! >&3; wait'], {
      directory: '/',
      credentials: nobody,
    });
    await h.child(run);
    await h.end(run);
    expect(h.warned).toEqual([]);
  });
});

describe.skipIf(!isRoot)('without koffi', () => {
  test('another user has no group but its first', async () => {
    const h = hands('proc');
    const text = await status(h, nobody);
    expect(h.warned).toEqual([
      'cannot give programs the supplementary groups of their users here: koffi cannot be loaded',
    ]);
    expect(statusOf(text, 'Uid')).toEqual(Array(4).fill('65534'));
    expect(statusOf(text, 'Gid')).toEqual(Array(4).fill('65534'));
    expect(statusOf(text, 'Groups')).toEqual([]);
  });
});
