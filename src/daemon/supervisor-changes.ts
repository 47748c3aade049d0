/** What changes in the config beside the programs: little of it can be applied to a daemon that runs. */
import { formatDuration } from '../base/duration.ts';
import type { Plan } from '../core/plan.ts';
import type { ChangeEffect, PlanChange } from '../protocol/replies.ts';

type Field = Exclude<keyof Plan, 'programs' | 'configFile' | 'groups'>;

interface Key {
  readonly key: string;
  readonly effect: ChangeEffect;
  said(plan: Plan): string;
}

/** Every field has its entry: the compiler finds the one that is forgotten. */
const KEYS: { readonly [F in Field]: Key } = {
  name: { key: 'supervisor.name', effect: 'immutable', said: ({ name }) => name },
  runDir: { key: 'supervisor.run_dir', effect: 'immutable', said: ({ runDir }) => runDir },
  stateDir: { key: 'supervisor.state_dir', effect: 'immutable', said: ({ stateDir }) => stateDir },
  logDir: { key: 'supervisor.log_dir', effect: 'immutable', said: ({ logDir }) => logDir },
  socketMode: {
    key: 'supervisor.socket_mode',
    effect: 'immutable',
    said: ({ socketMode }) => socketMode.toString(8).padStart(4, '0'),
  },
  shutdownTimeoutMs: {
    key: 'supervisor.shutdown_timeout',
    effect: 'live',
    said: ({ shutdownTimeoutMs }) =>
      shutdownTimeoutMs === null ? 'none' : formatDuration(shutdownTimeoutMs),
  },
};

export function supervisorChanges(running: Plan, fresh: Plan): PlanChange[] {
  const own = Object.values(KEYS).flatMap(({ key, effect, said }) =>
    change(key, effect, said(running), said(fresh)),
  );
  const names = [...new Set([...Object.keys(running.groups), ...Object.keys(fresh.groups)])];
  const groups = names.flatMap((name) =>
    change(`groups.${name}`, 'live', members(running, name), members(fresh, name)),
  );
  return [...own, ...groups];
}

/** The fresh plan, with what a running daemon cannot change left as it is. */
export function appliedTo(running: Plan, fresh: Plan): Plan {
  const { name, runDir, stateDir, logDir, socketMode, configFile } = running;
  return { ...fresh, name, runDir, stateDir, logDir, socketMode, configFile };
}

function change(key: string, effect: ChangeEffect, from: string, to: string): PlanChange[] {
  if (from === to) return [];
  const note = effect === 'immutable' ? 'not applied: it takes effect when the daemon is started anew' : null;
  return [{ program: '', key, from, to, effect, note }];
}

const members = ({ groups }: Plan, name: string): string =>
  Object.hasOwn(groups, name) ? `[${groups[name]?.join(', ')}]` : '(not set)';
