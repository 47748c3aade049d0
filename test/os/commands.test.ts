/** Hooks and checks: run to their end, told once, and nothing of them is left. */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { run } from '../../src/base/ids.ts';
import { createMark, MARK_NAME } from '../../src/os/mark.ts';
import type { Force } from '../../src/os/processes.ts';
import { useLeakCheck } from '../rig/leaks.ts';
import { within } from '../rig/within.ts';
import { describeCommands, shell, written } from './command-cases.ts';
import { isAlive, useHands } from './hands.ts';

const leaks = useLeakCheck();
const hands = useHands(leaks);

const until = (what: string, fits: () => boolean): Promise<void> =>
  within(
    what,
    (async () => {
      while (!fits()) await new Promise((resolve) => setTimeout(resolve, 5));
    })(),
  );

/** Leaves a process in a session of its own, orphaned, which tells its pid in the file `pid`. */
const leaving = (environment = '') =>
  `mkfifo begun; (setsid ${environment} bash -c 'echo $$ > pid; echo > begun; exec sleep 1000' &); read < begun`;

for (const force of [undefined, 'session'] satisfies (Force | undefined)[]) {
  describe(force ?? 'by whatever there is', () => {
    describeCommands(leaks, force);

    test('a session of its own does not save what a command leaves', async () => {
      const h = hands(force);
      const asked = shell(h, leaks, leaving());
      const child = Number(await written(h, 'pid'));
      expect((await asked.result).ok).toBe(true);
      expect(isAlive(child)).toBe(false);
    });

    test('what forks while it is killed does not get away', async () => {
      const h = hands(force);
      const chain = 'f() { [ $1 = 40 ] || { sleep 0.02; (f $(($1 + 1)) &); }; exec sleep 1000; }; f 1';
      expect((await shell(h, leaks, chain, { timeoutMs: 200 }).result).ok).toBe(false);
      expect(leaks.processes()).toEqual([]);
    });

    test('a job that has hidden itself is not taken for what a command left', async () => {
      const h = hands(force);
      const job = h.spawn(1, ['bash', '-c', `${leaving('env -i PATH=$PATH')}; exec sleep 1000`]);
      const child = Number(await written(h, 'pid'));
      leaks.watchSession(child);
      for (const result of [1, 2, 3].map(() => shell(h, leaks, 'sleep 0.02').result)) await result;
      expect(isAlive(child)).toBe(true);
      process.kill(child, 'SIGKILL');
      await h.end(job);
    });

    test('what an earlier daemon’s commands have left is killed, and is no run', async () => {
      const h = hands(force);
      const environment = {
        ...process.env,
        ...leaks.environment,
        TSUP_VISOR_INSTANCE: 'worker:0',
        [MARK_NAME]: createMark(h.folder).of(run(-7)),
      };
      const begin = (script: string) =>
        spawn('bash', ['-c', script], { detached: true, stdio: 'ignore', env: environment, cwd: h.folder });
      const leader = begin('exec sleep 1000');
      const ended = within(
        'its end',
        new Promise((resolve) => leader.once('exit', (_, signal) => resolve(signal))),
      );
      begin(leaving());
      const child = Number(await written(h, 'pid'));

      expect(h.processes.unrecorded(new Set())).toEqual([]);

      // Commands of this daemon have numbers of their own.
      const asked = shell(h, leaks, 'echo $TSUP_VISOR_MARK > mark');
      expect((await asked.result).ok).toBe(true);
      expect(await written(h, 'mark')).toMatch(/:-8$/);
      expect(await ended).toBe('SIGKILL');
      await until('the end of what its leader had left', () => !isAlive(child));
      expect(h.happened).toEqual([]);
    });
  });
}

test('whoever has hidden, and holds the output, does not hold up the answer', async () => {
  const h = hands('session');
  const asked = shell(h, leaks, `${leaving('env -i PATH=$PATH')}; echo too bad; exit 3`);
  const child = Number(await written(h, 'pid'));
  leaks.watchSession(child);
  expect((await asked.result).detail).toBe('exited with code 3: too bad');
  // Without a group nobody can tell whose it is: it counts as astray, and is not killed on a guess.
  expect(isAlive(child)).toBe(true);
  process.kill(child, 'SIGKILL');
  await until('it to be reaped', () => !isAlive(child) && leaks.zombies() === 0);
});

test('a group finds what has hidden', async ({ skip }) => {
  const h = hands();
  if (h.processes.tracking !== 'cgroup') return skip('there is no cgroup v2 here that may be written to');
  const asked = shell(h, leaks, leaving('env -i PATH=$PATH'));
  const child = Number(await written(h, 'pid'));
  expect((await asked.result).ok).toBe(true);
  expect(isAlive(child)).toBe(false);
});

test.skipIf(process.getuid?.() !== 0)(
  'it is done as the program’s user, who may write to its stderr by name',
  async () => {
    const h = hands();
    const credentials = h.processes.credentials('nobody', null);
    if (!credentials.ok) throw new Error(credentials.error.message);
    const script = 'id -un > /dev/stderr; echo $(umask) $(id -G) $PWD > /dev/stdout; exit 1';
    const { result } = shell(h, leaks, script, {
      credentials: credentials.value,
      umask: 0o027,
      directory: '/',
    });
    const groups = credentials.value?.groups.join(' ');
    expect((await result).detail).toBe(`exited with code 1: 0027 ${groups} /`);
    expect(readFileSync('/proc/self/status', 'utf8')).toMatch(/^Uid:\t0\t0\t0\t0$/m);
  },
);

test('one whose user may not enter its folder fails with what is wrong', async () => {
  const h = hands();
  const { result } = shell(h, leaks, 'true', { directory: join(h.folder, 'none') });
  expect(await result).toEqual({
    ok: false,
    detail: `cannot start: directory ${join(h.folder, 'none')} does not exist`,
  });
});
