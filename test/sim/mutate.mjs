// Tests the tests: breaks a copy of src/core on purpose, one fault at a time, and runs the tables and the simulation
// on it. Not part of the normal run:
//
//   node test/sim/mutate.mjs            all of the faults in mutants.mjs, about three minutes
//   node test/sim/mutate.mjs pause      those whose name contains "pause"
//
// Says of each fault which floor has caught it, and ends with 1 when one has survived both.
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { MUTANTS } from './mutants.mjs';

const HOME = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const COPIED = ['src/base', 'src/core', 'test/core', 'test/sim', 'package.json'];
/** Without the set-up of the floors above. */
const CONFIG = "export default { test: { include: ['test/**/*.test.ts'] } };\n";
const WORLDS = '800';

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

/** Whether the tests in this folder fail. A run that hangs has noticed something as well. */
function fails(copy, folder) {
  const vitest = join('node_modules', 'vitest', 'vitest.mjs');
  const run = spawnSync(process.execPath, [vitest, 'run', '--bail=1', folder], {
    cwd: copy,
    env: { ...process.env, SIM_WORLDS: WORLDS },
    timeout: 60_000,
    killSignal: 'SIGKILL',
    encoding: 'utf8',
  });
  return run.status !== 0;
}

function tryOne(copy, { name, file, from, to }) {
  const path = join(copy, 'src', 'core', file);
  const right = readFileSync(path, 'utf8');
  const times = right.split(from).length - 1;
  if (times !== 1) return { name, result: `STALE: its text occurs ${times} times in ${file}`, ok: false };
  writeFileSync(
    path,
    right.replace(from, () => to),
  );
  const floors = ['test/core', 'test/sim'].filter((folder) => fails(copy, folder));
  writeFileSync(path, right);
  return {
    name,
    result: floors.length > 0 ? `caught by ${floors.join(' and ')}` : 'SURVIVED',
    ok: floors.length > 0,
  };
}

const wanted = MUTANTS.filter(({ name }) => name.includes(process.argv[2] ?? ''));
const copy = copyOfTheHouse();
try {
  if (fails(copy, 'test/core') || fails(copy, 'test/sim'))
    throw new Error('the tests fail without any fault');
  let caught = 0;
  for (const mutant of wanted) {
    const { name, result, ok } = tryOne(copy, mutant);
    if (ok) caught++;
    console.log(`${ok ? '✓' : '✗'} ${name}: ${result}`);
  }
  console.log(`${caught} of ${wanted.length} caught`);
  process.exitCode = caught === wanted.length ? 0 : 1;
} finally {
  rmSync(copy, { recursive: true, force: true });
}
