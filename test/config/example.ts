/** The example file, and ways to take its comments away. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export const EXAMPLE_FILE = join(import.meta.dirname, '../../supervisor.example.yaml');
export const EXAMPLE = readFileSync(EXAMPLE_FILE, 'utf8');

/** `# key: value`, or deeper, below a key in a comment; sentences begin with a capital letter or are deeper comments. */
const COMMENTED_KEY = /^( +)# ( *)([a-z_]+:(?: .*)?)$/gm;
/** Those that do not go with what the example says: another way to be ready, or a schedule. */
const UNFIT = /^ +(?:when: spawned|for: 1s|interval: 250ms|restart: always)\n/gm;

/** Every key that is shown in a comment becomes one, but for those that stand for another choice. */
export const UNCOMMENTED = EXAMPLE.replace(/^ +# (?:run_dir|state_dir|log_dir):\n/gm, '')
  .replace(COMMENTED_KEY, '$1$2$3')
  .replace(UNFIT, '');

export interface ExampleKey {
  /** `programs.*.drain.timeout` */
  readonly path: string;
  readonly value: string;
  readonly commented: boolean;
  /** Another way to write the key above it. */
  readonly other: boolean;
  /** The sentences right above it. */
  readonly above: string;
}

const LINE = /^( *)((?:# )?)( *)((?:# or |or )?)([a-z_]+):(?: (.*))?$/;

/** Each key of the example, commented out or not: programs have the name `*`. */
export function keysOfExample(): ExampleKey[] {
  const keys: ExampleKey[] = [];
  const open: { readonly indent: number; readonly name: string }[] = [];
  let above = '';
  for (const line of EXAMPLE.split('\n')) {
    const [, indent = '', hash = '', deeper = '', or = '', name = '', value = ''] = LINE.exec(line) ?? [];
    if (name === '') {
      above = /^ *#/.test(line) ? above + line : '';
      continue;
    }
    const depth = indent.length + deeper.length;
    while ((open.at(-1)?.indent ?? -1) >= depth) open.pop();
    const parent = open.at(-1)?.name;
    const here = parent === 'programs' || parent === 'groups' ? '*' : name;
    const path = [...open.map((one) => one.name), here].join('.').replace('.worker', '.*');
    keys.push({ path, value, commented: hash !== '', other: or !== '', above });
    if (or === '' && value === '') open.push({ indent: depth, name });
    above = '';
  }
  return keys;
}
