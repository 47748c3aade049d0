/** How what a rehearsal has found is shown. */
import { describe, expect, it } from 'vitest';
import { colour } from '../../src/cli/render/colour.ts';
import { findingLines } from '../../src/cli/render/findings.ts';
import { plain } from '../../src/cli/render/paint.ts';
import { widthOf } from '../../src/cli/render/text.ts';
import type { Rehearsal } from '../../src/rehearsal/rehearse.ts';

const SICK: Rehearsal = {
  program: 'worker',
  instance: 'worker:4',
  ok: false,
  findings: [
    { id: 'alone', level: 'note', message: 'depends on redis, which is not started here' },
    { id: 'ready', level: 'ok', message: 'was ready after 119ms: it said READY=1' },
    {
      id: 'reports',
      level: 'warning',
      message: 'reported neither X_INFLIGHT nor X_DRAINED',
      cure: 'report it',
    },
    {
      id: 'group',
      level: 'fault',
      message: 'has 17 (bash hello.sh) in its own process group: Ctrl-C would be the end of that',
      cure: 'start job children in a group of their own',
    },
  ],
  drain: null,
  output: ['no \u001b[2Jdatabase'],
};
const WELL: Rehearsal = { ...SICK, ok: true, findings: SICK.findings.slice(0, 2) };

describe('a rehearsal', () => {
  it('is a line a finding, its cure below it, what was written last, and the sum', () => {
    const exit = { id: 'exit', level: 'fault', message: 'was ended by SIGSEGV', cure: 'see below' } as const;
    expect(findingLines({ ...SICK, findings: [...SICK.findings, exit] }, undefined, plain)).toEqual([
      'note     depends on redis, which is not started here',
      'ok       was ready after 119ms: it said READY=1',
      'warning  reported neither X_INFLIGHT nor X_DRAINED',
      '         cure: report it',
      'FAULT    has 17 (bash hello.sh) in its own process group: Ctrl-C would be the end of that',
      '         cure: start job children in a group of their own',
      'FAULT    was ended by SIGSEGV',
      '         cure: see below',
      '',
      'what worker:4 wrote last:',
      '  no  [2Jdatabase',
      '',
      'worker:4: 2 faults, 1 warning',
    ]);
  });

  it('says nothing of the output where that has nothing to do with a fault', () => {
    expect(findingLines(SICK, undefined, plain).slice(-2)).toEqual(['', 'worker:4: 1 fault, 1 warning']);
    expect(findingLines(SICK, undefined, plain)).not.toContain('what worker:4 wrote last:');
    expect(findingLines(WELL, undefined, plain).slice(-2)).toEqual(['', 'worker:4: no fault']);
  });

  it.each([80, 40, 25])('fits a terminal of %i columns', (width) => {
    const lines = findingLines({ ...SICK, output: [] }, width, colour);
    for (const line of lines) expect(widthOf(line)).toBeLessThanOrEqual(Math.max(width, 29));
    expect(lines.length).toBeGreaterThan(findingLines({ ...SICK, output: [] }, undefined, colour).length);
  });
});
