/** What systemd says about the daemon's own unit, and that nobody waits for it or is harmed by it. */
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { askOwnUnit } from '../../src/os/own-unit.ts';
import type { OwnUnit } from '../../src/ports/own-unit.ts';
import { useLeakCheck } from '../rig/leaks.ts';
import { within } from '../rig/within.ts';

useLeakCheck();
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tv-unit-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** A systemctl that notes its words down, and says this. */
function systemctl(script: string): void {
  const file = join(folder, 'systemctl');
  writeFileSync(file, `#!/bin/sh\necho "$*" > ${folder}/asked\n${script}\n`);
  chmodSync(file, 0o755);
}
const says = (stop: string, mode = 'process', pid = process.pid): void =>
  systemctl(`printf 'TimeoutStopUSec=%s\\nKillMode=%s\\nMainPID=%s\\n' '${stop}' ${mode} ${pid}`);
const asked = (): string | null =>
  existsSync(join(folder, 'asked')) ? readFileSync(join(folder, 'asked'), 'utf8').trim() : null;
const ask = (cgroup: string, path = `${folder}:${process.env.PATH}`): Promise<OwnUnit | null> =>
  within('an answer', new Promise((done) => askOwnUnit(done, { cgroup, environment: { PATH: path } })));

const SERVICE = '0::/system.slice/orders.service\n';

it.each([
  ['1min 30s', 90_000],
  ['5min 45s', 345_000],
  ['500ms', 500],
  ['1h 1us', 3_600_000.001],
  ['1w 2d', 777_600_000],
  ['infinity', null],
])('is a unit with its time: %s', async (text, stopMs) => {
  says(text, 'mixed');
  expect(await ask(SERVICE)).toEqual({ name: 'orders.service', stopMs, killMode: 'mixed' });
});

it.each([
  ['0::/system.slice/orders.service/tsup-visor-daemon', 'orders.service', ''],
  ['9:name=systemd:/\n0::/system.slice/orders.service', 'orders.service', ''],
  ['12:pids:/x\n1:name=systemd:/system.slice/orders.service\n0::/', 'orders.service', ''],
  ['0::/user.slice/user-1000.slice/user@1000.service/app.slice/orders.service', 'orders.service', '--user '],
  ['0::/system.slice/system-orders.slice/orders@1.service', 'orders@1.service', ''],
])('is found by the group of the daemon: %s', async (cgroup, name, manager) => {
  says('1min 30s');
  expect(await ask(cgroup)).toMatchObject({ name });
  expect(asked()).toBe(`${manager}show --property=TimeoutStopUSec,KillMode,MainPID ${name}`);
});

it.each([
  ['a terminal', '0::/user.slice/user-1000.slice/session-3.scope'],
  ['a terminal of a desktop', '0::/user.slice/user-1000.slice/user@1000.service/app.slice/vte-spawn-1.scope'],
  ['a container', '0::/'],
  ['a machine without groups', ''],
])('in %s there is none, and nobody is asked', async (_, cgroup) => {
  says('1min 30s');
  expect(await ask(cgroup)).toBeNull();
  expect(asked()).toBeNull();
});

it('is none of ours where another process is its main process', async () => {
  says('1min 30s', 'process', 1);
  expect(await ask(SERVICE)).toBeNull();
});

it.each([
  ['fails', 'exit 1'],
  ['says something else', 'echo hello'],
  ['does not come back', 'exec sleep 1000'],
])('is not known where systemctl %s', async (_, script) => {
  systemctl(script);
  expect(await ask(SERVICE)).toBeNull();
});

it('is not known where there is no systemctl', async () => {
  expect(await ask(SERVICE, folder)).toBeNull();
});
