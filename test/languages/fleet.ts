/** Instances of one program under the built daemon, asked over its socket. */
import type { TestContext } from 'vitest';
import { connect } from '../../src/client/index.ts';
import type { InstanceStatus } from '../../src/protocol/status.ts';
import { type EventLog, followEvents } from '../e2e/event-log.ts';
import { until } from '../e2e/until.ts';
import { createWorld, type Program, type World } from '../e2e/world.ts';

export interface Fleet {
  readonly world: World;
  readonly log: EventLog;
  /** Waits until the instances are as wanted. */
  see(what: string, isSo: (all: readonly InstanceStatus[]) => boolean): Promise<readonly InstanceStatus[]>;
  /** The pid of each instance that has had one; of several runs the last. */
  leaders(): number[];
}

/** All are ready. Closed when the test is over. */
export async function openFleet({ onTestFinished }: TestContext, program: Program): Promise<Fleet> {
  const world = createWorld();
  onTestFinished(() => world.close());
  world.configure({
    worker: {
      ready: { when: 'notify', timeout: '20s' },
      drain: { timeout: '30s' },
      stop: { timeout: '5s' },
      backoff: 'none',
      rollout: { min_healthy_time: '100ms' },
      ...program,
    },
  });
  await world.succeed('start');
  const log = followEvents(world.socket());
  onTestFinished(() => log.close());
  const client = connect(world.socket());
  const see: Fleet['see'] = (what, isSo) => {
    let last: readonly InstanceStatus[] = [];
    const look = async () => {
      last = (await client.status({ usage: false })).instances;
      return isSo(last) ? last : undefined;
    };
    return until(what, look, { seen: () => JSON.stringify(last) });
  };
  await log.sees('that all have begun', (event) => event.type === 'ready');
  const leaders = (): number[] => [
    ...new Map(log.of('spawned').map(({ instance, pid }) => [instance, pid])).values(),
  ];
  return { world, log, see, leaders };
}

/** How each run has ended, in order. */
export const exitsOf = (log: EventLog): string[] =>
  log.of('exited').map(({ exit: { code, signal } }) => signal ?? `code ${code}`);
