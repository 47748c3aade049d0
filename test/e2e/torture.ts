/** What goes on while the daemon is killed again and again, and how it is seen that nobody has suffered. */
import { createReadStream, readdirSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { isZombie, readStat } from '../../src/os/proc.ts';
import { ended } from './life.ts';
import { type Found, kill } from './processes.ts';
import type { World } from './world.ts';

/** The daemon of a world, as soon as there is a process of it. */
function daemonOf(world: World): Found | undefined {
  const found = world.processes().filter(({ command }) => command.includes('/dist/daemon.cjs'));
  // One that it is about to start has its name for a moment.
  return found.find(({ ppid }) => !found.some(({ pid }) => pid === ppid));
}

/** Starts a daemon, and kills it so many milliseconds later, whatever it is doing by then. False: there was none yet. */
export async function killAfter(world: World, ms: number): Promise<boolean> {
  const starting = world.begin('start', '--no-wait');
  await pause(ms);
  const daemon = daemonOf(world);
  if (daemon !== undefined) {
    kill(daemon.pid, 'SIGKILL');
    await ended(daemon.pid);
  }
  await starting.ended;
  return daemon !== undefined;
}

/** Does one thing after another, over and over, until it is told to stop: what nobody answers is simply not done. */
export function operate(deeds: readonly (() => Promise<unknown>)[]): { stop(): Promise<void> } {
  let isOver = false;
  const working = (async () => {
    for (let n = 0; !isOver; n++) {
      await deeds[n % deeds.length]?.();
      await pause(100);
    }
  })();
  return {
    async stop() {
      isOver = true;
      await working;
    },
  };
}

/** Looks all the time whether an instance has two runs. `seen`: a line for each that has been seen. */
export function watchForTwins(world: World): {
  readonly seen: readonly string[];
  looks(): number;
  stop(): Promise<void>;
} {
  const seen = new Set<string>();
  let looks = 0;
  let isOver = false;
  const looking = (async () => {
    for (; !isOver; looks++) {
      for (const twins of twinsAmong(world.ofInstances())) seen.add(twins);
      await pause(20);
    }
  })();
  return {
    get seen() {
      return [...seen];
    },
    looks: () => looks,
    async stop() {
      isOver = true;
      await looking;
    },
  };
}

/** A shell that waits to become a program is none yet. */
const isGate = ({ command }: Found): boolean => /^sh -c read -r \w+ <&4/.test(command);

/** A look takes its time: only those of an earlier run who are alive when a later one has been seen prove anything. */
function twinsAmong(found: readonly Found[]): string[] {
  const members = found.filter((one) => !isGate(one));
  const newest = new Map<string, number>();
  for (const one of members)
    newest.set(instanceOf(one), Math.max(runOf(one), newest.get(instanceOf(one)) ?? 0));
  const older = members.filter((one) => runOf(one) < (newest.get(instanceOf(one)) ?? 0) && isAlive(one));
  return older.map((one) => `${instanceOf(one)}: ${one.command} of run ${runOf(one)} beside a later one`);
}

const instanceOf = ({ environment }: Found): string => variable(environment, 'TSUP_VISOR_INSTANCE');

const runOf = ({ environment }: Found): number => Number(variable(environment, 'TSUP_VISOR_RUN'));

const variable = (environment: string, name: string): string =>
  new RegExp(`(?:^|\\0)${name}=([^\\0]*)`).exec(environment)?.[1] ?? '';

/** A zombie has nothing any more that could be at work. */
function isAlive({ pid }: Found): boolean {
  const stat = readStat(pid);
  return stat !== null && !isZombie(stat);
}

export interface Told {
  readonly lines: number;
  readonly runs: number;
  /** Lines that are torn, missing, double or out of order, and runs without their last line. */
  readonly wrong: readonly string[];
}

/** Reads a log that test/fixtures/tells-lines.mjs has written. */
export async function readTold(path: string): Promise<Told> {
  const wrong: string[] = [];
  let [lines, runs, run, next, rest] = [0, 0, 0, 0, ''];
  let isOver = true;
  const take = (line: string): void => {
    lines++;
    const [, ofRun = '', number = '', word = ''] = /^(\d+) (\d+) (x+|end)$/.exec(line) ?? [];
    if (Number(ofRun) !== run) {
      if (!isOver) wrong.push(`run ${run} has no end, after ${next} lines`);
      if (Number(ofRun) < run) wrong.push(`run ${ofRun} comes after run ${run}`);
      [run, next, runs] = [Number(ofRun), 0, runs + 1];
    }
    if (Number(number) !== next || ofRun === '')
      wrong.push(`${line.slice(0, 120)} where ${run} ${next} is due`);
    next = Number(number) + 1;
    isOver = word === 'end';
  };
  for (const file of oldestFirst(path))
    for await (const chunk of createReadStream(file, { encoding: 'latin1', highWaterMark: 1 << 20 })) {
      const parts = (rest + chunk).split('\n');
      rest = parts.pop() ?? '';
      for (const line of parts) if (wrong.length < 10) take(line);
    }
  if (rest !== '') wrong.push(`the last line has no end: ${rest.slice(0, 120)}`);
  if (!isOver) wrong.push(`run ${run} has no end, after ${next} lines`);
  return { lines, runs, wrong };
}

/** The log, and what was put aside of it. A daemon that was killed while it did that may have left gaps in the row. */
function oldestFirst(path: string): string[] {
  const numberOf = (name: string): number => Number(/\.log\.(\d+)$/.exec(name)?.[1] ?? 0);
  return readdirSync(dirname(path))
    .filter((name) => name === basename(path) || name.startsWith(`${basename(path)}.`))
    .sort((a, b) => numberOf(b) - numberOf(a))
    .map((name) => join(dirname(path), name));
}
