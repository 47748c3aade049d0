import { describe, expect, it } from 'vitest';
import { instanceId, programName, run } from '../../src/base/ids.ts';
import { fail, ok, type Result } from '../../src/base/result.ts';
import { type Instance, newInstance } from '../../src/core/instance/instance.ts';
import type { Life } from '../../src/core/instance/phase.ts';
import type { ProgramPlan } from '../../src/core/plan.ts';
import { commandRequest, type Surroundings, spawnRequest } from '../../src/daemon/spawn-request.ts';
import { logPathIn } from '../../src/logs/log-path.ts';
import type { Credentials, SpawnFault, SpawnRequest } from '../../src/ports/processes.ts';
import { at, program } from '../core/rig.ts';

const DAEMONS = {
  PATH: '/bin',
  HOME: '/home/op',
  LANG: 'C',
  GONE: undefined,
  NOTIFY_SOCKET: '/run/systemd/notify',
  WATCHDOG_USEC: '30000000',
  WATCHDOG_PID: '1',
  LISTEN_FDS: '1',
  LISTEN_PID: '1',
  LISTEN_FDNAMES: 'http',
  TSUP_VISOR_NOTIFY_FD: '3',
  TSUP_VISOR_CONFIG: '/etc/x.yaml',
  TSUP_VISOR_INSTANCE: 'outer:9',
};

const WWW: Credentials = {
  uid: 33,
  gid: 33,
  groups: [33, 7],
  name: 'www',
  home: '/var/www',
  shell: '/usr/sbin/nologin',
};

/** Nobody else is known, and there are no files. */
const WORLD: Surroundings = {
  environment: DAEMONS,
  logPath: logPathIn('/logs'),
  credentials: (user) =>
    user === null || user === 'www'
      ? ok(user === null ? null : WWW)
      : fail({ stage: 'user', message: `user "${user}" does not exist` }),
  readEnvFiles: () => ok({}),
};

function lifeOf(change: Parameters<typeof program>[0], index: number): { instance: Instance; life: Life } {
  const plan: ProgramPlan = program(change);
  const id = instanceId(programName('worker'), index);
  const instance = newInstance(id, index, plan, { want: 'up', because: 'start' });
  const life = { run: run(12), program: plan, generation: 7, because: 'start' as const, startedAt: at(0) };
  return { instance, life };
}

function attempt(
  change: Parameters<typeof program>[0] = {},
  index = 2,
  world: Partial<Surroundings> = {},
): Result<SpawnRequest, SpawnFault> {
  const { instance, life } = lifeOf(change, index);
  return spawnRequest(instance, life, { ...WORLD, ...world });
}

function request(...args: Parameters<typeof attempt>): SpawnRequest {
  const made = attempt(...args);
  if (!made.ok) throw new Error(made.error.message);
  return made.value;
}

const OWN = {
  TSUP_VISOR_PROGRAM: 'worker',
  TSUP_VISOR_INSTANCE: 'worker:2',
  TSUP_VISOR_INDEX: '2',
  TSUP_VISOR_RUN: '12',
  TSUP_VISOR_REVISION: 'one',
  TSUP_VISOR_GENERATION: '7',
};

describe("an instance's environment", () => {
  it("is the daemon's, without what was meant for the daemon alone, and with who it is", () => {
    expect(request({ inheritEnvironment: true }).environment).toEqual({
      PATH: '/bin',
      HOME: '/home/op',
      LANG: 'C',
      ...OWN,
    });
  });

  it('is nothing but its own where nothing is inherited', () => {
    const { environment } = request({ inheritEnvironment: false, environment: { KEY: 'v' } });
    expect(environment).toEqual({ KEY: 'v', ...OWN });
  });

  it('has of the daemon what is named, if it is there, and never what was meant for the daemon alone', () => {
    const inheritEnvironment = ['LANG', 'GONE', 'NEVER_SET', 'NOTIFY_SOCKET'];
    expect(request({ inheritEnvironment }).environment).toEqual({ LANG: 'C', ...OWN });
  });

  it('has its own keys over inherited ones, with templates filled in', () => {
    const environment = {
      HOME: '/srv/{{instance}}',
      N: '{{ index }}',
      P: '{{program}}',
      OTHER: '{{other}} $X',
    };
    expect(request({ environment }).environment).toMatchObject({
      HOME: '/srv/worker:2',
      N: '2',
      P: 'worker',
      OTHER: '{{other}} $X',
    });
  });

  it('says truly who it is, whatever the config says', () => {
    const environment = { TSUP_VISOR_INSTANCE: 'someone:else', TSUP_VISOR_RUN: '1' };
    expect(request({ environment }).environment).toMatchObject(OWN);
  });

  it('takes a name of an object from nowhere', () => {
    expect(request({ inheritEnvironment: ['toString', 'constructor', '__proto__'] }).environment).toEqual(
      OWN,
    );
  });
});

describe('what is started', () => {
  it('has its templates filled in, word by word, so that a value never becomes two words', () => {
    const asked = request({
      command: ['run', '--name={{instance}}', '{{index}}{{index}}'],
      directory: '/srv/{{index}}',
    });
    expect(asked).toMatchObject({
      run: 12,
      id: 'worker:2',
      command: ['run', '--name=worker:2', '22'],
      directory: '/srv/2',
    });
  });

  it.each([
    [
      'the default',
      { stdout: { kind: 'default' }, stderr: 'merge' },
      '/logs/worker-2.log',
      '/logs/worker-2.log',
    ],
    [
      'a file each',
      { stdout: { kind: 'default' }, stderr: { kind: 'default' } },
      '/logs/worker-2.log',
      '/logs/worker-2.err.log',
    ],
    ['none', { stdout: { kind: 'none' }, stderr: 'merge' }, null, null],
    [
      'errors only',
      { stdout: { kind: 'none' }, stderr: { kind: 'default' } },
      null,
      '/logs/worker-2.err.log',
    ],
    [
      'a path of its own',
      { stdout: { kind: 'file', path: '/var/{{program}}/{{index}}.out' }, stderr: { kind: 'none' } },
      '/var/worker/2.out',
      null,
    ],
  ] as const)('writes where the config says: %s', (_, logs, stdout, stderr) => {
    expect(request({ logs })).toMatchObject({ stdout, stderr });
  });
});

describe('a user', () => {
  const OF_WWW = { HOME: '/var/www', USER: 'www', LOGNAME: 'www', SHELL: '/usr/sbin/nologin' };

  it('is who the process is, with the groups of a login and the variables that follow from it', () => {
    const { credentials, environment } = request({ user: 'www', inheritEnvironment: true });
    expect(credentials).toEqual(WWW);
    expect(environment).toEqual({ PATH: '/bin', LANG: 'C', ...OF_WWW, ...OWN });
  });

  it('has its variables also where nothing is inherited', () => {
    expect(request({ user: 'www', inheritEnvironment: false }).environment).toEqual({ ...OF_WWW, ...OWN });
  });

  it('gives way to env files, and those to the environment of the plan', () => {
    const world = { readEnvFiles: () => ok({ HOME: '/file', SHELL: '/file', USER: 'file' }) };
    const plan = { user: 'www', environment: { SHELL: '/plan' }, inheritEnvironment: false };
    expect(request(plan, 2, world).environment).toEqual({
      ...OWN,
      LOGNAME: 'www',
      HOME: '/file',
      USER: 'file',
      SHELL: '/plan',
    });
  });

  it('leaves HOME and the like alone where only the group is another', () => {
    const credentials = () => ok({ ...WWW, gid: 7 });
    const { environment, credentials: who } = request({ group: 'mail', inheritEnvironment: ['HOME'] }, 2, {
      credentials,
    });
    expect(environment).toEqual({ HOME: '/home/op', ...OWN });
    expect(who?.gid).toBe(7);
  });

  it('that does not exist is a failed start, with its stage, and nobody else runs it', () => {
    expect(attempt({ user: 'nobody-here' })).toEqual(
      fail({ stage: 'user', message: 'user "nobody-here" does not exist' }),
    );
  });
});

describe('env files', () => {
  it('are read in order, with the templates of their paths filled in', () => {
    const asked: (readonly string[])[] = [];
    const readEnvFiles = (paths: readonly string[]) => {
      asked.push(paths);
      return ok({ A: '1' });
    };
    const { environment } = request({ envFiles: ['/etc/a', '/etc/{{instance}}'] }, 3, { readEnvFiles });
    expect(asked).toEqual([['/etc/a', '/etc/worker:3']]);
    expect(environment).toMatchObject({ A: '1' });
  });

  it('that cannot be read are a failed start', () => {
    const fault = { stage: 'env_file', message: 'cannot read /etc/a: it does not exist' };
    expect(attempt({ envFiles: ['/etc/a'] }, 2, { readEnvFiles: () => fail(fault.message) })).toEqual(
      fail(fault),
    );
  });

  it('cannot take the name of the run away', () => {
    const readEnvFiles = () => ok({ TSUP_VISOR_RUN: '1' });
    expect(request({}, 2, { readEnvFiles }).environment).toMatchObject({ TSUP_VISOR_RUN: '12' });
  });
});

it('the umask, the niceness and the limits are those of the plan', () => {
  const limits = { resources: { nofile: 64, core: null }, memoryMax: 1e9, cpuMax: 1.5 };
  expect(request({ umask: 0o27, nice: 5, limits })).toMatchObject({ umask: 0o27, nice: 5, limits });
});

it('a program with a watchdog is told how often it must speak, and that anybody of it may', () => {
  const { environment } = request({ watchdogMs: 1500 });
  expect(environment.WATCHDOG_USEC).toBe('1500000');
  expect(environment).not.toHaveProperty('WATCHDOG_PID');
});

describe('a command of the program', () => {
  const PLAN = { command: ['check', '{{instance}}'], timeoutMs: 700, purpose: 'pre_start' };

  it('is run as the program is, and told what for', () => {
    const { instance, life } = lifeOf(
      { user: 'www', umask: 0o77, directory: '/srv/{{index}}', inheritEnvironment: false },
      2,
    );
    expect(commandRequest(instance, life, PLAN, WORLD)).toEqual(
      ok({
        id: 'worker:2',
        command: ['check', 'worker:2'],
        directory: '/srv/2',
        environment: {
          HOME: '/var/www',
          USER: 'www',
          LOGNAME: 'www',
          SHELL: '/usr/sbin/nologin',
          ...OWN,
          TSUP_VISOR_HOOK: 'pre_start',
        },
        credentials: WWW,
        umask: 0o77,
        timeoutMs: 700,
      }),
    );
  });

  it('cannot be run by a user who does not exist', () => {
    const { instance, life } = lifeOf({ user: 'ghost' }, 2);
    expect(commandRequest(instance, life, PLAN, WORLD)).toMatchObject({
      ok: false,
      error: { stage: 'user' },
    });
  });
});
