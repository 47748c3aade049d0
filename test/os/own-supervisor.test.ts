/** The daemon speaks to whoever has started it; that this cannot be done is said once, and hurts nobody. */
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openOwnSupervisor } from '../../src/os/own-supervisor.ts';
import { until } from '../e2e/until.ts';
import { useLeakCheck } from '../rig/leaks.ts';
import { canListen, listenAt, type OuterSupervisor } from '../rig/outer-supervisor.ts';

useLeakCheck();
let folder: string;
let outer: OuterSupervisor | undefined;
let warnings: string[] = [];
const warn = (text: string): void => void warnings.push(text);

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tv-outer-'));
  warnings = [];
});
afterEach(() => {
  outer?.close();
  outer = undefined;
  rmSync(folder, { recursive: true, force: true });
});

const listen = (socket = join(folder, 'outer.sock')): OuterSupervisor => {
  outer = listenAt(socket);
  return outer;
};

describe.skipIf(!canListen)('by datagrams', () => {
  for (const kind of ['path', 'abstract'] as const) {
    it(`reaches a socket of the kind ${kind}, all assignments of one word in one message`, () => {
      const { socket, messages } = listen(kind === 'abstract' ? `@${folder}` : undefined);
      const own = openOwnSupervisor({ NOTIFY_SOCKET: socket }, warn);
      own?.tell('READY=1', 'STATUS=all is well');
      own?.tell('STOPPING=1');
      own?.close();
      expect(messages()).toEqual([['READY=1', 'STATUS=all is well'], ['STOPPING=1']]);
      expect(warnings).toEqual([]);
    });
  }

  it('keeps what a full queue does not take, and sends it in order when there is room', async () => {
    const { socket, words } = listen();
    const own = openOwnSupervisor({ NOTIFY_SOCKET: socket }, warn);
    const all = Array.from({ length: 60 }, (_, i) => `STATUS=${i}`);
    for (const word of all) own?.tell(word);
    await until('all have come', () => words().length === 60);
    own?.close();
    expect(words()).toEqual(all);
    expect(warnings).toEqual([]);
  });

  it('says once that nobody listens, and goes on', () => {
    const own = openOwnSupervisor({ NOTIFY_SOCKET: join(folder, 'nobody') }, warn);
    own?.tell('READY=1');
    own?.tell('STATUS=lonely');
    own?.close();
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toMatch(
      /^cannot tell the supervisor of this daemon how it is: .*nobody: no such file/,
    );
  });

  it.each([
    [{ WATCHDOG_USEC: '2000000' }, 2000],
    [{ WATCHDOG_USEC: '2000000', WATCHDOG_PID: String(process.pid) }, 2000],
    [{ WATCHDOG_USEC: '2000000', WATCHDOG_PID: '1' }, null],
    [{ WATCHDOG_USEC: 'soon' }, null],
    [{}, null],
  ])('takes %j for a watchdog of %j ms', (environment, ms) => {
    const own = openOwnSupervisor({ NOTIFY_SOCKET: listen().socket, ...environment }, warn);
    expect(own?.watchdogMs).toBe(ms);
    own?.close();
  });
});

it('is nobody without a NOTIFY_SOCKET, and says a word about one that cannot be spoken to', () => {
  expect(openOwnSupervisor({}, warn)).toBeNull();
  expect(openOwnSupervisor({ NOTIFY_SOCKET: '' }, warn)).toBeNull();
  expect(warnings).toEqual([]);
  expect(openOwnSupervisor({ NOTIFY_SOCKET: 'vsock:2:1234' }, warn)).toBeNull();
  expect(warnings).toEqual([
    'cannot tell the supervisor of this daemon how it is: NOTIFY_SOCKET is "vsock:2:1234"',
  ]);
});

it('goes through systemd-notify where koffi is missing, one word after another', async () => {
  const heard = join(folder, 'heard');
  const command = join(folder, 'systemd-notify');
  writeFileSync(command, `#!/bin/sh\necho "$NOTIFY_SOCKET $*" >> ${heard}\n`);
  chmodSync(command, 0o755);
  const environment = { PATH: `${folder}:${process.env.PATH}`, NOTIFY_SOCKET: '/run/outer' };
  const own = openOwnSupervisor(environment, warn, null);
  own?.tell('READY=1', 'STATUS=all is well');
  own?.tell('STOPPING=1');
  const lines = () => (existsSync(heard) ? readFileSync(heard, 'utf8').trim().split('\n') : []);
  await until('both have come', () => lines().length === 2);
  expect(lines()).toEqual(['/run/outer READY=1 STATUS=all is well', '/run/outer STOPPING=1']);
  expect(warnings).toEqual([]);
});

it('says once that there is neither koffi nor systemd-notify', async () => {
  const own = openOwnSupervisor({ PATH: folder, NOTIFY_SOCKET: '/run/outer' }, warn, null);
  own?.tell('READY=1');
  own?.tell('STOPPING=1');
  await until('it is said', () => warnings.length > 0);
  expect(warnings).toEqual([
    'cannot tell the supervisor of this daemon how it is: /run/outer: koffi cannot be loaded, and systemd-notify: no such file or directory',
  ]);
});
