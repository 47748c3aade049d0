/** Every key of the config, declared once: its shape, its default, and what it means. */
import { list, map, objectOf, record, variants } from './maps.ts';
import { backoffRules, commandRules, logsRules, rolloutRules } from './rules.ts';
import {
  boolean,
  decimal,
  duration,
  durationOrNone,
  integer,
  mode,
  orNone,
  path,
  percentage,
  signal,
  text,
  word,
} from './scalars.ts';
import type { Fields, Shape } from './shape.ts';
import { command, inherited, maxParallel, stderrTarget, stdoutTarget } from './values.ts';
import { NAME } from './where.ts';

export const MOST_INSTANCES = 10_000;

const backoff = map(
  {
    initial: { as: 'initialMs', shape: duration, fallback: '100ms', doc: 'The first delay.' },
    factor: {
      as: 'factor',
      shape: decimal(1, 100),
      fallback: 2,
      doc: 'Each delay is so many times the last.',
    },
    max: { as: 'maxMs', shape: duration, fallback: '30s', doc: 'No delay is longer.' },
    jitter: {
      as: 'jitter',
      shape: percentage,
      fallback: '10%',
      doc: 'By how much a delay is lengthened or shortened by chance, so that instances do not start in step.',
    },
    reset_after: {
      as: 'resetAfterMs',
      shape: duration,
      fallback: '10s',
      doc: 'After a run that was ready for so long, the count and the delay begin anew.',
    },
    give_up_after: {
      as: 'giveUpAfter',
      shape: orNone(integer(1, 1_000_000)),
      fallback: 10,
      doc: 'So many failures in a row and the instance is `failed`; none: it is tried for ever.',
    },
  },
  { refine: backoffRules },
);

const ready = variants('when', 'What makes an instance ready: `spawned` or `notify`.', {
  spawned: {
    for: {
      as: 'forMs',
      shape: duration,
      fallback: '1s',
      doc: 'With `spawned`: ready when it has been alive for so long.',
    },
  },
  notify: {
    timeout: {
      as: 'timeoutMs',
      shape: durationOrNone,
      fallback: '30s',
      doc: 'With `notify`: the start has failed when READY=1 has not come by then; or none.',
    },
  },
});

const NOT_A_REQUEST = 'it would cut the jobs; it belongs to `stop`';

const drain = map({
  signal: {
    as: 'signal',
    shape: signal({ KILL: NOT_A_REQUEST, STOP: 'a stopped process cannot finish its jobs' }),
    fallback: 'TERM',
    doc: 'Sent once, to the leader alone, to ask it to finish its jobs.',
  },
  done_when: {
    as: 'doneWhen',
    shape: word('exit', 'notify'),
    fallback: 'exit',
    doc: 'Its jobs are done when the leader exits, or when it sends X_DRAINED=1.',
  },
  wait_for: {
    as: 'waitFor',
    shape: word('tree', 'leader'),
    fallback: 'tree',
    doc: 'Whether the processes that it has started count as jobs, or it alone.',
  },
  timeout: {
    as: 'timeoutMs',
    shape: durationOrNone,
    fallback: '5m',
    doc: 'How long a drain may take; or none.',
  },
  on_timeout: {
    as: 'onTimeout',
    shape: word('pause', 'kill'),
    fallback: 'pause',
    doc: 'What a drain that is too long does to a rolling restart; any other planned end goes on to `stop`.',
  },
});

const stop = map({
  signal: {
    as: 'signal',
    shape: signal(),
    fallback: 'TERM',
    doc: 'Sent after the drain, if something still runs.',
  },
  timeout: {
    as: 'timeoutMs',
    shape: duration,
    fallback: '10s',
    doc: 'After this comes SIGKILL, to all that is left.',
  },
});

const rollout = map(
  {
    max_parallel: {
      as: 'maxParallel',
      shape: maxParallel,
      fallback: 1,
      doc: 'How many instances may be away at once: a number or a percentage.',
    },
    min_healthy_time: {
      as: 'minHealthyTimeMs',
      shape: duration,
      fallback: '10s',
      doc: 'A replacement must have been ready for so long before the next one is touched.',
    },
    healthy_deadline: {
      as: 'healthyDeadlineMs',
      shape: durationOrNone,
      fallback: '5m',
      doc: 'A replacement that is not there by then pauses the rolling restart; or none.',
    },
    order: {
      as: 'order',
      shape: word('idle_first', 'oldest', 'index'),
      fallback: 'idle_first',
      doc: 'Whose turn is first: the one with the fewest jobs (X_INFLIGHT), the oldest, or the lowest number.',
    },
  },
  { refine: rolloutRules },
);

const logs = map(
  {
    stdout: {
      as: 'stdout',
      shape: stdoutTarget,
      fallback: 'default',
      doc: 'default (LOG_DIR/PROGRAM-INDEX.log), none, or a path with {{index}} in it.',
    },
    stderr: {
      as: 'stderr',
      shape: stderrTarget,
      fallback: 'merge',
      doc: 'merge (to where stdout goes), default (LOG_DIR/PROGRAM-INDEX.err.log), none, or a path.',
    },
  },
  { refine: logsRules },
);

const RESERVED = /^(?:TSUP_VISOR_.*|NOTIFY_SOCKET)$/;

const environment = record({
  of: text({ expects: 'a text; "" for an empty one', templates: true }),
  refuse(name) {
    if (RESERVED.test(name)) return `${name} is set by tsup-visor itself; choose another name`;
    if (/^[A-Za-z_][A-Za-z0-9_.-]*$/.test(name)) return undefined;
    return `${JSON.stringify(name)} cannot name a variable; use letters, digits and _`;
  },
});

const PROGRAM = {
  command: {
    as: 'command',
    shape: command,
    doc: 'What to run: a line, split as a shell would and run without one, or a list of words.',
    aka: ['cmd', 'script', 'exec', 'run', 'exec_start', 'args'],
  },
  shell: {
    as: 'shell',
    shape: boolean,
    fallback: false,
    doc: 'Run the command by /bin/sh -c; put `exec` before the last one, so that the shell does not stay.',
  },
  instances: {
    as: 'instances',
    shape: integer(0, MOST_INSTANCES),
    fallback: 1,
    doc: `How many of it, numbered from 0; at most ${MOST_INSTANCES}.`,
    aka: ['numprocs', 'replicas', 'count', 'scale', 'processes'],
  },
  directory: {
    as: 'directory',
    shape: path(),
    fallback: '.',
    doc: 'Where it runs; relative to the folder of this file.',
    aka: ['cwd', 'dir', 'working_dir', 'working_directory', 'chdir'],
  },
  environment: {
    as: 'environment',
    shape: objectOf(environment),
    fallback: new Map<string, string>(),
    doc: 'Variables for it, over those that the daemon was started with.',
    aka: ['env', 'envs', 'vars'],
  },
  inherit_environment: {
    as: 'inheritEnvironment',
    shape: inherited,
    fallback: true,
    doc: 'All of the variables that the daemon was started with, none (false), or a list of names.',
  },
  autostart: {
    as: 'autostart',
    shape: boolean,
    fallback: true,
    doc: 'Whether `start` without names starts it.',
    aka: ['enabled', 'startup'],
  },
  restart: {
    as: 'restart',
    shape: word('always', 'on_failure', 'never'),
    fallback: 'always',
    doc: 'Whether an instance that has ended by itself is started again.',
    aka: ['autorestart', 'restart_policy'],
  },
  success_exit_codes: {
    as: 'successExitCodes',
    shape: distinct(list(integer(0, 255), 'a list of exit codes, such as [0]')),
    fallback: [0],
    doc: 'These are not failures. An end by the signal that was sent is none either.',
    aka: ['exitcodes', 'exit_codes'],
  },
  backoff: {
    as: 'backoff',
    shape: orNone(backoff),
    fallback: new Map<string, string>(),
    doc: 'The delay before a failed instance is started again; none: at once, for ever.',
    aka: ['restart_delay', 'startretries'],
  },
  ready: { as: 'ready', shape: ready, doc: 'What makes an instance ready.', aka: ['readiness', 'startsecs'] },
  drain: {
    as: 'drain',
    shape: drain,
    doc: 'How an instance is asked to finish its jobs before any planned end.',
  },
  stop: {
    as: 'stop',
    shape: stop,
    doc: 'How what still runs after the drain is ended.',
    aka: ['stopsignal', 'stopwaitsecs', 'kill_timeout', 'stop_grace_period'],
  },
  rollout: {
    as: 'rollout',
    shape: rollout,
    doc: 'How a rolling restart goes from instance to instance.',
    aka: ['update_config', 'deploy', 'strategy'],
  },
  logs: {
    as: 'logs',
    shape: logs,
    doc: 'Where the output of an instance goes.',
    aka: ['log', 'logging', 'stdout_logfile', 'stderr_logfile'],
  },
} as const satisfies Fields;

export const program = map(PROGRAM, { own: true, refine: commandRules });

const SUPERVISOR = {
  name: {
    as: 'name',
    shape: text({ expects: 'a name of letters, digits, _ . -', pattern: NAME }),
    derived: "name of this file's folder",
    doc: 'The name of this supervisor, and of its folders.',
  },
  run_dir: {
    as: 'runDir',
    shape: path(),
    derived:
      '/run/tsup-visor/NAME for root, else $XDG_RUNTIME_DIR/tsup-visor/NAME or a folder in the temp dir',
    doc: 'The control socket, the lock and the pipes of this boot.',
  },
  state_dir: {
    as: 'stateDir',
    shape: path(),
    derived: '/var/lib/tsup-visor/NAME for root, else ~/.local/state/tsup-visor/NAME',
    doc: 'What must outlive a boot: wishes and rollouts.',
  },
  log_dir: {
    as: 'logDir',
    shape: path(),
    derived: '/var/log/tsup-visor/NAME for root, else STATE_DIR/logs',
    doc: 'The log files that have no path of their own.',
  },
  socket_mode: {
    as: 'socketMode',
    shape: mode,
    fallback: '0600',
    doc: 'Who may talk to the daemon: permission bits of the control socket.',
  },
  shutdown_timeout: {
    as: 'shutdownTimeoutMs',
    shape: durationOrNone,
    fallback: 'none',
    doc: 'The whole of `shutdown`; after it come `stop`, then SIGKILL.',
  },
} as const satisfies Fields;

const nameRule = (kind: string) => (name: string) =>
  NAME.test(name)
    ? undefined
    : `${JSON.stringify(name)} cannot name a ${kind}; use letters, digits, _ . - and begin with a letter or digit`;

/** What may stand at the top of the file. */
export const TOP = {
  supervisor: { as: 'supervisor', shape: map(SUPERVISOR), doc: 'The daemon itself.' },
  groups: {
    as: 'groups',
    shape: record({
      of: list(text({ expects: 'the name of a program' }), 'a list of programs'),
      refuse: nameRule('group'),
    }),
    fallback: new Map<string, string>(),
    doc: 'Names for several programs: `@batch` selects all programs of the group `batch`.',
  },
  defaults: {
    as: 'defaults',
    shape: partly(program),
    fallback: new Map<string, string>(),
    doc: 'Keys that apply to each program which does not say otherwise.',
  },
  programs: {
    as: 'programs',
    shape: record({ of: program, refuse: nameRule('program'), apart: true }),
    doc: 'What to run, by name.',
  },
} as const satisfies Fields;

/** Read for its mistakes alone: each program has been laid over it. */
function partly(shape: Shape<unknown>): Shape<true> {
  return {
    expects: shape.expects,
    read(tree, reading, at) {
      shape.read(tree, { ...reading, partial: true }, at);
      return true;
    },
    show: () => new Map(),
  };
}

function distinct(shape: Shape<readonly number[]>): Shape<readonly number[]> {
  return {
    ...shape,
    read(tree, reading, at) {
      const values = shape.read(tree, reading, at);
      const twice = values?.findIndex((value, index) => values.indexOf(value) !== index) ?? -1;
      if (twice === -1) return values;
      const item = tree.kind === 'list' ? tree.items[twice] : undefined;
      reading.complain((item ?? tree).span, `${at.path} has ${values?.[twice]} twice`);
      return undefined;
    },
  };
}
