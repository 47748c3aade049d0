/** What a move costs in memory. Of objects, not of bytes of a process: those depend on what V8 does when. */
import { closeSync, constants, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { getHeapSpaceStatistics } from 'node:v8';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { FileSink } from '../../src/logs/file-sink.ts';
import { LineFormat } from '../../src/logs/format.ts';
import { LogFiles } from '../../src/logs/log-files.ts';
import { input } from '../../src/logs/workbench.ts';
import { createPlumbing } from '../../src/os/plumbing.ts';
import type { Plumbing } from '../../src/ports/plumbing.ts';
import { useLeakCheck } from '../rig/leaks.ts';
import { PLAIN } from '../rig/logging.ts';
import { canCarry } from './rig.ts';

const MOST = 1024 * 1024;
const LINE = Buffer.from(`${'x'.repeat(63)}\n`);
/** So many moves at a time: until V8 has compiled them as well as it does, and to be measured. */
const MOVES = 1000;
const WARMING = 20;
const ROUNDS = 41;
/** What is allocated by a move, with the write before it: a few small objects and numbers. 260 as it is; a Stats is 700. */
const MOVE_BYTES = 400;
/** Dressed at once. What that makes is shared by all of them; an object for each line would be twice this. */
const LINES = 40;
const LINE_OBJECT_BYTES = 40;
/** Of that, among the old at once: nothing but what V8 needs for itself. */
const OLD_BYTES = 8;

useLeakCheck();

let folder: string;
let plumbing: Plumbing;
let pipe: { readonly writer: number; readonly reader: number };

beforeEach((context) => {
  if (!canCarry) context.skip();
  folder = mkdtempSync(join(tmpdir(), 'thrift-'));
  const made = createPlumbing();
  if (made === null) throw new Error('no koffi');
  plumbing = made;
  const fifo = join(folder, 'fifo');
  plumbing.makeFifo(fifo);
  pipe = {
    writer: openSync(fifo, constants.O_RDWR),
    reader: openSync(fifo, constants.O_RDONLY | constants.O_NONBLOCK),
  };
});

afterEach(() => {
  plumbing.close();
  closeSync(pipe.writer);
  closeSync(pipe.reader);
  rmSync(folder, { recursive: true, force: true });
});

it('leaves next to nothing for the collector, and nothing among the old, at a move into a file', () => {
  const nothing = (): void => {};
  const events = { failing: nothing, well: nothing, stuck: nothing, uncompressed: nothing };
  const files = new LogFiles(events, plumbing);
  const sink = new FileSink(join(folder, 'worker.log'), PLAIN, plumbing, files);
  const move = (): void => {
    writeSync(pipe.writer, LINE);
    if (sink.take(pipe.reader, MOST) !== LINE.length) throw new Error('not all was moved');
  };
  try {
    const { all, old } = costOf(move);
    expect(all).toBeLessThan(MOVE_BYTES);
    expect(old).toBeLessThan(OLD_BYTES);
  } finally {
    sink.close();
    files.close();
  }
});

it.each(['raw', 'json'] as const)('makes no object for a line that it dresses: %s', (format) => {
  const style = {
    format,
    timestamps: true,
    lead: '',
    instance: 'worker:0',
    run: 1,
    stream: 'stdout',
  } as const;
  const lines = new LineFormat(style);
  const bytes = input.subarray(0, LINES * LINE.length);
  for (let at = 0; at < bytes.length; at += LINE.length) LINE.copy(bytes, at);
  const job = { timeMs: 0, mood: 'fresh', room: Number.POSITIVE_INFINITY, isEnding: false } as const;
  const { all } = costOf(() => void lines.dress(bytes, 0, job));
  expect(all / LINES).toBeLessThan(LINE_OBJECT_BYTES);
});

/** Bytes, each. A round in which V8 has collected says nothing: the median does not see it. */
function costOf(act: () => void): { readonly all: number; readonly old: number } {
  const round = (): { all: number; old: number } => {
    const before = used();
    for (let n = 0; n < MOVES; n++) act();
    const after = used();
    return { all: (after.all - before.all) / MOVES, old: (after.old - before.old) / MOVES };
  };
  for (let n = 0; n < WARMING; n++) round();
  const rounds = Array.from({ length: ROUNDS }, round);
  return { all: median(rounds.map(({ all }) => all)), old: median(rounds.map(({ old }) => old)) };
}

function used(): { readonly all: number; readonly old: number } {
  const spaces = getHeapSpaceStatistics();
  const of = (name: string): number =>
    spaces.find((space) => space.space_name === name)?.space_used_size ?? 0;
  return { all: of('new_space') + of('old_space'), old: of('old_space') };
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
}
