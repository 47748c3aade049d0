/** Reads /proc: one buffer for all, no string longer than it must be. */
import { closeSync, openSync, readdirSync, readFileSync, readSync } from 'node:fs';

export interface Stat {
  readonly state: string;
  readonly ppid: number;
  readonly session: number;
  /** In clock ticks since the machine started; with the pid it names a process for good. */
  readonly start: string;
}

const buffer = Buffer.allocUnsafe(64 * 1024);

export function allPids(): number[] {
  const pids: number[] = [];
  for (const name of readdirSync('/proc')) {
    const first = name.charCodeAt(0);
    if (first >= 48 && first <= 57) pids.push(Number(name));
  }
  return pids;
}

/** Null when the process is gone. */
export function readStat(pid: number): Stat | null {
  const length = readInto(`/proc/${pid}/stat`);
  return length === 0 ? null : parseStat(buffer.toString('latin1', 0, length));
}

/** The command name, in parentheses, may itself hold spaces and parentheses: only what follows the last one counts. */
export function parseStat(text: string): Stat | null {
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ', 20);
  const [state, ppid, , session] = fields;
  const start = fields[19];
  if (state === undefined || ppid === undefined || session === undefined || start === undefined) return null;
  return { state, ppid: Number(ppid), session: Number(session), start };
}

/** What one wants to know of a process in order to tell a person about it. */
export interface Particulars extends Stat {
  readonly group: number;
  /** As wait(2) has it, of a zombie; 0 also where the system does not say. */
  readonly status: number;
  /** Its arguments, or its name where it has none; it may have changed them. */
  readonly command: string;
  /** It is about to be gone, or becomes another program: its arguments and handlers are gone already. */
  readonly bare: boolean;
  /** The numbers of the signals that it ignores, or has a handler for. */
  readonly heeded: Heeded;
}

export interface Heeded {
  readonly ignored: readonly number[];
  readonly caught: readonly number[];
}

/** Null when the process is gone. */
export function particularsOf(pid: number): Particulars | null {
  const text = readText(`/proc/${pid}/stat`);
  const stat = parseStat(text);
  if (stat === null) return null;
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const name = text.slice(text.indexOf('(') + 1, text.lastIndexOf(')'));
  const words = readText(`/proc/${pid}/cmdline`, 'utf8').split('\0').filter(Boolean);
  return {
    ...stat,
    group: Number(fields[GROUP]),
    status: Number(fields[EXIT_STATUS] ?? 0),
    bare: words.length === 0,
    command: words.length > 0 ? words.join(' ') : name,
    heeded: heededIn(readText(`/proc/${pid}/status`)),
  };
}

/** How a process has ended that its parent has not taken note of yet: null while it lives, and when it is gone. */
export function endingOf(pid: number): Pick<Particulars, 'start' | 'status'> | null {
  const text = readText(`/proc/${pid}/stat`);
  const stat = parseStat(text);
  if (stat === null || !isZombie(stat)) return null;
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return { start: stat.start, status: Number(fields[EXIT_STATUS] ?? 0) };
}

/** Counted from the state. */
const GROUP = 2;
const EXIT_STATUS = 49;

const heededIn = (status: string): Heeded => ({
  ignored: signalsIn(/^SigIgn:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? '0'),
  caught: signalsIn(/^SigCgt:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? '0'),
});

/** The lowest bit is signal 1. */
function signalsIn(mask: string): number[] {
  const bits = BigInt(`0x${mask}`);
  return Array.from({ length: 64 }, (_, bit) => bit + 1).filter((n) => (bits >> BigInt(n - 1)) & 1n);
}

/** Empty when it is gone, or another user's. */
function readText(path: string, encoding: 'latin1' | 'utf8' = 'latin1'): string {
  return buffer.toString(encoding, 0, readInto(path));
}

/** Names a process for good, also for another daemon after a reboot: the boot, the pid and the start. Null: it is gone. */
export function identityOf(pid: number): string | null {
  const stat = readStat(pid);
  return stat === null || isZombie(stat) ? null : `${bootId()} ${pid} ${stat.start}`;
}

/** Whose a pid is now: still of the process with that identity, nobody's, or somebody else's by now. */
export function ownerOf(pid: number, identity: string): 'same' | 'nobody' | 'other' {
  const stat = readStat(pid);
  if (!identity.startsWith(`${bootId()} `)) return 'other';
  if (stat === null) return 'nobody';
  if (identity !== `${bootId()} ${pid} ${stat.start}`) return 'other';
  return isZombie(stat) ? 'nobody' : 'same';
}

let boot: string | undefined;

function bootId(): string {
  try {
    boot ??= readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim();
  } catch {
    boot = 'unknown';
  }
  return boot;
}

/** Ended, though its parent has not taken note yet. */
export const isZombie = (stat: Stat): boolean =>
  stat.state === 'Z' || stat.state === 'X' || stat.state === 'x';

/** Of Linux, on all architectures. */
const TICKS_PER_SECOND = 100;

/** For how long a process has been there; 0 when it is gone. */
export function ageMsOf(pid: number): number {
  const stat = readStat(pid);
  if (stat === null || readInto('/proc/uptime') === 0) return 0;
  const uptimeS = Number.parseFloat(buffer.toString('latin1', 0, 32));
  return Math.max(0, (uptimeS - Number(stat.start) / TICKS_PER_SECOND) * 1000);
}

/** A process whose first thread has ended looks like a zombie, though others of its threads work on. */
export function isAlive(pid: number, stat: Stat): boolean {
  if (!isZombie(stat)) return true;
  try {
    return readdirSync(`/proc/${pid}/task`).length > 1;
  } catch {
    return false;
  }
}

/**
 * The value of a variable in the environment that a process was started with, as far as it has not overwritten that.
 * `undefined`: it cannot be told yet, since the process is just becoming another program and has none for a moment.
 */
export function environmentValue(pid: number, name: string): string | null | undefined {
  const first = readEnvironment(pid);
  if (first === '' && isBetweenPrograms(pid)) return undefined;
  const text = `\0${(first === '' ? readEnvironment(pid) : first) ?? ''}`;
  const at = text.indexOf(`\0${name}=`);
  if (at < 0) return null;
  const from = at + name.length + 2;
  const to = text.indexOf('\0', from);
  return text.slice(from, to < 0 ? undefined : to);
}

/** Empty when the process is a zombie, or has none; null when it is gone, or another user's. */
function readEnvironment(pid: number): string | null {
  let text = '';
  const isReadable = readWhole(`/proc/${pid}/environ`, (length) => {
    text += buffer.toString('latin1', 0, length);
    return true;
  });
  return isReadable ? text : null;
}

/** Counted from the state, which follows the command's name: where the environment ends in memory. */
const ENVIRONMENT_END = 48;

/** While it calls exec, its old memory is gone and its new one not yet filled; one without variables knows where they would be. */
function isBetweenPrograms(pid: number): boolean {
  const length = readInto(`/proc/${pid}/stat`);
  const text = buffer.toString('latin1', 0, length);
  const stat = parseStat(text);
  if (stat === null || isZombie(stat)) return false;
  return text.slice(text.lastIndexOf(')') + 2).split(' ')[ENVIRONMENT_END] === '0';
}

function readInto(path: string): number {
  let total = 0;
  readWhole(path, (length) => {
    total = length;
    return false;
  });
  return total;
}

/** Hands over the file piece by piece, in `buffer`; ends when told `false`. False: it could not be read. */
function readWhole(path: string, piece: (length: number) => boolean): boolean {
  let descriptor: number;
  try {
    descriptor = openSync(path, 'r');
  } catch {
    return false; // gone, or not ours to read
  }
  try {
    for (;;) {
      const length = readSync(descriptor, buffer, 0, buffer.length, null);
      if (length > 0 && !piece(length)) return true;
      if (length < buffer.length) return true;
    }
  } catch {
    return false; // it ended while being read
  } finally {
    closeSync(descriptor);
  }
}
