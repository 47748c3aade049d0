/** The values of options, checked where they come in: what is wrong with one is said in its own words. */
import { InvalidArgumentError } from 'commander';
import { parseDuration } from '../base/duration.ts';

/** Milliseconds; null for `none`. */
export function duration(text: string): number | null {
  if (text === 'none') return null;
  const parsed = parseDuration(text);
  if (!parsed.ok) throw new InvalidArgumentError(`${parsed.error}.`);
  return parsed.value;
}

export const TIMEOUT = [
  '--timeout <DURATION>',
  'stop waiting after this long; the work goes on',
  duration,
] as const;

export function count(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError(`"${text}" is not a number of lines.`);
  return Number(text);
}

export const countOrAll = (text: string): number | 'all' => (text === 'all' ? text : count(text));

export function atLeastOne(text: string): number {
  if (!/^[1-9]\d{0,5}$/.test(text)) throw new InvalidArgumentError(`"${text}" is not a number of jobs.`);
  return Number(text);
}

/** At least one: a rollout in which nobody may be away would never begin. */
export function parallel(text: string): string {
  if (/^([1-9]\d{0,4}|[1-9]\d?%|100%)$/.test(text)) return text;
  throw new InvalidArgumentError(
    /^0+%?$/.test(text)
      ? 'with nobody away at once it would never begin; 1 is the least.'
      : `"${text}" is not a number of instances, such as 2 or 25%.`,
  );
}

/** `0` is none, whatever the config has. */
export function canary(text: string): string {
  if (/^(\d{1,5}|\d{1,2}%|100%)$/.test(text)) return text;
  throw new InvalidArgumentError(`"${text}" is not a number of instances, such as 2 or 10%; 0 is no canary.`);
}

/** `0-3`, `0,2,5-7`: given on as it stands once it is known to make sense. */
export function instances(text: string): string {
  for (const part of text.split(',')) {
    const [, from = '', to = from] = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(part) ?? [];
    if (from === '') {
      throw new InvalidArgumentError(`"${text}" does not name instances by number, such as 0-3 or 0,2,5-7.`);
    }
    if (Number(to) < Number(from)) {
      throw new InvalidArgumentError(`"${part}" runs backwards; write ${to}-${from}.`);
    }
  }
  return text;
}

const MOST_WORDS = 500;

/** Kept in the history, on one line. */
export function reason(text: string): string {
  const words = text.replace(/\p{Cc}+/gu, ' ').trim();
  if (words === '') throw new InvalidArgumentError('it is empty; say why in a few words, or leave it out.');
  if (words.length > MOST_WORDS) {
    throw new InvalidArgumentError(`it has ${words.length} characters; ${MOST_WORDS} are kept.`);
  }
  return words;
}
