/** Where nothing can be carried, the word about it names what does not hold there, and nothing that nobody wants. */
import { expect, test } from 'vitest';
import type { ProgramPlan } from '../../src/core/plan.ts';
import { createOutput } from '../../src/daemon/output.ts';
import { openLog, openOutput } from '../../src/os/output.ts';
import { program } from '../core/rig.ts';
import { PLAIN } from '../rig/logging.ts';

const warningsOf = (...logs: Partial<ProgramPlan['logs']>[]): readonly string[] => {
  const say = (): void => {};
  const [openFile, openFiles] = [openLog, openOutput];
  const logPath = (): null => null;
  const output = createOutput({
    plumbing: null,
    runDir: '/nowhere',
    logPath,
    openFile,
    openFiles,
    say,
    warn: say,
  });
  output.follow(logs.map((change) => program({ logs: { ...PLAIN, ...change } })));
  return output.warnings;
};

const PLAINLY =
  'programs write to their log files by themselves here: koffi cannot be loaded, so nothing can be carried there';

test('nobody wants more than that', () => {
  expect(warningsOf({}, {})).toEqual([PLAINLY]);
});

test('what some want is named once', () => {
  const hint = '(logrotate with copytruncate can rotate the files)';
  expect(warningsOf({ maxBytes: 50 }, { maxBytes: 50 })).toEqual([
    `${PLAINLY}; of the keys of logs, max_size, keep do not hold ${hint}`,
  ]);
  expect(warningsOf({ maxAgeMs: 1, compress: true }, { timestamps: true }, { format: 'json' })).toEqual([
    `${PLAINLY}; of the keys of logs, max_age, compress, timestamps, format do not hold ${hint}`,
  ]);
});
