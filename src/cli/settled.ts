/** Whether programs that come, go or change in number have got where they are wanted, and which have not. */
import type { InstanceStatus } from '../protocol/status.ts';
import { isFault } from './render/status.ts';

type Instances = readonly InstanceStatus[];

/** Those that are on their way. `instances`: all that there are, for one may wait for another that is. */
export const inMotion = (instances: Instances, programs: readonly string[]): InstanceStatus[] =>
  instances.filter((each) => programs.includes(each.program) && moves(each, instances));

/** Those that are wanted, and not as they should be. */
export const shortOf = (instances: Instances, programs: readonly string[]): InstanceStatus[] =>
  instances.filter((each) => programs.includes(each.program) && isFault(each));

/** Those that are wanted, and run as they should. */
export const readyOf = (instances: Instances, programs: readonly string[]): InstanceStatus[] =>
  instances.filter((each) => programs.includes(each.program) && isReady(each));

const isReady = (instance: InstanceStatus): boolean =>
  instance.wanted === 'up' && instance.state === 'running' && !isFault(instance);

const isAtRest = ({ state }: InstanceStatus): boolean =>
  state === 'stopped' || state === 'exited' || state === 'failed';

function moves(instance: InstanceStatus, all: Instances): boolean {
  if (instance.wanted === 'down') return !isAtRest(instance);
  if (instance.state === 'waiting') return instance.waits_for !== null && all.some(isOnItsWay);
  return isOnItsWay(instance);
}

function isOnItsWay({ wanted, state, ready }: InstanceStatus): boolean {
  if (state === 'running') return !ready;
  if (state === 'stopped') return wanted === 'up';
  return state === 'starting' || state === 'draining' || state === 'stopping';
}
