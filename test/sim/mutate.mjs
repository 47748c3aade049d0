// Tests the tests: breaks copies of src on purpose, one fault at a time, and runs the simulation and, where that
// notices nothing, the tables on it. Not part of the normal run:
//
//   node test/sim/mutate.mjs            all of the faults in mutants.mjs, about six minutes on two cores
//   node test/sim/mutate.mjs pause      those whose name fits /pause/
//
// Says of each fault what has caught it, and ends with 1 when one has survived both.
import { spawn } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { MUTANTS } from './mutants.mjs';

const HOME = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const COPIED = ['src', 'test/core', 'test/sim', 'test/rig/logging.ts', 'test/map.ts', 'package.json'];
/** Without the set-up of the floors above. */
const CONFIG = "export default { test: { include: ['test/**/*.test.ts'] } };\n";
const WORLDS = '600';
/** A run that hangs has noticed something as well. */
const LIMIT_MS = 120_000;

function copyOfTheHouse() {
  const copy = mkdtempSync(join(tmpdir(), 'mutants-'));
  for (const path of COPIED) {
    mkdirSync(dirname(join(copy, path)), { recursive: true });
    cpSync(join(HOME, path), join(copy, path), { recursive: true });
  }
  writeFileSync(join(copy, 'vitest.config.mjs'), CONFIG);
  symlinkSync(join(HOME, 'node_modules'), join(copy, 'node_modules'));
  return copy;
}

/** Ends with what it printed, and whether it ended well. */
function run(copy, args) {
  const child = spawn(process.execPath, args, {
    cwd: copy,
    env: { ...process.env, HUNT_WORLDS: WORLDS, NO_COLOR: '1' },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: LIMIT_MS,
    killSignal: 'SIGKILL',
  });
  let text = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (data) => {
      text += data;
    });
  }
  return new Promise((resolve) => {
    child.on('close', (code, signal) => resolve({ ok: code === 0, text: signal ? 'it hangs' : text.trim() }));
  });
}

/** What the worlds say of this copy; null: no rule is broken. */
async function worlds(copy) {
  const bundler = join('node_modules', 'rolldown', 'bin', 'cli.mjs');
  const bundled = await run(copy, [bundler, 'test/sim/hunt.ts', '-o', 'test/hunt.mjs', '--platform', 'node']);
  if (!bundled.ok) throw new Error(`cannot bundle: ${bundled.text}`);
  const lived = await run(copy, ['test/hunt.mjs']);
  return lived.ok ? null : lived.text;
}

/** What the tables say of it; null: they hold. */
async function tables(copy) {
  const tested = await run(copy, [
    join('node_modules', 'vitest', 'vitest.mjs'),
    'run',
    '--bail=1',
    'test/core',
  ]);
  return tested.ok ? null : (/FAIL\s+(.*)/.exec(tested.text)?.[1] ?? 'they cannot be run');
}

async function tryOne(copy, { name, file, from, to }) {
  const path = join(copy, 'src', 'core', file);
  const right = readFileSync(path, 'utf8');
  const times = right.split(from).length - 1;
  if (times !== 1) return { name, ok: false, result: `STALE: its text occurs ${times} times in ${file}` };
  writeFileSync(
    path,
    right.replace(from, () => to),
  );
  try {
    const rule = await worlds(copy);
    if (rule !== null) return { name, ok: true, result: `worlds: ${rule}` };
    const table = await tables(copy);
    return { name, ok: table !== null, result: table === null ? 'SURVIVED' : `tables: ${table}` };
  } finally {
    writeFileSync(path, right);
  }
}

const pattern = new RegExp(process.argv[2] ?? '');
const wanted = MUTANTS.filter(({ name }) => pattern.test(name));
const queue = [...wanted];
const copies = Array.from({ length: Math.min(4, availableParallelism()) }, copyOfTheHouse);
let caught = 0;
process.on('exit', () => {
  for (const copy of copies) rmSync(copy, { recursive: true, force: true });
});
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(130));

async function work(copy) {
  for (let mutant = queue.shift(); mutant !== undefined; mutant = queue.shift()) {
    const { name, ok, result } = await tryOne(copy, mutant);
    if (ok) caught++;
    console.log(`${ok ? '✓' : '✗'} ${name}: ${result}`);
  }
}

const wrong = (await worlds(copies[0])) ?? (await tables(copies[0]));
if (wrong !== null) throw new Error(`the tests fail without any fault: ${wrong}`);
await Promise.all(copies.map(work));
console.log(`${caught} of ${wanted.length} caught`);
process.exitCode = caught === wanted.length ? 0 : 1;
