/** All mistakes of a config file as one text, each with its line and a mark under its place. */
import { readConfig } from './load.ts';
import { type Mistake, renderMistake } from './mistake.ts';

export function reportMistakes(file: string, mistakes: readonly Mistake[]): string {
  const text = readConfig(file);
  const source = text.ok ? text.value : '';
  const count = mistakes.length === 1 ? '1 mistake' : `${mistakes.length} mistakes`;
  return [`${file} has ${count}`, ...mistakes.map((mistake) => renderMistake(mistake, source))].join('\n');
}

/** The same for what is only doubtful. */
export const reportDoubts = (doubts: readonly Mistake[], source: string): string[] =>
  doubts.map((doubt) => `warning: ${renderMistake(doubt, source)}`);
