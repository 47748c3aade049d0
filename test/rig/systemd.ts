/**
 * A systemd of its own, as PID 1 of a container made by unshare: with its own processes, mounts and control groups, and
 * no units but those that the test gives it. All of it ends with its first process.
 */
import { execFile, spawn, spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { until } from '../e2e/until.ts';

const SYSTEMD = ['/usr/lib/systemd/systemd', '/lib/systemd/systemd'].find((path) => existsSync(path));

export interface Systemd {
  /** Writes a unit, or what is added to one (`orders.service.d/more.conf`). It counts from the next `daemon-reload` on. */
  unit(name: string, text: string): void;
  /** Runs systemctl in there. */
  ctl(...words: readonly string[]): Promise<{ readonly code: number; readonly text: string }>;
  /** Properties of a unit. */
  show(unit: string, ...properties: readonly string[]): Promise<Readonly<Record<string, string>>>;
  close(): Promise<void>;
}

/** Why it cannot be had here; null: it can. */
export function whyNoSystemd(): string | null {
  if (SYSTEMD === undefined) return 'systemd is not installed';
  const mount = groupsMount();
  if (mount === null) return 'there is no cgroup v2';
  if (!mayMakeGroups(mount)) return 'no control groups may be made here';
  const { status } = spawnSync('unshare', [...NAMESPACES, 'sh', '-c', MOUNTS]);
  return status === 0 ? null : 'this user may not make namespaces and mounts';
}

function mayMakeGroups(mount: string): boolean {
  const probe = join(mount, `tv-probe-${process.pid}`);
  try {
    mkdirSync(probe);
    rmdirSync(probe);
    return true;
  } catch {
    return false;
  }
}

const NAMESPACES = ['--pid', '--fork', '--kill-child', '--mount', '--cgroup', '--uts', '--ipc'];
const MOUNTS = `
mount --make-rprivate / && mount -t proc proc /proc && mount -t tmpfs tmpfs /run &&
umount -R -l /sys/fs/cgroup && mount -t cgroup2 none /sys/fs/cgroup && mkdir -p /run/systemd || exit 1
`;

/** What every unit wants. */
const TARGETS = ['sysinit', 'basic', 'shutdown', 'network-online', 'multi-user'];

const BOOT = `${MOUNTS}
exec env -i PATH="$PATH" container=test SYSTEMD_UNIT_PATH="$1" SYSTEMD_GENERATOR_PATH= SYSTEMD_LOG_TARGET=console \
  "$0" --system --unit=multi-user.target
`;

export async function bootSystemd(): Promise<Systemd> {
  const folder = mkdtempSync(join(tmpdir(), 'tv-systemd-'));
  const units = join(folder, 'units');
  const group = join(groupsMount() ?? '', `tv-systemd-${process.pid}`);
  const unit: Systemd['unit'] = (name, text) => {
    mkdirSync(join(units, name, '..'), { recursive: true });
    writeFileSync(join(units, name), text);
  };
  for (const target of TARGETS) unit(`${target}.target`, `[Unit]\nDescription=${target}\n`);
  mkdirSync(group);
  const words = [group, 'unshare', ...NAMESPACES, 'sh', '-c', BOOT, SYSTEMD ?? '', units];
  const child = spawn('sh', ['-c', 'echo $$ > "$0/cgroup.procs" && exec "$@"', ...words], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (part) => {
      said += part;
    });
  }
  const ended = new Promise((resolve) => child.once('exit', resolve));
  const ctl: Systemd['ctl'] = (...args) =>
    new Promise((resolve) => {
      const into = [
        '-t',
        String(initOf(child.pid)),
        '-p',
        '-m',
        '-C',
        '--',
        'systemctl',
        '--no-pager',
        ...args,
      ];
      execFile('nsenter', into, { timeout: 60_000 }, (error, stdout, stderr) => {
        const code = error === null ? 0 : typeof error.code === 'number' ? error.code : -1;
        resolve({ code, text: stdout + stderr });
      });
    });
  const close = async (): Promise<void> => {
    const init = initOf(child.pid);
    if (init !== undefined) process.kill(init, 'SIGKILL');
    else child.kill('SIGKILL');
    await ended;
    await until('its groups are empty', () => removeTree(group), { seen: () => said });
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    const isUp = async () =>
      child.exitCode === null &&
      initOf(child.pid) !== undefined &&
      (await ctl('is-system-running')).text.trim() === 'running';
    await until('systemd is up', isUp, { timeoutMs: 20_000, everyMs: 100, seen: () => said });
  } catch (error) {
    await close();
    throw error;
  }
  return {
    unit,
    ctl,
    async show(name, ...properties) {
      const { text } = await ctl('show', `--property=${properties.join(',')}`, name);
      const pairs = text
        .trim()
        .split('\n')
        .map((line) => line.split(/=(.*)/s));
      return Object.fromEntries(pairs.map(([key = '', value = '']) => [key, value]));
    },
    close,
  };
}

/** The child of `unshare`: what is PID 1 in there. */
function initOf(unshare: number | undefined): number | undefined {
  try {
    const pid = Number(readFileSync(`/proc/${unshare}/task/${unshare}/children`, 'latin1').split(' ')[0]);
    return pid > 0 ? pid : undefined;
  } catch {
    return undefined;
  }
}

/** False: somebody is still in it. */
function removeTree(group: string): boolean {
  try {
    for (const entry of readdirSync(group, { withFileTypes: true })) {
      if (entry.isDirectory() && !removeTree(join(group, entry.name))) return false;
    }
    rmdirSync(group);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'ENOENT';
  }
}

function groupsMount(): string | null {
  const line = readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .find((each) => each.includes(' - cgroup2 '));
  return line?.split(' ')[4] ?? null;
}
