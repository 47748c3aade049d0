/** Servers of others that a test starts in a folder of its own, and ends by their number. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { until } from '../e2e/until.ts';

export interface Server {
  readonly url: string;
  readonly dir: string;
  close(): Promise<void>;
}

/** Null where it is not installed: in the PATH, or where Debian has what only root needs. */
export function whereIs(program: string, ...more: readonly string[]): string | null {
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', ...more];
  return folders.map((folder) => join(folder, program)).find((path) => existsSync(path)) ?? null;
}

export const newFolder = (name: string): string => mkdtempSync(join(tmpdir(), `tv-${name}-`));

export interface Command {
  readonly file: string;
  readonly args: readonly string[];
  readonly user?: { readonly uid: number; readonly gid: number } | undefined;
  /** What it is asked to end with. */
  readonly end?: NodeJS.Signals;
}

/** Runs until `close`, which takes the folder away as well. */
export async function startServer(
  dir: string,
  { file, args, user, end = 'SIGTERM' }: Command,
  urlOf: () => string | undefined | Promise<string | undefined>,
): Promise<Server> {
  const said: string[] = [];
  const child = spawn(file, args, { cwd: dir, stdio: ['ignore', 'pipe', 'pipe'], ...user });
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => void said.push(text));
  }
  const exited = once(child, 'exit');
  const close = async (): Promise<void> => {
    await stop(child, exited, end);
    rmSync(dir, { recursive: true, force: true });
  };
  try {
    const url = await until(`${file} answers`, urlOf, { seen: () => said.join('') });
    return { url, dir, close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function stop(child: ChildProcess, exited: Promise<unknown>, signal: NodeJS.Signals): Promise<void> {
  child.kill(signal);
  const timer = setTimeout(() => child.kill('SIGKILL'), 5000);
  if (child.exitCode === null && child.signalCode === null) await exited;
  clearTimeout(timer);
}
