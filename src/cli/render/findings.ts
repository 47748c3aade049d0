/** What a rehearsal found, like a doctor: a line a finding, the cure below it. */
import type { Finding, Level } from '../../rehearsal/finding.ts';
import type { Rehearsal } from '../../rehearsal/rehearse.ts';
import type { Paint } from './paint.ts';
import { printable, wrap } from './text.ts';
import { plural } from './words.ts';

/** `width` undefined: nothing is broken into lines. */
export function findingLines(
  { findings, instance, output }: Rehearsal,
  width: number | undefined,
  paint: Paint,
): string[] {
  return [
    ...findings.flatMap((finding) => linesOf(finding, width, paint)),
    ...(output.length === 0 || !findings.some(isTold)
      ? []
      : ['', `what ${instance} wrote last:`, ...output.map((line) => `  ${printable(line)}`)]),
    '',
    conclusion(findings, instance, paint),
  ];
}

/** Faults of which its own words may give the reason. */
const isTold = ({ id, level }: Finding): boolean => level === 'fault' && TOLD.has(id);
const TOLD: ReadonlySet<Finding['id']> = new Set(['ready', 'trouble', 'work', 'exit']);

const MARKS: Readonly<Record<Level, string>> = { ok: 'ok', note: 'note', warning: 'warning', fault: 'FAULT' };
const MARK_WIDTH = 9;

function linesOf({ level, message, cure }: Finding, width: number | undefined, paint: Paint): string[] {
  const look = { ok: paint.good, note: paint.faint, warning: paint.busy, fault: paint.bad }[level];
  const room = width === undefined ? Number.POSITIVE_INFINITY : Math.max(20, width - MARK_WIDTH);
  const indent = ' '.repeat(MARK_WIDTH);
  const [first = '', ...more] = wrap(message, room);
  const mark = look(MARKS[level]) + ' '.repeat(MARK_WIDTH - MARKS[level].length);
  const remedy = cure === undefined ? [] : wrap(`cure: ${cure}`, room, '      ');
  return [mark + first, ...[...more, ...remedy].map((line) => indent + line)];
}

function conclusion(findings: readonly Finding[], instance: string, paint: Paint): string {
  const count = (level: Level) => findings.filter((finding) => finding.level === level).length;
  const [faults, warnings] = [count('fault'), count('warning')];
  const sum = [
    faults === 0 ? paint.good('no fault') : paint.bad(plural(faults, 'fault')),
    ...(warnings === 0 ? [] : [paint.busy(plural(warnings, 'warning'))]),
  ];
  return `${instance}: ${sum.join(', ')}`;
}
