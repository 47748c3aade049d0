/** A fleet to which one build after another is rolled out: they differ in a value of their environment. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'vitest';
import type { WireEvent } from '../../src/protocol/events.ts';
import type { RolloutStatus } from '../../src/protocol/status.ts';
import { ROOT } from './build.ts';
import type { EventLog } from './event-log.ts';
import { ended, follow, type Life, started } from './life.ts';
import { kill } from './processes.ts';
import { until } from './until.ts';
import type { Outcome, Program } from './world.ts';

export const INSTANCES = 4;

/** How it behaves is in test/fixtures/behaves-by-build.sh. `rollout`: over what is short for all of them. */
export const build = (name: string, rollout: Program = {}, more: Program = {}): Program => ({
  command: [join(ROOT, 'test/fixtures/behaves-by-build.sh')],
  environment: { BUILD: name },
  instances: INSTANCES,
  ready: { when: 'notify', timeout: '20s' },
  drain: { timeout: '20s' },
  stop: { timeout: '1s' },
  backoff: { initial: '50ms', factor: 1, max: '50ms', jitter: '0%', give_up_after: 3 },
  rollout: { min_healthy_time: '100ms', healthy_deadline: '15s', order: 'index', ...rollout },
  ...more,
});

export interface Fleet extends Life {
  /** Writes the config with this build; nothing takes it up by itself. */
  deploy(worker: Program): void;
  /** The builds that the instances run, in the order of their numbers: `one one two two`. */
  builds(): Promise<string>;
  runs(): Promise<readonly (number | null)[]>;
  /** The rollout as it stands; the last one when no number is named. */
  rollout(id?: number): Promise<RolloutStatus>;
  seesRollout(what: string, isSo: (rollout: RolloutStatus) => boolean, id?: number): Promise<RolloutStatus>;
  /** A word that a program waits for. */
  touch(name: string): void;
  /** Ends the daemon as nobody should, and starts another; its events are in the log that is returned. */
  successor(): Promise<Fleet>;
}

/** `files`: words that are there before anything is started. */
export async function fleet(
  test: TestContext,
  worker: Program,
  others: Readonly<Record<string, Program>> = {},
  files: readonly string[] = [],
): Promise<Fleet> {
  const programs = (dir: string) => {
    for (const file of files) writeFileSync(join(dir, file), '');
    return { worker, ...others };
  };
  return withBuilds(test, await started(test, programs), others);
}

function withBuilds(test: TestContext, life: Life, others: Readonly<Record<string, Program>>): Fleet {
  const { world, client, instances } = life;
  const find = async (id?: number): Promise<RolloutStatus | undefined> => {
    const { rollouts } = await client.rollouts();
    const last = rollouts.toSorted((a, b) => a.id - b.id).at(-1);
    return id === undefined ? last : rollouts.find((it) => it.id === id);
  };
  return {
    ...life,
    async rollout(id) {
      const found = await find(id);
      if (found === undefined) throw new Error(`there is no rollout ${id ?? ''}`);
      return found;
    },
    deploy: (worker) => world.configure({ worker, ...others }),
    builds: async () => (await instances()).map(({ pid }) => buildOf(life, pid)).join(' '),
    runs: async () => (await instances()).map(({ run }) => run),
    async seesRollout(what, isSo, id) {
      let last: RolloutStatus | undefined;
      const look = async () => {
        last = await find(id);
        return last !== undefined && isSo(last) ? last : undefined;
      };
      return until(what, look, { seen: () => `${JSON.stringify(last)}\n${told(life.log)}` });
    },
    touch: (name) => writeFileSync(join(world.dir, name), ''),
    async successor() {
      const { pid } = (await client.status({ usage: false })).daemon;
      kill(pid, 'SIGKILL');
      await ended(pid);
      await world.succeed('start', '--no-wait');
      return withBuilds(test, follow(test, world), others);
    },
  };
}

function buildOf({ world }: Life, pid: number | null): string {
  const environment = world.ofInstances().find((found) => found.pid === pid)?.environment;
  return /(?:^|\0)BUILD=([^\0]*)/.exec(environment ?? '')?.[1] ?? '-';
}

const told = ({ all }: EventLog): string =>
  all
    .slice(-40)
    .map(({ mono_ms, message }) => `${mono_ms} ${message}`)
    .join('\n');

/** What the command has said on both streams. */
export const said = ({ stdout, stderr }: Outcome): string => `${stdout}\n${stderr}`;

/** Instances in the order in which a rollout has begun their turns. */
export const turned = ({ log }: Life, rollout = 1): string[] => [
  ...new Set(
    log
      .of('turn')
      .filter((event) => event.rollout === rollout && BEGUN.has(event.step))
      .map(({ instance }) => instance),
  ),
];
const BEGUN: ReadonlySet<string> = new Set(['draining', 'starting', 'settling']);

export const isRollout =
  (state: RolloutStatus['state'], rollout = 1) =>
  (event: WireEvent): boolean =>
    event.type === 'rollout' && event.rollout === rollout && event.state === state;

/** How many of the signals that asked this run to end. */
export const asked = ({ log }: Life, run: number | null): number =>
  log.of('signalled').filter((event) => event.run === run && event.signal.endsWith('TERM')).length;
