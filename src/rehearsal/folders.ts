/** Folders for one rehearsal, and for nobody else: gone when it is over. */
import { chmodSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Folders } from './reduce.ts';

export interface PrivateFolders extends Folders {
  remove(): void;
}

/** @throws what the system says. */
export function makePrivateFolders(): PrivateFolders {
  const root = mkdtempSync(join(tmpdir(), 'tsup-visor-rehearsal-'));
  // A program of another user goes through here to its notify socket.
  if (process.geteuid?.() === 0) chmodSync(root, 0o711);
  return {
    runDir: join(root, 'run'),
    stateDir: join(root, 'state'),
    logDir: join(root, 'log'),
    remove: () => rmSync(root, { recursive: true, force: true, maxRetries: 3 }),
  };
}

const LAST_BYTES = 16 * 1024;

/** Its last lines; none where it has written nothing. */
export function lastLines(path: string | null, count: number): string[] {
  if (path === null) return [];
  try {
    const lines = readFileSync(path).subarray(-LAST_BYTES).toString('utf8').split('\n');
    return lines.filter((line) => line.trim() !== '').slice(-count);
  } catch {
    return []; // it was never opened
  }
}
