/** Checks rows of the table: all of a file in one daemon, each with a program of its own. */
import { existsSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { InstanceStatus } from '../../../src/protocol/status.ts';
import { until } from '../until.ts';
import type { Program } from '../world.ts';
import { type Door, openDoor, openWeb, type Web } from './doors.ts';
import { createWorld, type Fleet, newFolder, openFleet } from './fleet.ts';
import { type EventOf, type Ground, notesOf, type Row, type Seat } from './row.ts';

export function checkRows(what: string, rows: readonly Row[]): void {
  describe.concurrent(what, () => {
    let stage: Stage;
    beforeAll(async () => {
      stage = await openStage(rows);
    });
    afterAll(() => stage?.close());
    for (const [at, row] of rows.entries()) {
      const isBarred = row.asRoot === true && process.getuid?.() !== 0;
      it.skipIf(isBarred)(titleOf(row, at, rows), async () => {
        await checkRow(stage, row, at);
      });
    }
  });
}

/** Some keys have several rows. */
function titleOf({ key, effect }: Row, at: number, rows: readonly Row[]): string {
  const before = rows.slice(0, at).filter((other) => other.key === key).length;
  return `${key} ${SENTENCE[effect]}${before === 0 ? '' : ` (${before + 1})`}`;
}

const SENTENCE: Record<Row['effect'], string> = {
  live: 'holds at once, for what runs',
  next_start: 'holds for the next run, and what runs ends as it was promised',
  rolling: 'is brought in by a rolling restart',
  immutable: 'is said, and not applied',
};

interface Stage {
  readonly fleet: Fleet;
  readonly web: Web;
  readonly grounds: readonly Ground[];
  close(): Promise<void>;
}

async function openStage(rows: readonly Row[]): Promise<Stage> {
  const world = createWorld();
  const web = await openWeb();
  const doors: (Door & { close(): Promise<void> })[] = [];
  const door = async () => {
    const opened = await openDoor();
    doors.push(opened);
    return opened;
  };
  const grounds: Ground[] = [];
  for (const [at, { key }] of rows.entries()) {
    const name = `${key.replaceAll(/\W/g, '_')}-${at}`;
    const dir = newFolder(world, name);
    grounds.push({ name, dir, url: `${web.url}/${name}`, doors: [await door(), await door()] });
  }
  const closeAll = () => Promise.all([web.close(), ...doors.map((each) => each.close())]);
  try {
    const programs = Object.assign({}, ...grounds.map((ground, at) => programsOf(rows[at], ground)));
    const fleet = await openFleet(world, { programs });
    const close = async () => {
      await fleet.close();
      await closeAll();
    };
    return { fleet, web, grounds, close };
  } catch (error) {
    await world.close();
    await closeAll();
    throw error;
  }
}

const programsOf = (row: Row | undefined, ground: Ground): Record<string, Program> =>
  row === undefined ? {} : { [ground.name]: row.program(ground), ...row.others?.(ground) };

async function checkRow({ fleet, web, grounds }: Stage, row: Row, at: number): Promise<void> {
  const ground = grounds[at];
  if (ground === undefined) throw new Error('no ground for this row');
  const { name } = ground;
  const look = seatLook(fleet, ground, web);
  if (row.begins !== false) {
    for (const of of [name, ...Object.keys(row.others?.(ground) ?? {})]) {
      await until(`${of} is ready`, async () => (await statusOf(fleet, of)).every(({ ready }) => ready));
    }
  }
  const before = await statusOf(fleet, name);
  const [first] = before;
  if (first === undefined) throw new Error(`there is no instance of ${name}`);
  row.before?.(ground, first);
  const program = row.program(ground);
  const value = row.to(ground);
  const reply = await fleet.change((config) => ({
    ...config,
    programs: { ...config.programs, [name]: withKey(program, row.key, value) },
  }));

  const from = valueAt(program, row.key);
  const told = { key: row.key, from: String(from), to: String(value), ...toldOf(row, ground) };
  expect(reply.changes, 'the plan').toEqual([{ program: name, effect: row.effect, note: null, ...told }]);
  expect({ added: reply.added, removed: reply.removed, skipped: reply.skipped }).toEqual({
    added: [],
    removed: [],
    skipped: [],
  });
  const isRolled = row.effect === 'rolling' && row.actsAtOnce !== true;
  expect(
    reply.rollouts.map(({ program }) => program),
    'rolling restarts',
  ).toEqual(isRolled ? [name] : []);
  if (!isRolled && row.actsAtOnce !== true) {
    expect((await statusOf(fleet, name)).slice(0, before.length).map(runOf), 'nothing is touched').toEqual(
      before.map(runOf),
    );
  }
  await row.shows({ ...ground, ...look, before: first, reply });
  await fleet.client.stop({ selectors: [name], now: true, wait: false });
}

const toldOf = ({ told }: Row, at: Ground) => (typeof told === 'function' ? told(at) : told);

const runOf = ({ id, run, pid }: InstanceStatus) => ({ id, run, pid });

const statusOf = async ({ client }: Fleet, name: string): Promise<readonly InstanceStatus[]> =>
  (await client.status({ usage: false, selectors: [name] })).instances;

function seatLook(
  fleet: Fleet,
  { name, dir }: Ground,
  web: Web,
): Omit<Seat, keyof Ground | 'before' | 'reply'> {
  const { world, client, log } = fleet;
  const now = async (index = 0): Promise<InstanceStatus> => {
    const found = (await statusOf(fleet, name)).find((it) => it.index === index);
    if (found === undefined) throw new Error(`there is no ${name}:${index}`);
    return found;
  };
  const isOwn = (event: object): boolean =>
    ('instance' in event && String(event.instance).startsWith(`${name}:`)) ||
    ('program' in event && event.program === name);
  const see: Seat['see'] = async (what, isSo, index) => {
    let last: InstanceStatus | undefined;
    const look = async () => {
      last = await now(index);
      return isSo(last) ? last : undefined;
    };
    return until(`${name}: ${what}`, look, { seen: () => `${JSON.stringify(last)}\n${own()}` });
  };
  const own = (): string =>
    log.all
      .filter(isOwn)
      .map((event) => `${event.mono_ms} ${event.message}`)
      .join('\n');
  return {
    world,
    client,
    log,
    now,
    see,
    sees: (type, matches = () => true) =>
      until(
        `${name}: ${type}`,
        () => log.of(type).find((event: EventOf<typeof type>) => isOwn(event) && matches(event)),
        { seen: own },
      ),
    asked: () =>
      web.asked.filter((path) => path.startsWith(`/${name}/`)).map((path) => path.slice(name.length + 2)),
    signals: (run) =>
      log.of('signalled').flatMap((event) => (isOwn(event) && event.run === run ? [event.signal] : [])),
    notes: () =>
      existsSync(notesOf(dir))
        ? readFileSync(notesOf(dir), 'utf8')
            .trim()
            .split('\n')
            .map((line) => {
              const [word = '', run] = line.split(' ');
              return { word, run: Number(run) };
            })
        : [],
    async renew() {
      await client.restart({ selectors: [name], keep_config: true, wait: false });
    },
    async renewed(after) {
      const { run } = after === undefined ? await now() : { run: after };
      return see('its next run is ready', (it) => it.ready && it.state === 'running' && it.run !== run);
    },
  };
}

/** `drain.timeout` within a program as it is written. */
function withKey(program: Program, key: string, value: unknown): Program {
  const [first = '', ...rest] = key.split('.');
  if (rest.length === 0) return { ...program, [first]: value };
  const inner = program[first];
  return { ...program, [first]: withKey(isMap(inner) ? inner : {}, rest.join('.'), value) };
}

function valueAt(program: Program, key: string): unknown {
  return key.split('.').reduce<unknown>((inner, part) => (isMap(inner) ? inner[part] : undefined), program);
}

const isMap = (value: unknown): value is Program =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
