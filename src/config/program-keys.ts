/** The keys of a program, each declared once. */
import { list, map, objectOf, record } from './maps.ts';
import { path } from './paths.ts';
import { backoff, drain, logs, ready, rollout, stop } from './policies.ts';
import { commandRules } from './rules.ts';
import { orNone } from './scalar.ts';
import { boolean, integer, text, word } from './scalars.ts';
import type { Fields, Shape } from './shape.ts';
import { command, inherited } from './values.ts';

const MOST_INSTANCES = 10_000;

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
    shape: path(true),
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
