/** A daemon that runs, whose config is changed one key at a time by the command that people would use. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Client, connect } from '../../../src/client/index.ts';
import type { ReloadReply } from '../../../src/protocol/replies.ts';
import { type EventLog, followEvents } from '../event-log.ts';
import { endAtOnce } from '../life.ts';
import { createWorld, type Program, type World } from '../world.ts';

/** The config file as a whole. */
export interface Config {
  readonly supervisor?: Program;
  readonly groups?: Readonly<Record<string, readonly string[]>>;
  readonly defaults?: Program;
  readonly programs: Readonly<Record<string, Program>>;
}

export interface Fleet {
  readonly world: World;
  readonly client: Client;
  readonly log: EventLog;
  /** Writes the changed config and has it taken on; one change after the other, whoever asks. */
  change(edit: (config: Config) => Config): Promise<ReloadReply>;
  close(): Promise<void>;
}

export async function openFleet(world: World, config: Config): Promise<Fleet> {
  const grounds = groundsOf(world);
  const write = (next: Config): void =>
    writeFileSync(
      join(world.dir, 'supervisor.yaml'),
      JSON.stringify({ ...next, supervisor: { ...grounds, ...next.supervisor } }, null, 2),
    );
  write(config);
  await world.succeed('start', '--no-wait');
  const socket = world.socket();
  const client = connect(socket);
  const log = followEvents(socket);
  let [now, turn]: [Config, Promise<unknown>] = [config, Promise.resolve()];
  const reload = async (edit: (config: Config) => Config): Promise<ReloadReply> => {
    const next = edit(now);
    write(next);
    // By its socket: the file may name another folder for it by now.
    const { stdout } = await world.succeed('--socket', socket, 'reload', '--json', '--detach');
    now = next;
    return JSON.parse(stdout); // what the command promises; the rows look at the rest
  };
  return {
    world,
    client,
    log,
    change(edit) {
      const mine = turn.then(() => reload(edit));
      turn = mine.catch(() => {});
      return mine;
    },
    async close() {
      await log.close();
      await endAtOnce(client);
      await world.close();
    },
  };
}

/** Everything of it below the folder of the test. */
function groundsOf({ dir, runDir }: World): Program {
  return { name: 'e2e', run_dir: runDir, state_dir: join(dir, 'state'), log_dir: join(dir, 'logs') };
}

export function newFolder(world: World, name: string): string {
  const dir = join(world.dir, name);
  mkdirSync(dir);
  return dir;
}

export { createWorld };
