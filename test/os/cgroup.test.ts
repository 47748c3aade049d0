/** What is read from and written to cgroups, on plain folders that look like them: no machine has all of it. */
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { run } from '../../src/base/ids.ts';
import { Cgroup } from '../../src/os/cgroup.ts';
import { Cgroups } from '../../src/os/cgroup-home.ts';
import { Controllers, type GroupLimits } from '../../src/os/cgroup-limits.ts';
import { findCgroupPlace } from '../../src/os/cgroup-place.ts';
import { daemonKey } from '../../src/os/mark.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'cgroup-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** A group with these files. */
function group(path: string, files: Readonly<Record<string, string>>): Cgroup {
  mkdirSync(join(folder, path), { recursive: true });
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, path, name), text);
  return new Cgroup(join(folder, path));
}

const has = (path: string): string => readFileSync(join(folder, path), 'utf8');

describe('a group', () => {
  test('has the processes of all groups below it, unless the kernel says that there are none', () => {
    const top = group('run', { 'cgroup.events': 'populated 1\nfrozen 0\n', 'cgroup.procs': '10\n11\n' });
    group('run/below/deep', { 'cgroup.procs': '12\n' });
    expect(top.pids()).toEqual([10, 11, 12]);
    group('run', { 'cgroup.events': 'populated 0\nfrozen 0\n' });
    expect(top.pids()).toEqual([]);
  });

  test('says what it has used, and nothing where no controller is at work', () => {
    const files = { 'memory.current': '5000\n', 'memory.stat': 'anon 1\ninactive_file 1000\nfile 2000\n' };
    const full = group('full', { ...files, 'cpu.stat': 'usage_usec 2500\nuser_usec 1\n' });
    expect([full.memoryBytes(), full.cpuMs()]).toEqual([4000, 2.5]);
    expect([group('bare', {}).memoryBytes(), group('bare', {}).cpuMs()]).toEqual([null, null]);
  });

  test('counts what the kernel has ended for want of memory', () => {
    expect(group('run', { 'memory.events': 'low 0\noom 3\noom_kill 2\noom_group_kill 1\n' }).oomKills()).toBe(
      2,
    );
    expect(group('none', {}).oomKills()).toBe(0);
  });

  test('an old kernel cannot kill a whole group', () => {
    expect(group('old', {}).kill()).toBe(false);
    expect(existsSync(join(folder, 'old/cgroup.kill'))).toBe(false);
    expect(group('new', { 'cgroup.kill': '' }).kill()).toBe(true);
    expect(has('new/cgroup.kill')).toBe('1');
  });
});

test('empty groups of daemons that are no more are removed by another, those of one that lives are not', () => {
  const own = group('own', {});
  const hourAgo = new Date(Date.now() - 3_600_000);
  const age = (...paths: string[]) => {
    for (const path of paths) utimesSync(join(folder, 'own', path), hourAgo, hourAgo);
  };
  for (const path of [
    'tsup-visor-dead/run-1/below',
    'tsup-visor-live/run-1',
    'tsup-visor-busy/run-2',
    'other/run-1',
  ])
    mkdirSync(join(folder, 'own', path), { recursive: true });
  group('own/tsup-visor-busy/run-2', { populated: 'by something' }); // what is populated cannot be removed
  age(
    'tsup-visor-dead/run-1',
    'tsup-visor-dead',
    'tsup-visor-live',
    'tsup-visor-busy/run-2',
    'tsup-visor-busy',
  );
  age('other/run-1', 'other');
  new Cgroups({ own, home: group('own/tsup-visor-mine', {}), leaf: new Cgroup(join(own.path, 'leaf')) });
  expect(readdirSync(own.path).sort()).toEqual([
    'other',
    'tsup-visor-busy',
    'tsup-visor-live',
    'tsup-visor-mine',
  ]);
  expect(readdirSync(join(own.path, 'tsup-visor-live'))).toEqual(['run-1']);
});

describe('the group of a run that is about to begin', () => {
  const open = (number: number) => {
    const place = {
      own: group('own', {}),
      home: group('own/home', {}),
      leaf: new Cgroup(join(folder, 'own/leaf')),
    };
    const cgroups = new Cgroups(place);
    return {
      place,
      begin: () => {
        const opened = cgroups.open(run(number), { memoryMax: null, cpuMax: null });
        return opened.ok ? opened.value.path : opened.error;
      },
    };
  };

  test('is made with its home, should somebody have removed that', () => {
    const { place, begin } = open(1);
    rmSync(place.home.path, { recursive: true });
    expect(begin()).toBe(join(place.home.path, 'run-1'));
    expect(readdirSync(place.home.path)).toEqual(['run-1']);
  });

  test('takes the place of an empty one of that name, and leaves one that something lives in alone', () => {
    const { place, begin } = open(-3);
    mkdirSync(join(place.home.path, 'command-3'));
    expect(begin()).toBe(join(place.home.path, 'command-3'));
    writeFileSync(join(place.home.path, 'command-3', 'cgroup.procs'), '1'); // cannot be removed
    expect(begin()).toBe(join(place.home.path, 'command-3.2'));
  });

  test('is not made where that is refused, and the reason is told', () => {
    const { place, begin } = open(1);
    rmSync(place.home.path, { recursive: true });
    writeFileSync(place.home.path, '');
    expect(begin()).toMatchObject({
      stage: 'cgroup',
      message: expect.stringContaining('cannot make the group'),
    });
  });
});

describe('limits', () => {
  const limit = (
    limits: Partial<GroupLimits>,
    own: Record<string, string>,
    more: Record<string, string> = {},
  ) => {
    const place = {
      own: group('own', { 'cgroup.subtree_control': '', 'cgroup.procs': '', ...own }),
      home: group('own/home', { 'cgroup.subtree_control': '' }),
      leaf: new Cgroup(join(folder, 'own/leaf')),
    };
    const run = group('own/home/run', {
      'memory.max': 'max',
      'memory.oom.group': '0',
      'cpu.max': 'max',
      ...more,
    });
    const controllers = new Controllers(place);
    return { controllers, problem: controllers.limit(run, { memoryMax: null, cpuMax: null, ...limits }) };
  };

  test.each([
    ['memory', { memoryMax: 1000 }, { 'memory.max': '1000', 'memory.oom.group': '1' }],
    ['cpu', { cpuMax: 1.5 }, { 'cpu.max': '150000 100000' }],
    ['cpu', { cpuMax: 0.001 }, { 'cpu.max': '1000 100000' }],
  ])('of %s are written once the controller is at work all the way down', (controller, limits, files) => {
    expect(limit(limits, { 'cgroup.controllers': 'cpu memory pids\n' }).problem).toBeNull();
    for (const path of ['own', 'own/home'])
      expect(has(`${path}/cgroup.subtree_control`)).toBe(`+${controller}`);
    for (const [file, value] of Object.entries(files)) expect(has(`own/home/run/${file}`)).toBe(value);
  });

  test.each([
    ['are gone with their controller', '', '', { 'memory.max': '1000', 'cpu.max': '50000 100000' }],
    ['are as they were', '2000', '50000 100000', { 'memory.max': '2000', 'cpu.max': '50000 100000' }],
    ['are open', 'max', 'max 100000', { 'memory.max': '1000', 'cpu.max': '50000 100000' }],
  ])('of a run that is taken up are set again where they %s', (_, memory, cpu, files) => {
    const own = { 'cgroup.controllers': 'cpu memory\n' };
    const { controllers } = limit({}, own, { 'memory.max': memory, 'cpu.max': cpu });
    const run = new Cgroup(join(folder, 'own/home/run'));
    expect(controllers.restore(run, { memoryMax: 1000, cpuMax: 0.5 })).toBeNull();
    for (const [file, value] of Object.entries(files)) expect(has(`own/home/run/${file}`)).toBe(value);
  });

  test('that nobody has asked for touch nothing', () => {
    expect(limit({}, { 'cgroup.controllers': 'cpu memory\n' }).problem).toBeNull();
    expect(has('own/cgroup.subtree_control')).toBe('');
  });

  test('without their controller are refused by name', () => {
    const own = { 'cgroup.controllers': 'pids\n' };
    const message = (what: string) =>
      `${what}_max needs the ${what} controller of cgroup v2, which is not available here`;
    expect(limit({ memoryMax: 1 }, own).problem).toBe(message('memory'));
    expect(limit({ cpuMax: 1 }, own).problem).toBe(message('cpu'));
  });

  test('that the system does not take are refused with its word', () => {
    const own = { 'cgroup.controllers': 'memory', 'cgroup.subtree_control': 'memory' };
    const { controllers } = limit({}, own);
    rmSync(join(folder, 'own/home/run/memory.max'));
    const problem = controllers.limit(new Cgroup(join(folder, 'own/home/run')), {
      memoryMax: 1,
      cpuMax: null,
    });
    expect(problem).toBe('cannot set memory_max to 1: no such file or directory');
  });
});

describe('the place of the groups', () => {
  const runDir = '/run/somewhere';
  const home = `tsup-visor-${daemonKey(runDir)}`;
  const find = (cgroup: string, root = '/') =>
    findCgroupPlace(runDir, {
      cgroup: `9:name=systemd:/x\n${cgroup}\n`,
      mountinfo: `30 1 0:1 / /sys/fs/cgroup rw - tmpfs tmpfs rw\n31 30 0:2 ${root} ${folder.replaceAll(' ', '\\040')}/a\\040b rw,nosuid shared:4 - cgroup2 cgroup2 rw\n`,
    });
  /** As the kernel would make them with the group. */
  const prepare = (path: string) => {
    group(path, { 'cgroup.procs': '' });
    group(`${path}/${home}`, { 'cgroup.events': 'populated 0\n' });
  };

  test('is below the group of the daemon, wherever that is mounted', () => {
    prepare('a b/system.slice/x.service');
    expect(find('0::/system.slice/x.service')?.home.path).toBe(
      join(folder, 'a b/system.slice/x.service', home),
    );
    expect(find('0::/docker/1/system.slice/x.service', '/docker/1')?.own.path).toBe(
      join(folder, 'a b/system.slice/x.service'),
    );
  });

  test('is nowhere, if that is not mounted, or nothing may be written there', () => {
    mkdirSync(join(folder, 'a b'));
    expect(find('0::/../elsewhere')).toBeNull();
    expect(find('0::/elsewhere', '/docker/1')).toBeNull();
    expect(find('')).toBeNull();
    expect(find('0::/no/such/group')).toBeNull();
    expect(find('0::/')).toBeNull();
  });

  test('is not below the run or the leaf in which somebody has started the daemon', () => {
    prepare('a b/x');
    expect(find(`0::/x/${home}/run-5/below`)?.home.path).toBe(join(folder, 'a b/x', home));
    expect(has('a b/x/cgroup.procs')).toBe(String(process.pid));
    expect(find('0::/x/tsup-visor-daemon')?.home.path).toBe(join(folder, 'a b/x', home));
  });
});
