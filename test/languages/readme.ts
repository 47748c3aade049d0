/** The workers that the README shows, taken from it as they stand. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../e2e/build.ts';
import { compileGo } from './go.ts';

export interface Language {
  readonly name: string;
  /** What begins its block of code. */
  readonly fence: string;
  /** Has to be installed. */
  readonly tool: string;
  /** How many jobs its worker does at a time. */
  readonly slots: number;
  /** Whether its worker can write to a pipe that is full without waiting for it. */
  readonly canWriteWithoutWaiting: boolean;
  /** Writes the worker into the folder; answers with what runs it. */
  prepare(source: string, dir: string): readonly string[];
}

const GO: Language = {
  name: 'Go',
  fence: 'go',
  tool: 'go',
  slots: 2,
  canWriteWithoutWaiting: true,
  prepare(source, dir) {
    writeFileSync(join(dir, 'worker.go'), source);
    return [compileGo(join(dir, 'worker.go'), dir)];
  },
};

const PYTHON: Language = {
  name: 'Python',
  fence: 'python',
  tool: 'python3',
  slots: 2,
  canWriteWithoutWaiting: true,
  prepare(source, dir) {
    writeFileSync(join(dir, 'worker.py'), source);
    return ['python3', '-W', 'error', join(dir, 'worker.py')];
  },
};

const BASH: Language = {
  name: 'Bash',
  fence: 'bash',
  tool: 'bash',
  slots: 1,
  canWriteWithoutWaiting: false,
  prepare(source, dir) {
    writeFileSync(join(dir, 'worker.sh'), source);
    return ['bash', join(dir, 'worker.sh')];
  },
};

export const LANGUAGES: readonly Language[] = [GO, PYTHON, BASH];

/** @throws when the README has no such worker, or several. */
export function workerIn({ name, fence }: Language): string {
  const readme = readFileSync(join(ROOT, 'README.md'), 'utf8');
  const [, page = ''] = readme.split('\n### Workers in other languages\n');
  const [section = ''] = page.split('\n### '); // the comments of the programs have one # at most
  const found = [...section.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm)].flatMap(([, kind, text]) =>
    kind === fence && text !== undefined ? [text] : [],
  );
  const [source, ...more] = found;
  if (source === undefined || more.length > 0)
    throw new Error(`README.md has ${found.length} workers in ${name}, not one`);
  return source;
}
