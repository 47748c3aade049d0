/** What a config says to people who know another supervisor. */
import { expect, test } from 'vitest';
import { foreignKey, PROGRAM_KEYS, writtenPath } from '../../src/config/foreign.ts';
import { TOP } from '../../src/config/keys.ts';
import { keysIn } from '../../src/config/walk.ts';
import { aProgram, mistakesIn } from './config.ts';

const END = '`drain: { timeout: … }`, and from then to SIGKILL `stop: { timeout: … }`';

/** What is said of a key below a program: the key that is suggested, or a part of the sentence. */
const KEYS: readonly (readonly [key: string, said: string])[] = [
  // systemd
  ['ExecStart', 'command'],
  ['ExecStartPre', 'hooks: { pre_start: … }'],
  ['ExecStartPost', 'hooks: { post_start: … }'],
  ['ExecStop', '`hooks: { pre_drain: … }`'],
  ['ExecStopPost', 'hooks: { post_stop: … }'],
  ['ExecReload', 'tsup-visor signal HUP'],
  ['Restart', 'restart'],
  ['RestartSec', 'backoff: { initial: … }'],
  ['StartLimitBurst', 'backoff: { give_up_after: … }'],
  ['EnvironmentFile', 'env_file'],
  ['WorkingDirectory', 'directory'],
  ['User', 'user'],
  ['UMask', 'umask'],
  ['Type', '`ready: { when: … }`'],
  ['TimeoutStartSec', 'ready: { timeout: … }'],
  ['TimeoutStopSec', END],
  ['KillMode', 'not needed'],
  ['KillSignal', '`drain: { signal: … }`'],
  ['MemoryMax', 'limits: { memory_max: … }'],
  ['CPUQuota', 'limits: { cpu_max: … }'],
  ['LimitNOFILE', 'limits: { nofile: … }'],
  ['RuntimeMaxSec', 'max_age'],
  ['WatchdogSec', 'watchdog'],
  ['SuccessExitStatus', 'success_exit_codes'],
  ['StandardOutput', 'logs: { stdout: … }'],
  ['After', 'depends_on'],
  ['OnCalendar', 'schedule'],
  ['Service', 'right below its name'],
  // supervisord
  ['redirect_stderr', '`logs: { stderr: … }`'],
  ['stdout_logfile', 'logs: { stdout: … }'],
  ['stderr_logfile', 'logs: { stderr: … }'],
  ['stdout_logfile_maxbytes', 'logs: { max_size: … }'],
  ['stderr_logfile_backups', 'logs: { keep: … }'],
  ['killasgroup', 'not needed'],
  ['stopasgroup', 'not needed'],
  ['startsecs', 'ready: { for: … }'],
  ['stopwaitsecs', END],
  ['stopsignal', '`stop: { signal: … }`'],
  ['startretries', 'backoff: { give_up_after: … }'],
  ['autorestart', 'restart'],
  ['numprocs', 'instances'],
  ['exitcodes', 'success_exit_codes'],
  ['process_name', 'the key above it'],
  // pm2
  ['script', 'command'],
  ['cwd', 'directory'],
  ['env', 'environment'],
  ['exec_mode', '`instances`'],
  ['max_restarts', 'backoff: { give_up_after: … }'],
  ['min_uptime', 'backoff: { reset_after: … }'],
  ['restart_delay', 'backoff: { initial: … }'],
  ['kill_timeout', END],
  ['cron_restart', '`max_age`'],
  ['max_memory_restart', 'max_memory'],
  ['wait_ready', '`ready: { when: … }`'],
  ['listen_timeout', 'ready: { timeout: … }'],
  ['interpreter', '`command`'],
  ['watch', 'no files are watched'],
  ['out_file', 'logs: { stdout: … }'],
  // Docker Compose, process-compose
  ['stop_timeout', END],
  ['stop_grace_period', END],
  ['stop_signal', '`drain: { signal: … }`'],
  ['healthcheck', 'health'],
  ['working_dir', 'directory'],
  ['entrypoint', 'command'],
  ['mem_limit', 'limits: { memory_max: … }'],
  ['cpus', 'limits: { cpu_max: … }'],
  ['image', 'in no container'],
  ['availability', 'backoff'],
  // Kubernetes
  ['replicas', 'instances'],
  ['terminationGracePeriodSeconds', END],
  ['livenessProbe', 'health'],
  ['readinessProbe', 'ready'],
  ['startupProbe', 'ready'],
  ['preStop', 'hooks: { pre_drain: … }'],
  ['postStart', 'hooks: { post_start: … }'],
  ['restartPolicy', 'restart'],
  ['minReadySeconds', 'rollout: { min_healthy_time: … }'],
  ['maxUnavailable', 'rollout: { max_parallel: … }'],
  // Ours, in the spelling of elsewhere
  ['dependsOn', 'depends_on'],
  ['stop.timeout', 'stop: { timeout: … }'],
];

function saidOf(text: string): string {
  const [mistake, ...others] = mistakesIn(text);
  expect(others).toEqual([]);
  expect(mistake?.message).toMatch(/^unknown key "[^"]+"/);
  return mistake?.suggestion ?? mistake?.message ?? '';
}

test.each(KEYS)('%s: %s', (key, said) => {
  const text = saidOf(`programs: { worker: { ${commandUnless(said)}${key}: 1 } }\n`);
  if (/^\w+(: \{ \w+: … \})?$/.test(said)) expect(text).toBe(said);
  else expect(text).toContain(said);
});

/** A key that stands for the command does so: no other one is missed. */
const commandUnless = (said: string): string => (said === 'command' ? '' : 'command: x, ');

test.each([
  ['services', 'programs'],
  ['apps', 'programs'],
  ['processes', 'programs'],
  ['supervisord', 'supervisor'],
  ['version', 'a config has no version'],
  ['env', 'defaults: { environment: … }'],
])('%s at the top: %s', (key, said) => {
  const programs = said === 'programs' ? '' : aProgram('');
  expect(saidOf(`${programs}${key}: 1\n`)).toContain(said);
});

test.each([
  ['retries', 'failures'],
  ['periodSeconds', 'interval'],
  ['timeoutSeconds', 'timeout'],
  ['failureThreshold', 'failures'],
])('%s below health: %s', (key, said) => {
  expect(saidOf(aProgram(`health: { tcp: 1, ${key}: 1 }`))).toBe(said);
});

test('every path that is offered is there', () => {
  const known = new Set([...keysIn(TOP)].map(({ path }) => path.slice(2).join('.')));
  const offered = PROGRAM_KEYS.flatMap(([, here]) => ('path' in here ? [here.path] : []));
  expect(offered.filter((path) => !known.has(path))).toEqual([]);
  const quoted = PROGRAM_KEYS.flatMap(([, here]) => ('say' in here ? [here.say] : [])).flatMap((say) =>
    [...say.matchAll(/`(\w+): \{ (\w+): … \}`/g)].map(([, key, inner]) => `${key}.${inner}`),
  );
  expect(quoted.filter((path) => !known.has(path))).toEqual([]);
});

test('none of them stands twice, nor is a key of ours', () => {
  const known = new Set([...keysIn(TOP)].filter(({ path }) => path.length === 3).map(({ path }) => path[2]));
  const names = PROGRAM_KEYS.map(([name]) => name);
  expect(new Set(names).size).toBe(names.length);
  expect(names.filter((name) => known.has(name))).toEqual([]);
  expect(foreignKey('nobody has this')).toBeUndefined();
});

test.each([
  ['a', 'a'],
  ['a.b', 'a: { b: … }'],
  ['a.b.c', 'a: { b: { c: … } }'],
])('the path %s is written %s', (path, written) => {
  expect(writtenPath(path)).toBe(written);
});
