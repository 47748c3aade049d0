/** The command line of the example, read strictly: a mistyped flag is a mistake. */
import { parseArgs } from 'node:util';
import type { Seconds } from './fill.ts';
import type { WorkOptions } from './work.ts';

export type Command =
  | ({ readonly kind: 'work' } & WorkOptions)
  | { readonly kind: 'fill'; readonly dir: string; readonly count: number; readonly seconds: Seconds }
  | { readonly kind: 'report'; readonly dir: string; readonly waitSeconds: number };

export const USAGE = `usage: file-queue --dir DIR [--parallel 2] [--job-group own|shared]   works through DIR/todo
       file-queue --dir DIR --fill N [--seconds 1-3]                 adds N jobs
       file-queue --dir DIR --report [--wait SECONDS]                counts what became of them`;

/** @throws Error with one sentence for people. */
export function parseCommand(args: readonly string[]): Command {
  const { values } = parseArgs({
    args: [...args],
    options: {
      dir: { type: 'string' },
      parallel: { type: 'string', default: '2' },
      'job-group': { type: 'string', default: 'own' },
      fill: { type: 'string' },
      seconds: { type: 'string', default: '1-3' },
      report: { type: 'boolean', default: false },
      wait: { type: 'string', default: '0' },
    },
  });
  const { dir } = values;
  if (dir === undefined || dir === '') throw new Error('cannot tell which folder is meant: add --dir DIR');
  if (values.report) return { kind: 'report', dir, waitSeconds: whole('--wait', values.wait, 0) };
  if (values.fill !== undefined) {
    return { kind: 'fill', dir, count: whole('--fill', values.fill, 0), seconds: range(values.seconds) };
  }
  return {
    kind: 'work',
    dir,
    parallel: whole('--parallel', values.parallel, 1),
    jobGroup: group(values['job-group']),
  };
}

function whole(flag: string, text: string, min: number): number {
  if (/^\d{1,6}$/.test(text) && Number(text) >= min) return Number(text);
  throw new Error(`cannot use ${flag} "${text}": a whole number from ${min} is wanted`);
}

function range(text: string): Seconds {
  const match = /^(\d+(?:\.\d+)?)(?:-(\d+(?:\.\d+)?))?$/.exec(text);
  const min = Number(match?.[1]);
  const max = Number(match?.[2] ?? match?.[1]);
  if (match !== null && min <= max) return { min, max };
  throw new Error(`cannot use --seconds "${text}": write for example 2 or 1-3`);
}

function group(text: string): WorkOptions['jobGroup'] {
  if (text === 'own' || text === 'shared') return text;
  throw new Error(`cannot use --job-group "${text}": it is own or shared`);
}
