/** The daemon is killed, and what it had written down is cut, spoilt or gone: the next one takes up all that lives. */
import { existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { StatusReply } from '../../src/protocol/status.ts';
import { kill } from './processes.ts';
import { steady } from './puppets.ts';
import { createWorld, type World } from './world.ts';

/** So many cuts, evenly spread. */
const CUTS = 6;

const pidsOf = ({ instances }: StatusReply) => instances.map(({ id, pid, state }) => `${id} ${pid} ${state}`);

async function killDaemon(world: World): Promise<void> {
  const { daemon } = await world.status();
  kill(daemon.pid, 'SIGKILL');
}

/** Whatever lies in it that anybody but its owner may read or write; folders may be passed through, and links are open. */
const openToOthers = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true }).flatMap((entry) => {
    const path = join(entry.parentPath, entry.name);
    const may = lstatSync(path).mode & (entry.isDirectory() ? 0o066 : 0o077);
    return entry.isSymbolicLink() || may === 0 ? [] : [path];
  });

/** Within a line: after the end of one, nothing would be seen of it. How long they are differs from run to run. */
const cut = (whole: Buffer, at: number): Buffer =>
  whole.subarray(0, at > 0 && whole[at - 1] === '\n'.charCodeAt(0) ? at + 1 : at);

describe('a state folder in which', { timeout: 120_000 }, () => {
  const cases: [string, (journal: string, whole: Buffer) => void, RegExp | null][] = [
    ...Array.from({ length: CUTS }, (_, i): (typeof cases)[number] => [
      `the journal ends after ${i} sixths of it`,
      (journal, whole) => writeFileSync(journal, cut(whole, Math.floor((whole.length * i) / CUTS))),
      i === 0 ? null : /as a whole: its last line was cut off; it is kept as journal\.corrupt-/,
    ]),
    [
      'the journal is garbage',
      (journal) => writeFileSync(journal, Buffer.alloc(5000, 0x5b)),
      /journal\.corrupt-/,
    ],
    [
      'the journal is of a later version',
      (journal, whole) => writeFileSync(journal, whole.toString().replace('"format"\t1', '"format"\t9')),
      /it is of a later version \(format 9\); it is kept as journal\.corrupt-/,
    ],
    ['there is a folder in its place', (journal) => mkdirSync(journal), /it is not a file; it is kept as/],
    ['there is nothing', () => {}, null],
  ];

  it('all of that happens: the instances live on, and none is started twice', async ({ onTestFinished }) => {
    const world = createWorld({ through: ['sh', '-c', 'umask 000; exec "$0" "$@"'] });
    onTestFinished(() => world.close());
    world.configure({ worker: { ...steady, instances: 3 } });
    await world.succeed('start');
    const before = pidsOf(await world.status());
    const journal = join(world.dir, 'state', 'journal');
    for (const [what, spoil, says] of cases) {
      await killDaemon(world);
      const whole = readFileSync(journal);
      rmSync(journal);
      spoil(journal, whole);
      await world.succeed('start');
      const status = await world.status();
      expect(pidsOf(status), what).toEqual(before);
      expect(world.ofInstances(), what).toHaveLength(3);
      if (says !== null) expect(status.daemon.warnings.join('\n'), what).toMatch(says);
    }
    const kept = readdirSync(join(world.dir, 'state')).filter((name) => name.includes('corrupt'));
    expect(kept).toHaveLength(3);
    for (const folder of ['state', 'run']) expect(openToOthers(join(world.dir, folder))).toEqual([]);
    await world.succeed('shutdown');
    expect(world.left()).toEqual([]);
    expect(existsSync(journal)).toBe(true);
  });
});
