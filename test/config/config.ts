/** A world for config tests, and short ways to load a text. */
import { parseConfig } from '../../src/config/load.ts';
import type { Mistake } from '../../src/config/mistake.ts';
import type { World } from '../../src/config/where.ts';
import type { Plan, ProgramPlan } from '../../src/core/plan.ts';

export const FILE = '/srv/orders/supervisor.yaml';

export const WORLD: World = { environment: {}, uid: 1000, home: '/home/ada', tmp: '/tmp' };

export const within = (environment: World['environment']): World => ({ ...WORLD, environment });

export function planOf(text: string, world = WORLD): Plan {
  const loaded = parseConfig(text, FILE, world);
  if (loaded.ok) return loaded.value.plan;
  throw new Error(`expected no mistakes:\n${loaded.error.map(brief).join('\n')}`);
}

/** The first program of a config that says only this about it. */
export function programOf(keys: string, world = WORLD): ProgramPlan {
  const [program] = planOf(aProgram(keys), world).programs;
  if (program === undefined) throw new Error('expected a program');
  return program;
}

/** `worker` with a command unless there is one, and these lines below it. */
export function aProgram(keys: string): string {
  const command = /^command:/m.test(keys) ? '' : '    command: sleep 1\n';
  return `programs:\n  worker:\n${command}${indented(keys, 4)}\n`;
}

export const indented = (text: string, by: number): string =>
  text
    .split('\n')
    .map((line) => (line === '' ? '' : ' '.repeat(by) + line))
    .join('\n');

export function mistakesIn(text: string, world = WORLD): readonly Mistake[] {
  const loaded = parseConfig(text, FILE, world);
  return loaded.ok ? [] : loaded.error;
}

/** `marked words: sentence [suggestion]`, with what the mark covers in the source. */
export function saidOf(text: string, world = WORLD): string[] {
  const lines = text.replace(/^\uFEFF/, '').split(/\r?\n/);
  return mistakesIn(text, world).map(({ line, column, length, message, suggestion }) => {
    const marked = (lines[line - 1] ?? '').slice(column - 1, column - 1 + length);
    return `${marked} | ${message}${suggestion === undefined ? '' : ` [${suggestion}]`}`;
  });
}

const brief = (mistake: Mistake): string => `${mistake.line}:${mistake.column} ${mistake.message}`;
