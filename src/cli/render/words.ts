/** Small phrases that several views share. */
import { formatDuration } from '../../base/duration.ts';

export const plural = (count: number, one: string, many = `${one}s`): string =>
  `${count} ${count === 1 ? one : many}`;

export const jobs = (count: number): string => `${plural(count, 'job')} in flight`;

const two = (n: number): string => String(n).padStart(2, '0');

/** `2026-01-31T15:00:01+01:00`: in local time, with what it is ahead of UTC, so that it is plain to any reader. */
export function stamp(iso: string): string {
  const at = new Date(iso);
  const ahead = -at.getTimezoneOffset();
  const offset = `${ahead < 0 ? '-' : '+'}${two(Math.floor(Math.abs(ahead) / 60))}:${two(Math.abs(ahead) % 60)}`;
  return `${dateOf(at)}T${clock(iso)}${offset}`;
}

const dateOf = (at: Date): string => `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;

const UTC = /\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z/g;

/** A sentence of the daemon, which knows no terminal and tells times in UTC. */
export const inLocalTime = (text: string): string => text.replace(UTC, stamp);

/** `14:02:09` in local time. */
function clock(iso: string): string {
  const at = new Date(iso);
  return `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;
}

/** `until 14:02`; `no deadline` for null. */
export const until = (iso: string | null, now: Date): string =>
  iso === null ? 'no deadline' : `until ${soon(iso, now)}`;

/** `14:02` in local time, with seconds for the next minute and the date for another day. */
export function soon(iso: string, now: Date): string {
  const at = new Date(iso);
  const near = at.getTime() - now.getTime() < 60_000;
  const time = near ? clock(iso) : `${two(at.getHours())}:${two(at.getMinutes())}`;
  if (at.toDateString() === now.toDateString()) return time;
  return `${dateOf(at)} ${time}`;
}

/** When something was: `14:00` today, `11-23 14:00` in this year, else the day alone. */
export function moment(iso: string, now: Date): string {
  const at = new Date(iso);
  if (at.getFullYear() !== now.getFullYear()) return dateOf(at);
  const time = `${two(at.getHours())}:${two(at.getMinutes())}`;
  return at.toDateString() === now.toDateString() ? time : `${dateOf(at).slice(5)} ${time}`;
}

/** In whole seconds; `-` where there is none. */
export const uptime = (ms: number | null): string => (ms === null ? '-' : elapsed(ms));

/** Whole seconds: a view that is drawn each second shows no tenths. */
export const whole = (ms: number): number => Math.floor(ms / 1000) * 1000;

export const elapsed = (ms: number): string => (ms < 1000 ? '0s' : formatDuration(whole(ms)));

/** `about 2m left`: as exact as an expectation is. Empty where its time is up, and it is not over for all that. */
export function remaining(ms: number): string {
  if (ms < -LATE_MS) return 'longer than expected';
  if (ms < 1000) return '';
  if (ms < 5000) return 'a few seconds left';
  const step = ms < 60_000 ? 5000 : ms < 600_000 ? 30_000 : 60_000;
  return `about ${formatDuration(Math.ceil(ms / step) * step)} left`;
}

const LATE_MS = 10_000;

export function memory(bytes: number | null): string {
  if (bytes === null) return '-';
  const units = ['B', 'KB', 'MB', 'GB', 'TB'] as const;
  const power = Math.min(units.length - 1, Math.floor(Math.log2(Math.max(1, bytes)) / 10));
  const value = bytes / 1024 ** power;
  return `${value < 10 && power > 1 ? value.toFixed(1) : Math.round(value)} ${units[power]}`;
}

export const cpu = (percent: number | null): string => (percent === null ? '-' : `${percent.toFixed(1)}%`);

/** `worker:0-3, mailer:0`: neighbours are drawn together. */
export function idRanges(ids: readonly string[]): string {
  const ranges: { program: string; from: number; to: number }[] = [];
  for (const id of ids) {
    const colon = id.lastIndexOf(':');
    const program = id.slice(0, colon);
    const index = Number(id.slice(colon + 1));
    const last = ranges.at(-1);
    if (last?.program === program && last.to + 1 === index) last.to = index;
    else ranges.push({ program, from: index, to: index });
  }
  return ranges
    .map(({ program, from, to }) => `${program}:${from === to ? from : `${from}-${to}`}`)
    .join(', ');
}
