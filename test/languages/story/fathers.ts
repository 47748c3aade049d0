/**
 * The programs of the story that this project began with: fathers, each of which begins a job every so often, some of
 * them through `bash hello.sh`. The command takes `--every-ms`, `--takes-ms`, and `--job-group shared` for the mistake:
 * the job's child in the father's own process group. They work in the current folder, which holds `hello.sh`, keep a
 * `ledger` in it (`begun JOB`, then `done JOB` or `cut JOB`; `hello JOB` and `goodbye JOB` from within bash), and a job
 * in bash lasts for as long as a file `hold` is there.
 */
import { copyFileSync, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { bundle } from '../../rig/bundle.ts';
import { compileGo } from '../go.ts';

export interface Father {
  readonly language: string;
  /** Has to be installed. */
  readonly tool: string;
  /** Answers with the command. What is made for it may be written into `dir`. */
  prepare(dir: string): Promise<readonly string[]>;
}

export const FATHERS: readonly Father[] = [
  {
    language: 'TypeScript',
    tool: 'node',
    prepare: async () => [process.execPath, await bundle('test/languages/story/father.ts')],
  },
  {
    language: 'Go',
    tool: 'go',
    prepare: async (dir) => [compileGo(join(import.meta.dirname, 'father.go'), dir)],
  },
];

/** Makes the folder one that a father can work in. */
export const layScript = (dir: string): void =>
  copyFileSync(join(import.meta.dirname, 'hello.sh'), join(dir, 'hello.sh'));

type Word = 'begun' | 'done' | 'cut' | 'hello' | 'goodbye';

/** The jobs of which the ledger says this, in order. */
export function jobsThat(are: Word, dir: string): string[] {
  const ledger = join(dir, 'ledger');
  if (!existsSync(ledger)) return [];
  const lines = readFileSync(ledger, 'utf8').split('\n').slice(0, -1);
  return lines.flatMap((line) => (line.startsWith(`${are} `) ? [line.slice(are.length + 1)] : []));
}
