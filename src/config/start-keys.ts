/** The keys of a program that say what is started, and as whom, where and with what. */
import { durationFrom } from './durations.ts';
import { account, umask } from './identity.ts';
import { limits } from './limits.ts';
import { list, objectOf, record } from './maps.ts';
import { folder, path } from './paths.ts';
import { maxMemory } from './policies.ts';
import { orNone, orWord } from './scalar.ts';
import { boolean, integer, text } from './scalars.ts';
import type { Fields, Shape } from './shape.ts';
import { command, inherited } from './values.ts';
import { refuseVariable } from './variable-name.ts';

const MOST_INSTANCES = 10_000;

const environment = record({
  of: text({ expects: 'a text; "" for an empty one', templates: true }),
  refuse: refuseVariable,
});

const onePath = path(true);
const morePaths = list(onePath, 'a path or a list of paths');

const paths: Shape<readonly string[]> = {
  ...morePaths,
  read(tree, reading, at) {
    if (tree.kind !== 'scalar') return morePaths.read(tree, reading, at);
    const read = onePath.read(tree, reading, at);
    return read === undefined ? undefined : [read];
  },
};

export const START_KEYS = {
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
    shape: folder,
    fallback: '.',
    doc: 'Where it runs; relative to the folder of this file. A symbolic link is followed when this is read, not when it starts; with {{…}} it is not.',
    aka: ['cwd', 'dir', 'working_dir', 'working_directory', 'chdir'],
  },
  environment: {
    as: 'environment',
    shape: objectOf(environment),
    fallback: new Map<string, string>(),
    doc: 'Variables for it, over those of its files and those that the daemon was started with.',
    aka: ['env', 'envs', 'vars'],
  },
  env_file: {
    as: 'envFiles',
    shape: paths,
    fallback: [],
    doc: 'A file of variables, or a list of such, read anew at each start; later ones win.',
    aka: ['envfile', 'env_files', 'environment_file', 'environment_files', 'dotenv'],
  },
  inherit_environment: {
    as: 'inheritEnvironment',
    shape: inherited,
    fallback: true,
    doc: 'All of the variables that the daemon was started with, none (false), or a list of names.',
  },
  user: {
    as: 'user',
    shape: orWord('inherit', account('user')),
    fallback: 'inherit',
    doc: "Whose process it is, by name or number, with all groups and HOME as at a login; inherit: the daemon's own.",
    aka: ['uid', 'username', 'run_as', 'runas'],
  },
  group: {
    as: 'group',
    shape: orWord('inherit', account('group')),
    fallback: 'inherit',
    doc: "Its first group, by name or number; inherit: the user's.",
    aka: ['gid', 'groupname'],
  },
  umask: {
    as: 'umask',
    shape: orWord('inherit', umask),
    fallback: 'inherit',
    doc: 'Permission bits that files of it do not get, in octal: "022"; inherit: the daemon\'s own.',
  },
  nice: {
    as: 'nice',
    shape: orWord('inherit', integer(-20, 19)),
    fallback: 'inherit',
    doc: "Its place in the queue for the processor, from -20 (first) to 19; inherit: the daemon's own.",
    aka: ['niceness', 'renice'],
  },
  limits: {
    as: 'limits',
    shape: limits,
    doc: 'What a process of it may have; a number is the soft and the hard limit.',
    aka: ['ulimits', 'ulimit', 'rlimits', 'rlimit'],
  },
  max_memory: {
    as: 'maxMemory',
    shape: orNone(maxMemory),
    fallback: 'none',
    doc: 'An instance that takes more is drained and replaced, one at a time: a size, or a map; or none.',
    aka: ['max_memory_restart', 'maxmem', 'memory'],
  },
  max_age: {
    as: 'maxAgeMs',
    shape: orNone(durationFrom(1000)),
    fallback: 'none',
    doc: 'An instance that has run for longer is drained and replaced, one at a time; or none.',
    aka: ['max_lifetime', 'max_uptime', 'runtime_max_sec', 'ttl'],
  },
} as const satisfies Fields;
