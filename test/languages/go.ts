/** Compiles with what is installed. Nothing is fetched, and nothing is written but in the folder that is given. */
import { execFileSync, spawnSync } from 'node:child_process';
import { join } from 'node:path';

/** For the reason of a skipped test; null when the tool is there. */
export function reasonToSkip(tool: string): string | null {
  const isThere = spawnSync('sh', ['-c', `command -v ${tool}`]).status === 0;
  return isThere ? null : `${tool} is not installed`;
}

/** Answers with the program. @throws with what `go` says of the source. */
export function compileGo(file: string, dir: string): string {
  const program = join(dir, 'go-program');
  const env = {
    ...process.env,
    GOCACHE: join(dir, 'go-cache'),
    GOFLAGS: '-mod=mod',
    GOPROXY: 'off',
    GOTOOLCHAIN: 'local',
  };
  for (const args of [
    ['vet', file],
    ['build', '-o', program, file],
  ])
    execFileSync('go', args, { env, cwd: dir });
  return program;
}
