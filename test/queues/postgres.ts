import { execFile } from 'node:child_process';
import { chownSync, existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { newFolder, type Server, startServer, whereIs } from './server.ts';

/** Debian has a folder for each version, none of them in the PATH. */
const VERSIONS = '/usr/lib/postgresql';
const folders = existsSync(VERSIONS)
  ? readdirSync(VERSIONS)
      .sort((a, b) => Number(b) - Number(a))
      .map((version) => join(VERSIONS, version, 'bin'))
  : [];
const initdb = whereIs('initdb', ...folders);

/** The programs of one version, or null where it is not installed. */
export const POSTGRES = initdb === null ? null : { initdb, postgres: join(initdb, '../postgres') };

/** A cluster of its own, on a Unix socket alone, that promises nothing for the time after a crash. */
export async function startPostgres(programs: NonNullable<typeof POSTGRES>): Promise<Server> {
  const dir = newFolder('postgres');
  const user = whoRunsIt();
  if (user !== undefined) chownSync(dir, user.uid, user.gid);
  const data = join(dir, 'data');
  const initArgs = ['-D', data, '-U', 'test', '-A', 'trust', '-E', 'UTF8', '--no-locale', '--no-sync'];
  await promisify(execFile)(programs.initdb, initArgs, { cwd: dir, ...user });
  const settings = {
    listen_addresses: '',
    unix_socket_directories: dir,
    fsync: 'off',
    max_connections: '60',
  };
  const args = ['-D', data, ...Object.entries(settings).flatMap(([key, value]) => ['-c', `${key}=${value}`])];
  // SIGTERM: it waits until all have gone; whoever is told by it that it ends would take that for an error.
  return startServer(dir, { file: programs.postgres, args, user, end: 'SIGTERM' }, () =>
    isReady(data) ? `postgres:///postgres?host=${dir}&user=test` : undefined,
  );
}

/** The last line of this file is its state. */
function isReady(data: string): boolean {
  const file = join(data, 'postmaster.pid');
  return existsSync(file) && readFileSync(file, 'utf8').trimEnd().endsWith('ready');
}

/** It refuses to run as root: then it is postgres, whom Debian's package brings, or else nobody. */
function whoRunsIt(): { readonly uid: number; readonly gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const [, uid = '65534', gid = '65534'] =
    /^postgres:[^:]*:(\d+):(\d+):/m.exec(readFileSync('/etc/passwd', 'utf8')) ?? [];
  return { uid: Number(uid), gid: Number(gid) };
}
