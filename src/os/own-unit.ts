/** Asks systemd about the unit that this process is the main process of. Where there is none, nothing is said. */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import type { OwnUnit } from '../ports/own-unit.ts';

const ANSWER_WITHIN_MS = 2000;
const PROPERTIES = ['TimeoutStopUSec', 'KillMode', 'MainPID'];

export interface Asking {
  /** As in /proc/self/cgroup. */
  readonly cgroup?: string;
  readonly pid?: number;
  readonly environment?: NodeJS.ProcessEnv;
}

/** Null: there is none, or it does not answer in time. */
export function askOwnUnit(done: (unit: OwnUnit | null) => void, asking: Asking = {}): void {
  const { cgroup = ownCgroup(), pid = process.pid, environment = process.env } = asking;
  const found = unitIn(cgroup);
  if (found === null) {
    setImmediate(() => done(null));
    return;
  }
  const manager = found.isUsers ? ['--user'] : [];
  const words = [...manager, 'show', `--property=${PROPERTIES.join(',')}`, found.name];
  execFile('systemctl', words, { env: environment, timeout: ANSWER_WITHIN_MS }, (error, text) =>
    done(error === null ? unitOf(found.name, text, pid) : null),
  );
}

function ownCgroup(): string {
  try {
    return readFileSync('/proc/self/cgroup', 'latin1');
  } catch {
    return '';
  }
}

interface Found {
  readonly name: string;
  readonly isUsers: boolean;
}

/** Whichever hierarchy systemd keeps it in. */
function unitIn(cgroup: string): Found | null {
  const paths = [...cgroup.matchAll(/^(?:0:|\d+:name=systemd):(\/.*)$/gm)].map(([, path = '']) => path);
  return paths.map(serviceIn).find((found) => found !== null) ?? null;
}

/** The innermost service, whatever is below it; a session or a terminal is none. */
function serviceIn(path: string): Found | null {
  const parts = path.split('/');
  const at = parts.findLastIndex((part) => /\.(service|scope)$/.test(part));
  const name = parts[at];
  if (name === undefined || !name.endsWith('.service')) return null;
  return { name, isUsers: parts.slice(0, at).some((part) => /^user@\d+\.service$/.test(part)) };
}

function unitOf(name: string, text: string, pid: number): OwnUnit | null {
  const values = new Map(text.split('\n').map((line): [string, string] => split(line)));
  const stopMs = spanOf(values.get('TimeoutStopUSec') ?? '');
  // Of a daemon in the background the unit is somebody else's.
  if (values.get('MainPID') !== String(pid) || stopMs === undefined) return null;
  return { name, stopMs, killMode: values.get('KillMode') ?? '' };
}

function split(line: string): [string, string] {
  const at = line.indexOf('=');
  return [line.slice(0, at), line.slice(at + 1)];
}

const UNITS: Readonly<Record<string, number>> = {
  us: 0.001,
  ms: 1,
  s: 1000,
  min: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
  month: 2_629_800_000,
  y: 31_557_600_000,
};

/** `1min 30s`; null: `infinity`; undefined: it is no time. */
function spanOf(text: string): number | null | undefined {
  if (text === 'infinity') return null;
  if (!/^(?:[\d.]+(?:us|ms|s|min|h|d|w|month|y) ?)+$/.test(text)) return undefined;
  const parts = text.matchAll(/([\d.]+)([a-z]+)/g);
  return [...parts].reduce((sum, [, count, unit = '']) => sum + Number(count) * (UNITS[unit] ?? 0), 0);
}
