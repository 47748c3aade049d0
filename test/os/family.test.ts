/** Real processes of one run, found with what a person recognises them by. */
import { type ChildProcess, spawn } from 'node:child_process';
import { constants } from 'node:os';
import { afterEach, expect, test } from 'vitest';
import { run as runOf } from '../../src/base/ids.ts';
import { type Family, familyOf, parseFamily, type Relative } from '../../src/os/family.ts';
import { createMark, MARK_NAME } from '../../src/os/mark.ts';
import { until } from '../e2e/until.ts';
import { useLeakCheck } from '../rig/leaks.ts';

const leaks = useLeakCheck();
const RUN_DIR = '/nonexistent/run';
const RUN = runOf(7);
const begun: ChildProcess[] = [];

afterEach(() => {
  for (const { pid } of begun.splice(0)) if (pid !== undefined) end(-pid);
});

function end(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended by itself.
  }
}

/** A leader in a session of its own, marked as one of the run. */
function begin(script: string, mark = createMark(RUN_DIR, '').of(RUN)): number {
  const env = { ...process.env, ...leaks.environment, [MARK_NAME]: mark };
  const child = spawn('bash', ['-c', script], { detached: true, stdio: 'ignore', env });
  begun.push(child);
  if (child.pid === undefined) throw new Error('no process');
  return child.pid;
}

const find = (family: Family, isIt: (one: Relative) => boolean) =>
  until('it is found', async () => (await family.look()).find(isIt));

const commands = (members: readonly Relative[]) => members.map(({ command }) => command).sort();

test.runIf(process.platform === 'linux')(
  'its children, wherever they have gone, and no stranger',
  async () => {
    const leader = begin(
      'sleep 1001 & setsid sleep 1002 & setsid --fork setsid sleep 1003; trap "" TERM; sleep 1004; :',
    );
    begin('sleep 1005; :', createMark('/nonexistent/other', '').of(RUN));
    begin('sleep 1006; :', createMark(RUN_DIR, '').of(runOf(8)));
    const family = familyOf(RUN_DIR, RUN, leader);
    await find(family, ({ command }) => command === 'sleep 1004');
    await find(family, ({ command }) => command === 'sleep 1003');
    const members = await family.look();
    expect(commands(members).filter((each) => each.startsWith('sleep'))).toEqual([
      'sleep 1001',
      'sleep 1002',
      'sleep 1003',
      'sleep 1004',
    ]);
    const of = (command: string) => members.find((one) => one.command === command);
    expect(of('sleep 1001')).toMatchObject({ ppid: leader, group: leader, session: leader, ended: false });
    const own = of('sleep 1002');
    expect(own).toMatchObject({ group: own?.pid, session: own?.pid });
    expect(of('sleep 1004')?.heeded.ignored).toContain(constants.signals.SIGTERM);
    expect(of('sleep 1001')?.heeded.ignored).not.toContain(constants.signals.SIGTERM);
    for (const { pid } of members) if (pid !== leader) end(pid);
  },
);

test.runIf(process.platform === 'linux')(
  'what ended a child is seen while its parent has not taken note',
  async () => {
    const leader = begin('sleep 1001 & exec sleep 1002');
    const family = familyOf(RUN_DIR, RUN, leader);
    const child = await find(family, ({ command }) => command === 'sleep 1001');
    expect(family.glance()).toEqual([]);
    process.kill(child.pid, 'SIGTERM');
    const { pid, start } = child;
    const [seen] = await until('a glance sees it', () => {
      const found = family.glance();
      return found.length > 0 && found;
    });
    expect(seen).toEqual({ pid, start, killedBy: constants.signals.SIGTERM });
    const ended = await find(family, (one) => one.pid === pid && one.ended);
    expect(ended.killedBy).toBe(constants.signals.SIGTERM);
  },
);

test.runIf(process.platform === 'linux')('those of the last look are looked at again alone', async () => {
  const leader = begin('trap "sleep 1003 &" USR1; sleep 1001 & sleep 1002 & while :; do wait; done');
  const family = familyOf(RUN_DIR, RUN, leader);
  const child = await find(family, ({ command }) => command === 'sleep 1001');
  await find(family, ({ command }) => command === 'sleep 1002');
  process.kill(leader, 'SIGUSR1');
  await find(familyOf(RUN_DIR, RUN, leader), ({ command }) => command === 'sleep 1003');
  process.kill(child.pid, 'SIGTERM');
  const there = await until('the first is gone', () => {
    const again = family.lookAgain() ?? [];
    return !again.some(({ pid, ended }) => pid === child.pid && !ended) && again;
  });
  // The first may still be there, ended, and has no command line then.
  const alive = there.filter(({ ended }) => !ended);
  expect(commands(alive).filter((each) => each.startsWith('sleep'))).toEqual(['sleep 1002']);
});

test('by ps as well, as far as groups and parents lead', async () => {
  const leader = begin('setsid sleep 1002 & sleep 1001; :');
  const family = familyOf(RUN_DIR, RUN, leader, 'darwin');
  await find(family, ({ command }) => command === 'sleep 1001');
  const own = await find(family, ({ command }) => command === 'sleep 1002');
  const members = await family.look();
  expect(commands(members).filter((each) => each.startsWith('sleep'))).toEqual(['sleep 1001', 'sleep 1002']);
  expect(own).toMatchObject({
    ppid: leader,
    group: own.pid,
    ended: false,
    heeded: { ignored: [], caught: [] },
  });
  end(own.pid);
});

test('a line of ps that is torn is nothing', () => {
  const line = '  17     1    17 Ss   Mon Nov 23 11:00:00 2026 bash job.sh  17 ';
  expect(parseFamily(`${line}\n  18 1 18`)).toEqual([
    {
      pid: 17,
      ppid: 1,
      group: 17,
      session: 0,
      start: 'Mon Nov 23 11:00:00 2026',
      command: 'bash job.sh  17',
      ended: false,
      killedBy: null,
      bare: false,
      heeded: { ignored: [], caught: [] },
    },
  ]);
});
