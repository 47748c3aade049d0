/** Every key of the config, declared once: its shape, its default, and what it means. */
import { durationOrNone } from './durations.ts';
import { list, map, record } from './maps.ts';
import { path } from './paths.ts';
import { ownLogs } from './policies.ts';
import { program } from './program-keys.ts';
import { mode, text } from './scalars.ts';
import type { Fields, Shape } from './shape.ts';
import { NAME } from './where.ts';

/** What may stand below `supervisor`. */
export const SUPERVISOR = {
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
  logs: {
    as: 'ownLog',
    shape: ownLogs,
    doc: "The daemon's own log, LOG_DIR/daemon.log.",
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
