/**
 * Puts a log file aside: PATH becomes PATH.1, what was that becomes PATH.2, and so on. Every step is a change of a
 * name, so whoever is killed between two of them leaves a gap in the row and loses nothing; the next time fills it.
 */
import { existsSync, renameSync, unlink } from 'node:fs';
import { access, rename } from 'node:fs/promises';
import { codeOf } from './system-words.ts';
import { areTwins, COMPRESSED } from './twins.ts';

const GONE = '.gone.';
/** More than anybody can have asked for. */
const MOST = 10_000;

type Step =
  | { readonly kind: 'look'; readonly path: string }
  /** Whether it is there in both forms. */
  | { readonly kind: 'compare'; readonly path: string }
  | { readonly kind: 'move'; readonly from: string; readonly to: string };

/** @throws what the system says; what has been done until then is no harm. */
export function putAside(path: string, keep: number): void {
  const steps = shift(path, keep);
  for (let next = steps.next(false); ; ) {
    if (next.done === true) {
      for (const gone of next.value) removeAside(gone);
      return;
    }
    const step = next.value;
    if (step.kind === 'move') move(step.from, step.to);
    next = steps.next(step.kind === 'look' ? existsSync(step.path) : isTwin(step));
  }
}

/** The same by other threads, for a disk that takes its time. */
export async function putAsideSlowly(path: string, keep: number): Promise<void> {
  const moving = moveSlowly(path, keep);
  underWay.set(path, moving);
  try {
    await moving;
  } finally {
    underWay.delete(path);
  }
}

/** Files that other threads are putting aside. */
const underWay = new Map<string, Promise<void>>();

/** Resolves when nobody moves what was put aside of this file: so it is until the end of that turn of the loop. */
export async function standingStill(path: string): Promise<void> {
  for (let moving = underWay.get(path); moving !== undefined; moving = underWay.get(path))
    await moving.catch(() => {}); // whoever asked for it is told
}

async function moveSlowly(path: string, keep: number): Promise<void> {
  const steps = shift(path, keep);
  for (let next = steps.next(false); ; ) {
    if (next.done === true) {
      for (const gone of next.value) removeAside(gone);
      return;
    }
    const step = next.value;
    if (step.kind === 'move') await rename(step.from, step.to).catch(unlessGone);
    next = steps.next(step.kind === 'look' ? await isThere(step.path) : isTwin(step));
  }
}

/** Gives it a name under which nobody looks for it, and has another thread remove it. @throws what the system says */
export function removeSoon(path: string): void {
  const gone = nameToGo(path);
  move(path, gone);
  removeAside(gone);
}

/** Whoever is asked to look is told. Returns what is to be removed. */
function* shift(path: string, keep: number): Generator<Step, string[], boolean> {
  const row: string[][] = [];
  while (row.length < MOST) {
    const there: string[] = [];
    for (const form of ['', COMPRESSED])
      if (yield { kind: 'look', path: `${path}.${row.length + 1}${form}` }) there.push(form);
    if (there.length === 0) break;
    row.push(there);
  }
  const gone: string[] = [];
  const leave = (): string => {
    const name = nameToGo(path);
    gone.push(name);
    return name;
  };
  for (let n = row.length; n > 0; n--) {
    const forms = row[n - 1] ?? [];
    const isDouble = forms.length > 1 && (yield { kind: 'compare', path: `${path}.${n}` });
    if (isDouble) yield { kind: 'move', from: `${path}.${n}`, to: leave() };
    for (const form of isDouble ? [COMPRESSED] : forms)
      yield { kind: 'move', from: `${path}.${n}${form}`, to: n < keep ? `${path}.${n + 1}${form}` : leave() };
  }
  yield { kind: 'move', from: path, to: keep > 0 ? `${path}.1` : leave() };
  return gone;
}

/** The end of a name that means: on its way out. Removing a big file takes its time, so another thread does it. */
export const isGoing = (end: string): boolean => /\.gone\.[0-9a-z]+-\d+$/.test(end);

const isTwin = (step: Step): boolean => step.kind === 'compare' && areTwins(step.path);

let count = 0;
const nameToGo = (path: string): string => `${path}${GONE}${Date.now().toString(36)}-${count++}`;

function removeAside(path: string): void {
  unlink(path, () => {
    // What is left there is swept by the next daemon that rotates this file.
  });
}

function move(from: string, to: string): void {
  try {
    renameSync(from, to);
  } catch (error) {
    unlessGone(error);
  }
}

/** Somebody else has removed it meanwhile: then there is nothing to be moved. */
function unlessGone(error: unknown): void {
  if (codeOf(error) !== 'ENOENT') throw error;
}

const isThere = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );
