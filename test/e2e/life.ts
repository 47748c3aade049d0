/** A fleet that people start by the command, and that is looked at through its socket: that is cheap, and can be often. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'vitest';
import { type Client, connect } from '../../src/client/index.ts';
import type { InstanceStatus } from '../../src/protocol/status.ts';
import { type EventLog, followEvents } from './event-log.ts';
import { until } from './until.ts';
import { type Begun, createWorld, type Program, type World } from './world.ts';

export interface Life {
  readonly world: World;
  readonly client: Client;
  readonly log: EventLog;
  instances(): Promise<readonly InstanceStatus[]>;
  instance(id: string): Promise<InstanceStatus>;
  /** Waits until an instance is as wanted. */
  see(id: string, what: string, isSo: (status: InstanceStatus) => boolean): Promise<InstanceStatus>;
  /** Sends its process a signal, to which puppets do what the test has given them to do. */
  tell(id: string, signal: NodeJS.Signals): Promise<void>;
}

export type Programs = Readonly<Record<string, Program>>;

/** The fleet with everything ready. */
export async function started(
  test: TestContext,
  programs: Programs | ((dir: string) => Programs),
): Promise<Life> {
  const world = newWorld(test, programs);
  await world.succeed('start');
  return follow(test, world);
}

/** The fleet, and the command that starts it and waits. */
export async function starting(
  test: TestContext,
  programs: Programs,
  ...more: string[]
): Promise<Life & { readonly start: Begun }> {
  const world = newWorld(test, programs);
  const start = world.begin('start', ...more);
  await until('there is a daemon', () => existsSync(join(world.runDir, 'control.sock')));
  return { ...follow(test, world), start };
}

export function newWorld(
  { onTestFinished }: TestContext,
  programs: Programs | ((dir: string) => Programs),
): World {
  const world = createWorld();
  onTestFinished(() => world.close());
  world.configure(typeof programs === 'function' ? programs(world.dir) : programs);
  return world;
}

export function follow({ onTestFinished }: TestContext, world: World): Life {
  const client = connect(world.socket());
  const log = followEvents(world.socket());
  onTestFinished(async () => {
    await log.close();
    await endAtOnce(client);
  });
  const instances = async () => (await client.status({ usage: false })).instances;
  const instance = async (id: string): Promise<InstanceStatus> => {
    const found = (await instances()).find((it) => it.id === id);
    if (found === undefined) throw new Error(`there is no ${id}`);
    return found;
  };
  return {
    world,
    client,
    log,
    instances,
    instance,
    async see(id, what, isSo) {
      let last: InstanceStatus | undefined;
      const look = async () => {
        last = await instance(id);
        return isSo(last) ? last : undefined;
      };
      return until(`${id}: ${what}`, look, { seen: () => JSON.stringify(last) });
    },
    async tell(id, signal) {
      const { pid } = await instance(id);
      if (pid === null) throw new Error(`${id} has no process`);
      process.kill(pid, signal);
    },
  };
}

/** Without the command, which takes its time; whatever this leaves, the world ends. */
export async function endAtOnce(client: Client): Promise<void> {
  try {
    const { pid } = await client.shutdown({ how: 'kill' });
    await ended(pid);
  } catch {
    // It has ended already, or does not answer.
  }
}

/**
 * Asked of one process alone, as a look at all of them is dear on a busy machine. Who is about to end has neither command
 * nor environment any more, but his locks: those are free when he is a zombie, and so are all of his threads.
 */
export const ended = (pid: number): Promise<boolean> =>
  until(`process ${pid} has ended`, () => {
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      return 'ZX'.includes(fields[0] ?? '') && Number(fields[THREADS]) <= 1;
    } catch {
      return true;
    }
  });

/** Of the fields of /proc/PID/stat, beginning with the state. */
const THREADS = 17;
