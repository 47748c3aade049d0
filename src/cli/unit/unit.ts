/** The unit with which systemd keeps a daemon alive, as text. Each setting that may surprise says why it is there. */
import { formatDuration } from '../../base/duration.ts';
import type { StopTime } from '../../config/stop-time.ts';
import { assignment, commandFile, commandWord, lineValue } from './quoting.ts';

export interface UnitFacts {
  /** Of the supervisor. */
  readonly name: string;
  readonly version: string;
  /** Absolute paths. */
  readonly node: string;
  readonly program: string;
  readonly config: string;
  /** Where programs are looked for; undefined: systemd's own idea of it. */
  readonly path: string | undefined;
  /** One of a user's own manager, or one of the system's. */
  readonly manager: 'user' | 'system';
  /** Whom the system's manager runs it as; null: root. */
  readonly user: string | null;
  /** The folders that the user could not make by himself, by systemd's words: `RuntimeDirectory` and what is below it. */
  readonly folders: ReadonlyMap<FolderKind, string>;
  readonly stop: StopTime;
  /** memory_max or cpu_max are used. */
  readonly limits: boolean;
  /** The version of systemd here; null: nobody knows. */
  readonly systemd: number | null;
}

export type FolderKind = 'RuntimeDirectory' | 'StateDirectory' | 'LogsDirectory';

export const unitName = (name: string): string =>
  name === 'tsup-visor' ? 'tsup-visor.service' : `tsup-visor-${name}.service`;

export function unitText(facts: UnitFacts): string {
  const parts = [head(facts), ...sections(facts)];
  return `${parts.map((lines) => lines.join('\n')).join('\n\n')}\n`;
}

function sections(facts: UnitFacts): string[][] {
  const { name, manager } = facts;
  return [
    [
      '[Unit]',
      `Description=${lineValue(`${name}, supervised by tsup-visor`)}`,
      ...(manager === 'user' ? [] : ['Wants=network-online.target', 'After=network-online.target']),
      '# However often the daemon dies, the next one takes up what it has left running.',
      'StartLimitIntervalSec=0',
    ],
    ['[Service]', ...command(facts), ...ending(facts), ...restarting(), ...room(facts)],
    ['[Install]', `WantedBy=${manager === 'user' ? 'default.target' : 'multi-user.target'}`],
  ];
}

function head({ name, version, manager }: UnitFacts): string[] {
  const unit = unitName(name);
  const systemctl = manager === 'user' ? 'systemctl --user' : 'systemctl';
  const place = manager === 'user' ? '~/.config/systemd/user' : '/etc/systemd/system';
  return [
    `# Written by tsup-visor ${version}: export systemd${manager === 'user' ? ' --user' : ''}. It belongs to`,
    `# ${place}/${unit}, and begins to work with`,
    `# ${systemctl} daemon-reload && ${systemctl} enable --now ${unit}`,
    ...(manager === 'user' ? ['# To run without a login of this user: loginctl enable-linger'] : []),
    '# Write it anew when drains in the config get longer, or when node or tsup-visor move.',
  ];
}

function command({ node, program, config, path, user, folders }: UnitFacts): string[] {
  const words = [program, '-c', config].map(commandWord).join(' ');
  const run = `${commandFile(node)} ${words}`;
  return [
    'Type=notify',
    'NotifyAccess=main',
    ...(user === null ? [] : [`User=${lineValue(user)}`]),
    ...(path === undefined
      ? []
      : [
          '# As it was in the terminal in which this was written.',
          `Environment=${assignment('PATH', path)}`,
        ]),
    `ExecStart=${run} start --foreground`,
    `ExecReload=${run} reload --detach`,
    ...[...folders].map(([kind, folder]) => `${kind}=${commandFile(folder)}`),
    ...(folders.has('RuntimeDirectory')
      ? [
          '# It is where a daemon finds what the one before it has left running.',
          'RuntimeDirectoryPreserve=yes',
          'RuntimeDirectoryMode=0700',
        ]
      : []),
    '# What the instances write is in their logs; what the daemon says, or Node when it cannot go on, is in the journal too.',
    'StandardOutput=null',
    'StandardError=journal',
  ];
}

function ending({ stop }: UnitFacts): string[] {
  const why = stop.programs.length === 0 ? '' : `: ${stop.programs.join(', then ')}`;
  return [
    '# systemd asks the daemon alone, and the daemon its instances, which finish their jobs.',
    '# When it dies, they work on, and the next daemon takes them up.',
    'KillMode=process',
    stop.ms === null
      ? `# A drain without a limit${why}`
      : `# The longest end by the config takes ${formatDuration(stop.ms)}${why}`,
    `TimeoutStopSec=${stop.ms === null ? 'infinity' : timeSpan(stop.ms + SLACK_MS)}`,
    '# One that hangs and has been told to abort.',
    'TimeoutAbortSec=10',
  ];
}

/** For the machine to be slow in. */
const SLACK_MS = 30_000;

/** As systemd.time(7) has it. */
function timeSpan(ms: number): string {
  const seconds = Math.ceil(ms / 1000);
  const parts = [
    [Math.floor(seconds / 60), 'min'],
    [seconds % 60, 's'],
  ] as const;
  return parts.flatMap(([count, unit]) => (count === 0 ? [] : [`${count}${unit}`])).join(' ');
}

function restarting(): string[] {
  return [
    '# Not after "tsup-visor shutdown", which ends with 0.',
    'Restart=on-failure',
    'RestartSec=1',
    '# The unit itself is wrong, or another daemon runs with this config. Not 5, a mistake in the config: it is tried each',
    '# second until somebody has mended that.',
    'RestartPreventExitStatus=2 6',
    'WatchdogSec=30',
  ];
}

/** From this version on systemd can begin a daemon below the group of its unit. */
const KNOWS_SUBGROUPS = 254;

const isOldFor = ({ limits, systemd }: UnitFacts): boolean =>
  limits && systemd !== null && systemd < KNOWS_SUBGROUPS;

/** A group that shares out memory takes no process: the next daemon could not be begun in the group of its unit. */
const SHARE_NO_MORE = [
  "group=$(sed -n 's,^0::\\(.*\\.service\\)/\\.control$,\\1,p' /proc/self/cgroup)",
  '[ -n "$group" ] && cd "/sys/fs/cgroup$group" || exit 0',
  'for each in tsup-visor-*/ ./; do for what in memory cpu; do echo "-$what" > "$each/cgroup.subtree_control"; done; done 2> /dev/null',
  'exit 0',
].join('; ');

function stepBack(facts: UnitFacts): string[] {
  if (!isOldFor(facts)) return [];
  const words = ['-c', SHARE_NO_MORE].map(commandWord).join(' ');
  return [
    `# This systemd (${facts.systemd}) could not start the daemon again while its group shares out memory: limits end`,
    '# with the daemon, and the next one sets them again.',
    `ExecStopPost=${commandFile('/bin/sh')} ${words}`,
  ];
}

function room(facts: UnitFacts): string[] {
  const { limits, manager } = facts;
  return [
    '# One that is out of memory must not end the others.',
    'OOMPolicy=continue',
    '# A group of its own for each run.',
    'Delegate=yes',
    ...(limits
      ? [
          `# memory_max and cpu_max need this, and systemd ${KNOWS_SUBGROUPS} or newer: an older one passes over it.`,
        ]
      : [`# Known to systemd from ${KNOWS_SUBGROUPS} on; needed by memory_max and cpu_max only.`]),
    'DelegateSubgroup=tsup-visor-daemon',
    ...stepBack(facts),
    'TasksMax=infinity',
    ...(manager === 'user' ? [] : ['LimitNOFILE=524288']),
  ];
}
