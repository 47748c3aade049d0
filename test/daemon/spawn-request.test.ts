import { describe, expect, it } from 'vitest';
import { instanceId, programName, run } from '../../src/base/ids.ts';
import { newInstance } from '../../src/core/instance/instance.ts';
import type { ProgramPlan } from '../../src/core/plan.ts';
import { spawnRequest } from '../../src/daemon/spawn-request.ts';
import { logPathIn } from '../../src/logs/log-path.ts';
import type { SpawnRequest } from '../../src/ports/processes.ts';
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

function request(change: Parameters<typeof program>[0] = {}, index = 2): SpawnRequest {
  const plan: ProgramPlan = program(change);
  const id = instanceId(programName('worker'), index);
  const instance = newInstance(id, index, plan, { want: 'up', because: 'start' });
  const life = { run: run(12), program: plan, generation: 7, because: 'start' as const, startedAt: at(0) };
  return spawnRequest(instance, life, DAEMONS, logPathIn('/logs'));
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
