import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { newFolder, type Server, startServer, whereIs } from './server.ts';

export const NATS = whereIs('nats-server');

/** With JetStream, on a port that it chooses and writes down. */
export async function startNats(file: string): Promise<Server> {
  const dir = newFolder('nats');
  const args = [
    '--addr',
    '127.0.0.1',
    '--port',
    '-1',
    '--jetstream',
    '--store_dir',
    dir,
    '--ports_file_dir',
    dir,
  ];
  return startServer(dir, { file, args }, () => {
    const name = readdirSync(dir).find((entry) => entry.endsWith('.ports'));
    return name === undefined ? undefined : /nats:\/\/[^"]+/.exec(readFileSync(join(dir, name), 'utf8'))?.[0];
  });
}
