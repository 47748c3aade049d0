/** What a worker pays for the SDK at its start: the file as it is shipped, loaded by processes that are new each time. */
import { execFileSync } from 'node:child_process';
import { median, percentile } from './measure.mjs';
import { print } from './table.mjs';

const url = (path) => new URL(path, import.meta.url).href;
const SDK = url('../../dist/runner.js');
/** A worker is a module itself: what Node needs to load any is there already. */
const script = (body) => `await import('${url('./measure.mjs')}');
const began = performance.now();
${body};
console.log(performance.now() - began);
process.exit()`;
const CASES = [
  ['load it', script(`await import('${SDK}')`)],
  ['load it and make a runner', script(`(await import('${SDK}')).createRunner()`)],
  ['load a small file, for comparison', script(`await import('${url('./table.mjs')}')`)],
];

export function load(tries) {
  const times = CASES.map(() => []);
  for (let n = 0; n < tries; n++) {
    for (const [which, [, code]] of CASES.entries()) times[which].push(timed(code));
  }
  print(
    'the SDK at the start of a worker (ms)',
    CASES.map(([name], n) => ({ name, median: median(times[n]), p90: percentile(times[n], 0.9) })),
  );
}

const timed = (code) =>
  Number(execFileSync(process.execPath, ['--input-type=module', '-e', code], { encoding: 'utf8' }));
