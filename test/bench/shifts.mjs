/** What the workers of shift.c have said, and what it means: who served when, and which jobs were cut. */
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { msBetween, waitFor } from './measure.mjs';

const RECORD_BYTES = 24;
const WORDS = ['serving', 'asked', 'ended', 'begun', 'done', 'interrupted'];

export class Shifts {
  constructor(file) {
    this.file = file;
  }

  clear() {
    rmSync(this.file, { force: true });
  }

  /** In the order of their time. */
  read() {
    if (!existsSync(this.file)) return [];
    const bytes = readFileSync(this.file);
    return Array.from({ length: Math.floor(bytes.length / RECORD_BYTES) }, (_, n) => ({
      ns: bytes.readBigInt64LE(n * RECORD_BYTES),
      pid: Number(bytes.readBigInt64LE(n * RECORD_BYTES + 8)),
      what: WORDS[Number(bytes.readBigInt64LE(n * RECORD_BYTES + 16))],
    })).sort((a, b) => Number(a.ns - b.ns));
  }

  /** Until so many have begun to serve since the file was made. */
  serving(count, timeoutMs = 60_000) {
    const seen = () => this.read().filter(({ what }) => what === 'serving').length;
    return waitFor(`the ${count}th worker to serve`, () => seen() >= count, timeoutMs);
  }
}

/** The roll is from the first worker that was asked to the last one that began to serve. */
export function judge(records, isAlive) {
  const from = records.find(({ what }) => what === 'asked')?.ns;
  const to = records.findLast(({ what }) => what === 'serving')?.ns;
  if (from === undefined || to === undefined || to < from) throw new Error('nobody was replaced');
  const { fewest, nobodyMs } = presence(records, from, to);
  return { rollMs: msBetween(from, to), ...jobs(records, from, isAlive), fewest, nobodyMs };
}

function presence(records, from, to) {
  const serving = new Set();
  let fewest = Number.POSITIVE_INFINITY;
  let nobodyMs = 0;
  let since = from;
  for (const { ns, pid, what } of records.filter(({ ns }) => ns <= to)) {
    if (ns > from && serving.size === 0) nobodyMs += msBetween(since, ns);
    since = ns;
    if (what === 'serving') serving.add(pid);
    else if (what === 'asked' || what === 'ended') serving.delete(pid);
    if (ns >= from) fewest = Math.min(fewest, serving.size);
  }
  return { fewest, nobodyMs };
}

/** Jobs that were under way at the beginning or begun since. Whoever died has cut what it left open. */
function jobs(records, from, isAlive) {
  const open = new Map();
  let interrupted = 0;
  let count = 0;
  for (const { ns, pid, what } of records) {
    if (what === 'begun') open.set(pid, ns);
    else if (what === 'done' || what === 'interrupted') {
      open.delete(pid);
      if (ns >= from) count++;
      if (what === 'interrupted') interrupted++;
    }
  }
  const left = [...open.keys()].filter((pid) => !isAlive(pid)).length;
  return { interrupted: interrupted + left, jobs: count + left };
}
