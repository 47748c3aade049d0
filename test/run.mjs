// The test command: build, types, lint, then every test. Ends by printing `N passed, N failed`.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const scratch = mkdtempSync(join(tmpdir(), 'tsup-visor-tests-'));
const report = join(scratch, 'report.json');
const checks = [
  ['build', ['npm', 'run', '--silent', 'build']],
  ['types', ['npm', 'run', '--silent', 'types']],
  ['lint', ['npm', 'run', '--silent', 'lint']],
];
const vitest = ['run', '--config', 'test/vitest.config.ts', '--reporter=default', '--reporter=json'];

let passed = 0;
let failed = 0;
let skipped = 0;
try {
  for (const [name, [command, ...args]] of checks) {
    const ok = run(command, args);
    console.log(`${name}: ${ok ? 'ok' : 'FAILED'}`);
    if (ok) passed++;
    else failed++;
  }
  const ok = run('node_modules/.bin/vitest', [
    ...vitest,
    `--outputFile.json=${report}`,
    ...process.argv.slice(2),
  ]);
  const counted = count();
  passed += counted.passed;
  skipped += counted.skipped;
  // A run that went wrong outside any test (an error between two, a file that cannot be loaded) is a failure too.
  failed += ok ? counted.failed : Math.max(1, counted.failed);
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
console.log(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`);
process.exitCode = failed > 0 ? 1 : 0;

function run(command, args) {
  return spawnSync(command, args, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] }).status === 0;
}

function count() {
  try {
    const { numPassedTests, numFailedTests, numPendingTests, numTodoTests } = JSON.parse(
      readFileSync(report, 'utf8'),
    );
    return { passed: numPassedTests, failed: numFailedTests, skipped: numPendingTests + numTodoTests };
  } catch {
    return { passed: 0, failed: 0, skipped: 0 };
  }
}
