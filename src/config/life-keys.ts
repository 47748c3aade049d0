/** The keys of a program that say when it is started, how it is watched, and how it ends. */
import { dependencies } from './dependencies.ts';
import { drain } from './draining.ts';
import { positiveDuration } from './durations.ts';
import { health } from './health.ts';
import { hooks } from './hooks.ts';
import { list } from './maps.ts';
import { backoff, logs, stop } from './policies.ts';
import { ready } from './readiness.ts';
import { rollout } from './rolling.ts';
import { orNone } from './scalar.ts';
import { boolean, integer, word } from './scalars.ts';
import { schedule } from './schedule.ts';
import type { Fields, Shape } from './shape.ts';

export const LIFE_KEYS = {
  autostart: {
    as: 'autostart',
    shape: boolean,
    fallback: true,
    doc: 'Whether `start` without names starts it.',
    aka: ['enabled', 'startup'],
  },
  essential: {
    as: 'essential',
    shape: boolean,
    fallback: false,
    doc: 'When an instance of it is given up, the daemon drains everything and ends with exit code 1.',
    aka: ['critical', 'exit_on_end'],
  },
  depends_on: {
    as: 'dependsOn',
    shape: dependencies,
    fallback: new Map<string, string>(),
    doc: 'What must be started, ready (a list means that) or completed before it is started; they stop in reverse.',
    aka: ['depends', 'dependson', 'dependencies', 'requires', 'needs', 'wants', 'after'],
  },
  priority: {
    as: 'priority',
    shape: integer(-1_000_000, 1_000_000),
    fallback: 0,
    doc: 'Lower ones are started first, among those that no dependency orders.',
    aka: ['prio', 'startpriority'],
  },
  restart: {
    as: 'restart',
    shape: word('always', 'on_failure', 'never'),
    derived: 'always; never with a schedule',
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
  },
  schedule: {
    as: 'schedule',
    shape: orNone(schedule),
    fallback: 'none',
    doc: 'Run to completion at these times, each instance: five fields as crontab has them, or a map; or none.',
    aka: ['cron', 'crontab', 'timer', 'on_calendar'],
  },
  ready: {
    as: 'ready',
    shape: ready,
    doc: 'What makes an instance ready.',
    aka: ['readiness', 'readiness_probe'],
  },
  health: {
    as: 'health',
    shape: orNone(health),
    fallback: 'none',
    doc: 'How to find out whether a running instance still works; or none.',
    aka: ['healthcheck', 'health_check', 'liveness', 'liveness_probe'],
  },
  watchdog: {
    as: 'watchdogMs',
    shape: orNone(positiveDuration),
    fallback: 'none',
    doc: 'A running instance must send WATCHDOG=1 at least so often, or it is ended without a drain; or none.',
    aka: ['watchdog_sec'],
  },
  drain: {
    as: 'drain',
    shape: drain,
    doc: 'How an instance is asked to finish its jobs before any planned end.',
  },
  stop: {
    as: 'stop',
    shape: stop,
    doc: 'How what still runs after the drain is ended.',
  },
  rollout: {
    as: 'rollout',
    shape: rollout,
    doc: 'How a rolling restart goes from instance to instance.',
    aka: ['update_config', 'deploy', 'strategy', 'update', 'update_strategy'],
  },
  hooks: {
    as: 'hooks',
    shape: hooks,
    doc: 'Commands around the life of a run, as its user, in its directory, with its environment.',
  },
  logs: {
    as: 'logs',
    shape: logs,
    doc: 'Where the output of an instance goes.',
    aka: ['log', 'logging'],
  },
} as const satisfies Fields;

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
