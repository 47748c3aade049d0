/**
 * The rolling restart of workers that are in the middle of their jobs, beside what people do with the peers: how many
 * jobs that cuts, how many workers serve at the worst moment, and how long it takes.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { connect } from '../../dist/client.js';
import { Pm2 } from './contenders.mjs';
import { median, msBetween, now, pause } from './measure.mjs';
import { rollers } from './rollers.mjs';
import { judge, Shifts } from './shifts.mjs';
import { print } from './table.mjs';
import { compile } from './ticks.mjs';

const DRAIN_MS = 500;
const JOB_MS = 400;
/** runit and daemontools wait before they start again what has lived for less than a second. */
const OLD_ENOUGH_MS = 1500;

/** `wanted(name)`: whether this contender is asked for. */
export async function rolling(dir, count, wanted) {
  const shift = compile('shift', dir);
  const place = (name) => {
    const shifts = new Shifts(join(dir, `${name}.shifts`));
    return [join(dir, name), [shift, shifts.file, String(DRAIN_MS), String(JOB_MS)], shifts];
  };
  const pm2 = () => Pm2.install(process.env.BENCH_PM2_DIR ?? join(dir, 'npm'));
  const rows = [];
  const overheads = [];
  for (const roller of rollers(count, place, pm2).filter(({ name }) => wanted(name))) {
    try {
      const { row, events } = await roll(roller, count);
      if (!roller.isAside) rows.push({ name: roller.name, ...row });
      // What several at once wait for cannot be summed up.
      if (roller.isOneByOne) overheads.push({ name: roller.name, ...overhead(events, roller.healthyMs) });
    } catch (error) {
      console.error(`${roller.name}: ${error.message}`);
    }
  }
  print(`replacing ${count} workers that drain for ${DRAIN_MS} ms, at jobs of ${JOB_MS} ms`, rows);
  if (overheads.length > 0) {
    const what = 'of a turn, beyond its drain, its start and its min_healthy_time (ms; wanted: under 20)';
    print(`${what}: the mean, and where it goes, as medians`, overheads);
  }
}

async function roll({ make, isOurs = false }, count) {
  const { contender, command } = make();
  contender.ticks.clear();
  contender.prepare(count);
  try {
    contender.launch();
    await contender.ticks.serving(count);
    await pause(OLD_ENOUGH_MS);
    const log = isOurs ? follow(join(contender.dir, 'run/control.sock')) : null;
    const commandMs = await timed(contender, command);
    await contender.ticks.serving(2 * count);
    const events = log === null ? null : await log.untilOver();
    const records = contender.ticks.read();
    const { rollMs, interrupted, jobs, fewest, nobodyMs } = judge(records, isAlive);
    const row = {
      'roll (s)': rollMs / 1000,
      'whole command (s)': commandMs / 1000,
      'jobs cut': String(interrupted),
      'of jobs': String(jobs),
      'fewest serving': String(fewest),
      'nobody serves (ms)': nobodyMs,
    };
    return { row, events };
  } finally {
    await contender.stop();
  }
}

async function timed(contender, [file, args]) {
  const began = now();
  const child = spawn(file, args, {
    cwd: contender.dir,
    env: contender.env,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (chunk) => {
    said += chunk;
  });
  const [code] = await once(child, 'close');
  if (code !== 0) throw new Error(`its command ended with ${code}: ${said}`);
  return msBetween(began, now());
}

/** A zombie has no command line. */
function isAlive(pid) {
  try {
    return readFileSync(`/proc/${pid}/cmdline`).length > 0;
  } catch {
    return false;
  }
}

function follow(socket) {
  const events = [];
  const stop = new AbortController();
  const isEnd = (event) => event.type === 'rollout' && event.state !== 'running';
  const read = async () => {
    for await (const event of connect(socket).events({ follow: true, since: 0 }, { signal: stop.signal })) {
      events.push(event);
      if (isEnd(event)) break;
    }
  };
  const reading = read();
  return {
    async untilOver() {
      await reading;
      stop.abort();
      return events;
    },
  };
}

/** Where a rollout's time goes that is not the workers' own: the whole of it, less what it had to wait for. */
function overhead(events, healthyMs) {
  const [began] = events.filter((event) => event.type === 'rollout');
  const over = events.at(-1);
  const within = events.filter(({ seq }) => seq > began.seq);
  const drains = drainsIn(within);
  const starts = startsIn(within);
  const waits = [...drains, ...starts].reduce((sum, { from, to }) => sum + to - from, 0);
  const next = starts.flatMap(({ to }) => drains.filter(({ from }) => from >= to).slice(0, 1));
  return {
    'overhead a turn': (over.mono_ms - began.mono_ms - waits) / starts.length - healthyMs,
    'to see that it is gone': median(drains.map(({ to, gone }) => gone - to)),
    'to start the next': median(starts.map(({ gone, from }) => from - gone)),
    'to ask another': median(next.map(({ from }, n) => from - starts[n].to)) - healthyMs,
    '(its drain)': median(drains.map(({ from, to }) => to - from)),
    '(until it is ready)': median(starts.map(({ from, to }) => to - from)),
  };
}

function drainsIn(events) {
  const at = (type, run) => events.find((event) => event.type === type && event.run === run)?.mono_ms;
  return events
    .filter(({ type }) => type === 'signalled')
    .map(({ run, mono_ms: from }) => ({ from, to: at('exited', run), gone: at('gone', run) }));
}

/** An extra one has no run before it: it starts when the rollout does. */
function startsIn(events) {
  return events
    .filter(({ type }) => type === 'spawned')
    .map(({ instance, run, mono_ms: from }) => {
      const to = events.find((event) => event.type === 'ready' && event.run === run)?.mono_ms;
      const before = events.findLast(
        (event) => event.type === 'gone' && event.instance === instance && event.run < run,
      );
      return { from, to, gone: (before ?? events[0]).mono_ms };
    });
}
