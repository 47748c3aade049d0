/** The map in src/README.md is true: rooms, arrows, files and diagrams are what the code is. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import {
  diagramIn,
  filesIn,
  foldersIn,
  type Import,
  importsOf,
  type Leave,
  pathsIn,
  readMap,
  roomOf,
  roomsIn,
  SRC,
} from './map.ts';
import { live } from './sim/life.ts';
import { Transitions } from './sim/transitions.ts';
import { undrawn } from './sim/undrawn.ts';

const map = readMap();
const rooms = roomsIn(map);
const imports = filesIn().flatMap(importsOf);

const covers = (leave: Leave, name: string, from: string): boolean => {
  if (leave.where !== null && leave.where !== from) return false;
  if (leave.what.endsWith('*')) return name.startsWith(leave.what.slice(0, -1));
  return leave.what === name || name.startsWith(`${leave.what}/`);
};

function isAllowed({ from, to, isPackage }: Import): boolean {
  const room = rooms.find(({ name }) => name === roomOf(from));
  if (room === undefined) return false;
  if (isPackage) return room.packages.some((leave) => covers(leave, to, from));
  return roomOf(to) === room.name || room.imports.some((leave) => covers(leave, to, from));
}

describe('rooms', () => {
  test('every folder of src is a room of the map, and every room has a folder', () => {
    expect(rooms.map(({ name }) => name).toSorted()).toEqual(foldersIn().toSorted());
  });

  test('every file and folder that the map names is there', () => {
    const named = [
      ...pathsIn(map),
      ...rooms.flatMap(({ imports, packages }) => [...imports, ...packages]),
    ].flatMap((item) => (typeof item === 'string' ? item : (item.where ?? [])));
    expect(named.length).toBeGreaterThan(20);
    const missing = named.filter(
      (path) => !existsSync(join(SRC, path)) && !existsSync(join(SRC, '..', path)),
    );
    expect(missing).toEqual([]);
  });

  test('every import is one that the map allows', () => {
    expect(imports.length).toBeGreaterThan(100);
    const forbidden = imports.filter((one) => !isAllowed(one)).map(({ from, to }) => `${from} imports ${to}`);
    expect(forbidden).toEqual([]);
  });

  test('every leave that the map gives is made use of, or it would be a hole', () => {
    const unused = rooms.flatMap((room) =>
      [...room.imports, ...room.packages]
        .filter(({ where }) => where !== null)
        .filter((leave) => !imports.some(({ from, to }) => covers(leave, to, from)))
        .map(({ what, where }) => `${what} in ${where}`),
    );
    expect(unused).toEqual([]);
  });

  test('a forbidden import would be noticed', () => {
    const wrong: Import[] = [
      { from: 'core/plan.ts', to: 'node:fs', isPackage: true },
      { from: 'core/plan.ts', to: 'os/clock.ts', isPackage: false },
      { from: 'os/launch.ts', to: 'koffi', isPackage: true },
      { from: 'cli/main.ts', to: 'daemon/foreground.ts', isPackage: false },
      { from: 'daemon/api.ts', to: 'os/processes.ts', isPackage: false },
      { from: 'runner/index.ts', to: 'protocol/status.ts', isPackage: false },
      { from: 'nowhere/x.ts', to: 'base/ids.ts', isPackage: false },
    ];
    expect(wrong.filter(isAllowed)).toEqual([]);
  });
});

describe('no circles', () => {
  test.each([
    ['files', (file: string) => file],
    ['rooms', roomOf],
  ])('of %s', (_, nameOf) => {
    const edges = new Map<string, Set<string>>();
    for (const { from, to, isPackage } of imports) {
      const [a, b] = [nameOf(from), nameOf(to)];
      if (isPackage || a === b) continue;
      edges.set(a, (edges.get(a) ?? new Set()).add(b));
    }
    expect(circleIn(edges)).toBeNull();
  });
});

/** A path that comes back to where it began; null: there is none. */
function circleIn(edges: ReadonlyMap<string, ReadonlySet<string>>): string | null {
  const finished = new Set<string>();
  const walk = (name: string, path: readonly string[]): string | null => {
    if (path.includes(name)) return [...path.slice(path.indexOf(name)), name].join(' → ');
    if (finished.has(name)) return null;
    for (const next of edges.get(name) ?? []) {
      const circle = walk(next, [...path, name]);
      if (circle !== null) return circle;
    }
    finished.add(name);
    return null;
  };
  for (const name of edges.keys()) {
    const circle = walk(name, []);
    if (circle !== null) return circle;
  }
  return null;
}

describe('diagrams', () => {
  /** Many more than the rarest transition takes to be seen. */
  const MOST_WORLDS = 12_000;
  /** Where the rarest are: with other dice it takes longer, no more. */
  const RARE = [413, 517, 559, 701, 966, 1542, 1743, 4092];
  const diagrams = ['Phases of an instance', 'A rollout', 'A turn of a rollout'] as const;
  const drawn = diagrams.map((heading) => diagramIn(map, heading));
  const seen = new Transitions();
  const lived = [seen.instance, seen.rollout, seen.turn] as const;

  const neverSeen = (): string[] =>
    drawn.flatMap((arrows, i) => [...arrows].filter((arrow) => !lived[i]?.has(arrow)));

  test('every transition that is drawn is seen in some world', { timeout: 300_000 }, () => {
    for (const seed of RARE) live(seed, seen);
    for (let seed = 1; seed <= MOST_WORLDS; seed++) {
      live(seed, seen);
      if (seed % 100 === 0 && neverSeen().length === 0) break;
    }
    expect(neverSeen()).toEqual([]);
  });

  // In all of the worlds: see sim/worlds.ts.
  test('no other is seen in them', () => {
    expect(undrawn(seen)).toEqual([]);
  });
});
