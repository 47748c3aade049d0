/** Reads src/README.md: the table of rooms, the files that it names, the diagrams; and the imports that are really there. */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

export const SRC = join(dirname(fileURLToPath(import.meta.url)), '..', 'src');

/** `what` may be imported; by `where` alone, if that is named. */
export interface Leave {
  readonly what: string;
  readonly where: string | null;
}

export interface Room {
  readonly name: string;
  readonly imports: readonly Leave[];
  readonly packages: readonly Leave[];
}

export interface Import {
  /** Both relative to src/; `to` is a package's name where it is none of our files. */
  readonly from: string;
  readonly to: string;
  readonly isPackage: boolean;
}

export const readMap = (): string => readFileSync(join(SRC, 'README.md'), 'utf8');

export function roomsIn(map: string): Room[] {
  return [...map.matchAll(/^\| `(\w+)` \|[^|]*\|([^|]*)\|([^|]*)\|$/gm)].map(
    ([, name, imports, packages]) => ({
      name: name ?? '',
      imports: leavesIn(imports ?? ''),
      packages: leavesIn(packages ?? ''),
    }),
  );
}

const leavesIn = (cell: string): Leave[] =>
  [...cell.matchAll(/`([^`]+)`(?: in `([^`]+)`)?/g)].map(([, what, where]) => ({
    what: what ?? '',
    where: where ?? null,
  }));

/** Files and folders that the map names. */
export const pathsIn = (map: string): string[] =>
  [...map.matchAll(/`((?:[\w-]+\/)+(?:[\w-]+\.ts)?)`/g)].flatMap(([, path]) => path ?? []);

/** The transitions of the diagram below this heading. */
export function diagramIn(map: string, heading: string): Set<string> {
  const section = map.split(`\n## ${heading}\n`)[1]?.split('\n## ')[0] ?? '';
  const diagram = /```mermaid\n([\s\S]*?)```/.exec(section)?.[1] ?? '';
  return new Set([...diagram.matchAll(/^\s*(\S+ --> \S+)/gm)].flatMap(([, arrow]) => arrow ?? []));
}

export function filesIn(folder = SRC): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return filesIn(path);
    return entry.name.endsWith('.ts') ? [relative(SRC, path)] : [];
  });
}

export const foldersIn = (): string[] =>
  readdirSync(SRC, { withFileTypes: true }).flatMap((entry) => (entry.isDirectory() ? [entry.name] : []));

const IMPORT = /\bfrom '([^']+)'|^import '([^']+)'|\bimport\(\s*'([^']+)'\s*\)/gm;

export function importsOf(file: string): Import[] {
  const text = withoutComments(readFileSync(join(SRC, file), 'utf8'));
  return [...text.matchAll(IMPORT)].map(([, a, b, c]) => {
    const to = a ?? b ?? c ?? '';
    const isPackage = !to.startsWith('.');
    return { from: file, to: isPackage ? to : join(dirname(file), to), isPackage };
  });
}

const withoutComments = (text: string): string => text.replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, '');
export const roomOf = (file: string): string => file.split('/')[0] ?? file;
