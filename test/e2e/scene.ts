/** A daemon that runs in a world of its own, asked over its socket, with all that happens in it kept. */
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Client, connect } from '../../src/client/index.ts';
import type { WireEvent } from '../../src/protocol/events.ts';
import type { InstanceStatus } from '../../src/protocol/status.ts';
import { ROOT } from './build.ts';
import { type EventLog, followEvents } from './event-log.ts';
import { until } from './until.ts';
import { type Circumstances, createWorld, type Program, type World } from './world.ts';

export type EventOf<T extends WireEvent['type']> = Extract<WireEvent, { readonly type: T }>;

export interface Scene {
  readonly world: World;
  readonly client: Client;
  readonly log: EventLog;
  /** The instance as `status` has it. */
  now(id: string): Promise<InstanceStatus>;
  /** Waits until the instance is as wanted. */
  see(id: string, what: string, isSo: (status: InstanceStatus) => boolean): Promise<InstanceStatus>;
  /** Waits until the instance is ready, in a run after this one. */
  ready(id: string, after?: number | null): Promise<InstanceStatus>;
  /** What has happened to the instance, of one type, in order. */
  of<T extends WireEvent['type']>(type: T, id: string): EventOf<T>[];
  /** Waits for so many events of this type about the instance; answers with the last of them. */
  sees<T extends WireEvent['type']>(type: T, id: string, count?: number): Promise<EventOf<T>>;
  /** The signals that a run was sent, in order. */
  signals(run: number | null): string[];
  /** In the folder in which the programs run. */
  path(name: string): string;
  /** Makes a file there: the word that a program waits for. */
  touch(name: string): void;
  /** Waits until a program has made a file there. */
  made(name: string): Promise<unknown>;
  close(): Promise<void>;
}

/** Starts what begins by itself; none of it is waited for. */
export async function openScene(
  programs: Readonly<Record<string, Program>>,
  circumstances?: Circumstances,
): Promise<Scene> {
  const world = createWorld(circumstances);
  try {
    world.configure(programs);
    await world.succeed('start', '--no-wait');
  } catch (error) {
    await world.close();
    throw error;
  }
  const client = connect(world.socket());
  const log = followEvents(world.socket());
  const path = (name: string): string => join(world.dir, name);
  const now = async (id: string): Promise<InstanceStatus> => {
    const { instances } = await client.status({ usage: false, selectors: [id] });
    const [found] = instances;
    if (found === undefined) throw new Error(`no instance ${id}`);
    return found;
  };
  const happened = (id: string): string =>
    log.all
      .filter((event) => 'instance' in event && event.instance === id)
      .map((event) => `${event.mono_ms} ${event.message}`)
      .join('\n');
  const of: Scene['of'] = (type, id) =>
    log.of(type).filter((event) => 'instance' in event && event.instance === id);
  const see: Scene['see'] = async (id, what, isSo) => {
    let last: InstanceStatus | undefined;
    const look = async () => {
      last = await now(id);
      return isSo(last) ? last : undefined;
    };
    return until(`${id}: ${what}`, look, { seen: () => `${JSON.stringify(last)}\n${happened(id)}` });
  };
  return {
    world,
    client,
    log,
    now,
    see,
    ready: (id, after = null) => see(id, 'it is ready', ({ ready, run }) => ready && run !== after),
    of,
    sees: (type, id, count = 1) =>
      until(`${id}: ${type}, ${count} times`, () => of(type, id)[count - 1], { seen: () => happened(id) }),
    signals: (run) => log.of('signalled').flatMap((event) => (event.run === run ? [event.signal] : [])),
    path,
    touch: (name) => writeFileSync(path(name), ''),
    made: (name) => until(`${name} is made`, () => existsSync(path(name)), { seen: () => tailOf(log) }),
    async close() {
      await client.shutdown({ how: 'kill' }).catch(() => {}); // it may have ended by itself
      await log.close();
      await until('the daemon ends', () => world.processes().length === 0, { timeoutMs: 5000 }).catch(
        () => {},
      );
      await world.close();
    },
  };
}

const tailOf = ({ all }: EventLog): string =>
  all
    .slice(-30)
    .map(({ mono_ms, message }) => `${mono_ms} ${message}`)
    .join('\n');

/** A program without children: says that it is ready, and does what each signal is given to do. */
export const heeds = (on: Readonly<Record<string, string>> = {}, begin = READY): readonly string[] => [
  'bash',
  join(ROOT, 'test/fixtures/heeds-signals.sh'),
  begin,
  ...Object.entries(on).flat(),
];

export const READY = 'echo READY=1 >&3';

/** For `heeds`: waits until the test has made the file. */
export const awaits = (name: string): string => `until [ -e ${name} ]; do read -r -t 0.05 -u 4 _; done`;

/** For times that are the very matter of a test; everything else is waited for. */
export const pause = (ms: number): Promise<void> => new Promise((done) => setTimeout(done, ms));
