/**
 * How often a job that a rolling restart has killed is killed again, for each setting: core itself on a virtual clock,
 * thousands of rounds with seeds, so that the table is the same each time.
 */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'rolldown';
import { print } from './table.mjs';

/** As the config has it when nothing is said. */
const DEFAULTS = {
  onTimeout: 'pause',
  hold: 0,
  maxParallel: 1,
  surge: 0,
  order: 'idle_first',
  busy: 8,
  retry: 'at_once',
};
const KILL = { ...DEFAULTS, onTimeout: 'kill' };
const QUEUES = {
  'anybody, at once': { retry: 'at_once' },
  'anybody, 5 s later': { retry: 'later' },
  'the newest generation, at once': { retry: 'newest' },
};
const WIDTHS = {
  '': {},
  ', max_parallel: 2': { maxParallel: 2 },
  ', max_surge: 1': { surge: 1 },
};
const HOLDS = { 'no hold': 0, 'half a job': 0.5, 'a whole job': 1 };

export async function doubleFailure(dir, rounds) {
  const { killedJobs, INSTANCES, JOB_MS } = await load(dir);
  const measure = (setting) => share(killedJobs, setting, rounds);
  const title = `of the jobs that a rolling restart of ${INSTANCES} kills, so many are killed again`;
  const under = `(a job takes ${JOB_MS / 1000} s, a turn about 20 s; ${rounds} rounds each)`;
  print(`${title} ${under}`, [
    { name: 'the defaults: on_timeout: pause', ...holds(DEFAULTS, measure) },
    { name: 'on_timeout: skip', ...holds({ ...DEFAULTS, onTimeout: 'skip' }, measure) },
  ]);
  print('on_timeout: kill; whom the queue gives a killed job, by after_kill_hold', rowsFor(measure));
  print('on_timeout: kill, and only four of the eight have a job', [
    { name: 'order: index', ...holds({ ...KILL, busy: 4, order: 'index' }, measure) },
    { name: 'order: idle_first', ...holds({ ...KILL, busy: 4 }, measure) },
  ]);
}

function rowsFor(measure) {
  return Object.entries(QUEUES).flatMap(([queue, retry]) =>
    Object.entries(WIDTHS).map(([width, some]) => ({
      name: `${queue}${width}`,
      ...holds({ ...KILL, ...retry, ...some }, measure),
    })),
  );
}

const holds = (setting, measure) =>
  Object.fromEntries(Object.entries(HOLDS).map(([name, hold]) => [name, measure({ ...setting, hold })]));

/** The same seeds for each setting. */
function share(killedJobs, setting, rounds) {
  let killed = 0;
  let twice = 0;
  for (let seed = 1; seed <= rounds; seed++) {
    const outcome = killedJobs(seed, setting);
    killed += outcome.killed;
    twice += outcome.twice;
  }
  return killed === 0 ? '0 (none is killed)' : (twice / killed).toFixed(3);
}

/** Core is TypeScript, and Node of today does not read it. */
async function load(dir) {
  const file = join(dir, 'killed-jobs.mjs');
  const input = fileURLToPath(new URL('killed-jobs.ts', import.meta.url));
  await build({ input, platform: 'node', output: { file, format: 'esm' }, logLevel: 'silent' });
  return import(file);
}
