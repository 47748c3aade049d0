/** `${VAR}` from the environment, and `{{name}}` for what only an instance knows. */
import { nearest } from './nearest.ts';

/** What is wrong with a part of a text, and which part. */
export interface Flaw {
  readonly part: string;
  readonly message: string;
  readonly suggestion?: string;
}

export type Environment = Readonly<Record<string, string | undefined>>;

/** What an instance fills in when it is spawned. */
export const TEMPLATE_NAMES = ['program', 'instance', 'index'] as const;

const VARIABLE = /\$(?:\$|\{([^}]*)(\}?))/g;
const INSIDE = /^([A-Za-z_][A-Za-z0-9_]*)(?:(:[-?])(.*))?$/s;

/** `${VAR}`, `${VAR:-default}` (also where VAR is empty), `${VAR:?message}`; `$$` gives one `$`. */
export function fillVariables(text: string, environment: Environment, flaw: (flaw: Flaw) => void): string {
  if (!text.includes('$')) return text;
  return text.replace(VARIABLE, (part: string, inside: string | undefined, end: string | undefined) => {
    if (inside === undefined) return '$';
    const [, name = '', operator, rest = ''] = (end === '}' && INSIDE.exec(inside)) || [];
    if (name === '') {
      flaw({
        part,
        message: `cannot read "${part}"; write \${NAME}, \${NAME:-default}, or $$ for a plain $`,
      });
      return '';
    }
    const value = Object.hasOwn(environment, name) ? environment[name] : undefined;
    if (value !== undefined && (value !== '' || operator === undefined)) return value;
    if (operator === ':-') return rest;
    flaw({ part, message: missing(name, operator === ':?' ? rest : '') });
    return '';
  });
}

function missing(name: string, message: string): string {
  if (message !== '') return `${name}: ${message}`;
  return `the environment has no ${name}; set it, or write \${${name}:-default}`;
}

/** The text such that `fillVariables` gives it back. */
export const withoutVariables = (text: string): string => text.replace(/\$(?=[${])/g, '$$$$');

const TEMPLATE = /\{\{([^{}]*)\}\}/g;

/** `{{ index }}` as `{{index}}`; a name that no instance has is a flaw. */
export function tidyTemplates(text: string, flaw: (flaw: Flaw) => void): string {
  return text.replace(TEMPLATE, (part: string, inside: string) => {
    const name = inside.trim();
    if (TEMPLATE_NAMES.some((known) => known === name)) return `{{${name}}}`;
    const likely = nearest(name, TEMPLATE_NAMES);
    const message = `there is no "${part}"; an instance knows {{program}}, {{instance}} and {{index}}`;
    flaw(likely === undefined ? { part, message } : { part, message, suggestion: `{{${likely}}}` });
    return part;
  });
}

/** Filled in as the daemon does it for one instance. */
export function fillTemplates(text: string, program: string, index: number | string): string {
  return text
    .replaceAll('{{program}}', program)
    .replaceAll('{{instance}}', `${program}:${index}`)
    .replaceAll('{{index}}', String(index));
}
