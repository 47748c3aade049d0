/** Starts the example's runner as a real process, listens to what it reports, and cleans up after it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { build } from 'rolldown';
import { endMarked } from '../e2e/processes.ts';
import { until } from '../e2e/until.ts';

export interface Runner {
  readonly child: ChildProcess;
  readonly pid: number;
  /** Every line that it has written to descriptor 3. */
  readonly said: readonly string[];
  /** Waits until it has said this, however long ago. */
  hears(line: string): Promise<void>;
  /** Its exit code, or the signal that ended it. */
  ended(): Promise<number | string>;
}

export interface Rig {
  /** The queue's folder. */
  readonly dir: string;
  start(args: readonly string[], options?: { instance?: string; descriptor?: 'pipe' | 'missing' }): Runner;
  /** Runs `--fill` or `--report` to its end. */
  run(...args: string[]): Promise<{ code: number | null; stdout: string; stderr: string }>;
  close(): Promise<void>;
}

/** Bundled from the sources as they are, so that no build can be stale. */
async function bundle(dir: string): Promise<string> {
  await build({
    input: 'src/example/file-queue.ts',
    platform: 'node',
    output: { dir, format: 'esm', entryFileNames: '[name].mjs', cleanDir: false },
  });
  return join(dir, 'file-queue.mjs');
}

export async function createRig(): Promise<Rig> {
  const home = mkdtempSync(join(tmpdir(), 'tv-example-'));
  const file = await bundle(home);
  const dir = join(home, 'queue');
  const mark = `TV_TEST=${home}`;
  const environment = { ...process.env, TV_TEST: home };

  return {
    dir,
    start(args, { instance = 'worker:0', descriptor = 'pipe' } = {}) {
      const child = spawn(process.execPath, [file, '--dir', dir, ...args], {
        detached: true,
        stdio: ['ignore', 'ignore', 'inherit', ...(descriptor === 'pipe' ? ['pipe' as const] : [])],
        env: {
          ...environment,
          TSUP_VISOR_NOTIFY_FD: '3',
          TSUP_VISOR_INSTANCE: instance,
          TSUP_VISOR_RUN: '1',
        },
      });
      return listen(child);
    },
    async run(...args) {
      const child = spawn(process.execPath, [file, '--dir', dir, ...args], { env: environment });
      const texts = [collect(child.stdout), collect(child.stderr)];
      const [code] = await once(child, 'close');
      const [stdout = '', stderr = ''] = await Promise.all(texts);
      return { code, stdout, stderr };
    },
    async close() {
      await endMarked(mark);
      rmSync(home, { recursive: true, force: true });
    },
  };
}

function listen(child: ChildProcess): Runner {
  const said: string[] = [];
  const exit = once(child, 'exit');
  const channel = child.stdio[3];
  // A pipe to a child is a socket: it can be read, whatever its type says.
  if (channel) createInterface({ input: channel as Readable }).on('line', (line) => said.push(line));
  return {
    child,
    pid: child.pid ?? 0,
    said,
    hears: (line) =>
      until(`the runner says ${line}`, () => said.includes(line), { seen: () => said.join('\n') }).then(
        () => {},
      ),
    ended: async () => {
      const [code, signal] = await exit;
      return code ?? signal;
    },
  };
}

async function collect(stream: Readable): Promise<string> {
  let text = '';
  for await (const chunk of stream) text += String(chunk);
  return text;
}
