/** Keys that people know from elsewhere, where ours is not simply another word: it is deeper, it is two, or it is none. */
import { bare } from './nearest.ts';

/** The key that it is here, as a path from the program down, or in a sentence what there is instead. */
type Here = { readonly path: string } | { readonly say: string };

/** Of a program's keys; undefined for a word that nobody has. */
export const foreignKey = (name: string): Here | undefined => PROGRAM.get(bare(name));

/** The same below `rollout`; paths go down from there. */
export const foreignInRollout = (name: string): Here | undefined => ROLLOUT.get(bare(name));

/** The same at the top of the file. */
export const foreignAtTop = (name: string): Here | undefined => AT_TOP.get(bare(name));

/** `stop.timeout` as it is written: `stop: { timeout: … }`. */
export function writtenPath(path: string): string {
  const [first = '', ...rest] = path.split('.');
  return rest.length === 0
    ? first
    : `${first}: { ${writtenPath(rest.join('.'))}${rest.length > 1 ? '' : ': …'} }`;
}

const at = (path: string, ...names: string[]) => names.map((name) => [name, { path }] as const);
const told = (say: string, ...names: string[]) => names.map((name) => [name, { say }] as const);

type Entry = readonly [name: string, here: Here];

/** In the spelling of their own worlds; found in any. */
export const PROGRAM_KEYS: readonly Entry[] = [
  // How it is ended
  ...told(
    'the signal that asks it to finish is `drain: { signal: … }`, and for what still runs afterwards `stop: { signal: … }`',
    'stopsignal',
    'stop_signal',
    'KillSignal',
  ),
  ...told(
    'how long it may take to finish its jobs is `drain: { timeout: … }`, and from then to SIGKILL `stop: { timeout: … }`',
    'stopwaitsecs',
    'stop_timeout',
    'stop_grace_period',
    'kill_timeout',
    'graceful_timeout',
    'TimeoutStopSec',
    'terminationGracePeriodSeconds',
  ),
  ...told(
    'it is not needed: the leader alone is asked to end, and of what it leaves behind nothing survives',
    'killasgroup',
    'stopasgroup',
    'KillMode',
    'SendSIGKILL',
    'treekill',
  ),
  ...told(
    'it is asked by `drain: { signal: … }`; a command before that is `hooks: { pre_drain: … }`',
    'ExecStop',
  ),
  ...told('a signal is sent by "tsup-visor signal HUP PROGRAM"', 'ExecReload'),
  ...at('hooks.pre_drain', 'preStop'),
  ...at('hooks.post_stop', 'ExecStopPost'),
  // How it begins
  ...at('hooks.pre_start', 'ExecStartPre', 'initContainers', 'pre_exec'),
  ...at('hooks.post_start', 'ExecStartPost', 'postStart', 'post_exec'),
  ...at('hooks', 'lifecycle'),
  ...at('ready.for', 'startsecs', 'warmup_delay'),
  ...at('ready.timeout', 'TimeoutStartSec', 'listen_timeout'),
  ...told(
    'what makes it ready is `ready: { when: … }`: notify for one that says so itself',
    'Type',
    'wait_ready',
    'NotifyAccess',
  ),
  ...at('ready', 'startupProbe'),
  ...at('command', 'entrypoint', 'program', 'start_command'),
  ...told(
    'it is the first word of `command`, with its options',
    'interpreter',
    'node_args',
    'interpreter_args',
  ),
  ...told('its name is the key above it', 'name', 'process_name', 'container_name'),
  ...told('instances are numbered from 0', 'numprocs_start'),
  ...told('each instance is a process of its own; how many is `instances`', 'exec_mode', 'cluster'),
  // When it is started again
  ...at('backoff.initial', 'RestartSec', 'restart_delay', 'exp_backoff_restart_delay', 'backoff_seconds'),
  ...at(
    'backoff.give_up_after',
    'startretries',
    'max_restarts',
    'StartLimitBurst',
    'backoffLimit',
    'max_retries',
    'max_retry',
  ),
  ...at('backoff.reset_after', 'min_uptime', 'StartLimitIntervalSec', 'StartLimitInterval'),
  ...at('backoff', 'availability'),
  ...at('success_exit_codes', 'SuccessExitStatus', 'stop_exit_codes'),
  ...told(
    'nothing is restarted by the clock; `max_age` replaces each instance after so long, `schedule` runs a job to completion',
    'cron_restart',
  ),
  ...told(
    'no files are watched; "tsup-visor rolling-restart" takes a new build',
    'watch',
    'ignore_watch',
    'autoreload',
  ),
  // What it may have
  ...at('limits.memory_max', 'MemoryMax', 'mem_limit', 'memory_limit'),
  ...at('limits.cpu_max', 'CPUQuota', 'cpus', 'cpu_limit'),
  ...at('limits.nofile', 'LimitNOFILE'),
  ...at('limits.nproc', 'LimitNPROC'),
  ...at('limits.core', 'LimitCORE'),
  ...at('limits', 'resources'),
  ...at('max_memory', 'MemoryHigh'),
  ...at('user', 'runAsUser'),
  ...at('group', 'runAsGroup'),
  ...told('who it is, are `user` and `group`', 'securityContext'),
  // Where its output goes
  ...at('logs.stdout', 'stdout_logfile', 'StandardOutput', 'out_file', 'log_location', 'log_file'),
  ...at('logs.stderr', 'stderr_logfile', 'StandardError', 'error_file', 'err_file'),
  ...told(
    'stderr goes to where stdout goes unless `logs: { stderr: … }` says otherwise',
    'redirect_stderr',
    'merge_logs',
    'combine_logs',
  ),
  ...at('logs.max_size', 'stdout_logfile_maxbytes', 'stderr_logfile_maxbytes', 'max_log_size'),
  ...at('logs.keep', 'stdout_logfile_backups', 'stderr_logfile_backups'),
  ...at('logs.timestamps', 'log_date_format', 'disable_timestamp'),
  // How it is replaced
  ...at('rollout.min_healthy_time', 'minReadySeconds'),
  ...at('rollout.healthy_deadline', 'progressDeadlineSeconds', 'progress_deadline'),
  ...at('rollout.max_parallel', 'maxUnavailable', 'parallelism'),
  ...at('rollout.max_surge', 'maxSurge'),
  ...at('rollout.on_failure', 'failure_action'),
  ...told('it goes back by itself with `rollout: { on_failure: … }`', 'auto_revert', 'rollback_config'),
  ...told('a canary goes on by itself after `rollout: { canary_hold: … }`', 'auto_promote'),
  ...told(
    'so many turns may fail as `rollout: { max_failures: … }` says: a number',
    'max_failure_ratio',
    'max_fail_percentage',
  ),
  ...told('the last 10 revisions are kept', 'revisionHistoryLimit'),
  ...told(
    'a program has no parts; its keys stand here, right below its name',
    'Service',
    'Unit',
    'Install',
    'spec',
  ),
  ...told(
    'programs run on this machine as they are, in no container',
    'image',
    'build',
    'ports',
    'volumes',
    'networks',
    'containers',
  ),
];

/** What Kubernetes, Nomad and Docker have in the block that `rollout` is here. */
export const ROLLOUT_KEYS: readonly Entry[] = [
  ...told(
    'the next turn comes when the last replacement has been ready for `min_healthy_time`',
    'delay',
    'stagger',
  ),
  ...told('it goes back by itself with `on_failure: revert`', 'auto_revert', 'rollback_config'),
  ...told(
    'a canary goes on by itself after `canary_hold: 10m`, and with `manual` when somebody promotes it',
    'auto_promote',
  ),
  ...told(
    'so many turns may fail as `max_failures: 1` says: a number',
    'max_failure_ratio',
    'max_fail_percentage',
  ),
  ...told(
    'whether a replacement works, `ready` and `health` of the program say; a question of your own is `check: { exec: … }`',
    'health_check',
  ),
  ...told(
    'it is always rolling; its keys stand here, right below "rollout"',
    'type',
    'rollingUpdate',
    'update_config',
  ),
  ...told('how many there are is `instances` of the program', 'replicas'),
  ...told('the last 10 revisions are kept', 'revisionHistoryLimit'),
];

const TOP_KEYS: readonly Entry[] = [
  ...at('programs', 'services', 'apps', 'processes', 'watchers', 'program', 'procs', 'workers'),
  ...at('supervisor', 'supervisord', 'daemon', 'global', 'settings'),
  ...at('groups', 'group', 'profiles'),
  ...at('defaults', 'default', 'common', 'x-defaults'),
  ...told('a config has no version', 'version'),
  ...told(
    'the control socket is in `supervisor: { run_dir: … }`',
    'unix_http_server',
    'inet_http_server',
    'supervisorctl',
    'rpcinterface',
  ),
  ...told('variables are given to each program; for all of them `defaults: { environment: … }`', 'env'),
];

const PROGRAM: ReadonlyMap<string, Here> = mapOf(PROGRAM_KEYS);
const ROLLOUT: ReadonlyMap<string, Here> = mapOf(ROLLOUT_KEYS);
const AT_TOP: ReadonlyMap<string, Here> = mapOf(TOP_KEYS);

function mapOf(entries: readonly Entry[]): Map<string, Here> {
  return new Map(entries.map(([name, here]) => [bare(name), here]));
}
