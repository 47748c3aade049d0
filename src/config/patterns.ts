/** The shape of what a line of output must have in it: a text, or a regular expression between slashes. */
import { fail, ok, type Result } from '../base/result.ts';
import type { LogPattern } from '../core/plan.ts';
import { type Refusal, scalar } from './scalar.ts';
import type { Shape } from './shape.ts';
import { fillTemplates, withoutVariables } from './variables.ts';

export const logPattern: Shape<LogPattern> = scalar<LogPattern>({
  expects: 'a text, or a regular expression such as /ready in \\d+ms/i',
  templates: true,
  parse: parsePattern,
  show: (pattern) =>
    withoutVariables(pattern.kind === 'text' ? pattern.text : `/${pattern.source}/${pattern.flags}`),
});

function parsePattern(found: string): Result<LogPattern, Refusal> {
  if (found === '') return fail({ message: 'is empty; every line has that in it' });
  if (found.includes('\n'))
    return fail({ message: 'cannot hold a line break: each line is looked at alone' });
  const [, source, flags] = /^\/(.+)\/([A-Za-z]*)$/.exec(found) ?? [];
  if (source === undefined || flags === undefined) return ok({ kind: 'text', text: found });
  const wrong = /[^imsuv]/.exec(flags)?.[0];
  if (wrong !== undefined) {
    return fail({
      message: `has the flag "${wrong}"; a regular expression may have i, m, s, u and v here. For the text itself write /${escaped(found)}/`,
    });
  }
  const reason = whyNoRegex(fillTemplates(source, 'program', 0), flags);
  if (reason !== undefined) return fail({ message: `cannot be read as a regular expression: ${reason}` });
  return ok({ kind: 'regex', source, flags });
}

const escaped = (text: string): string => text.replace(/[\\/.*+?^$()[\]{}|]/g, '\\$&');

/** Undefined when it can be compiled. */
function whyNoRegex(source: string, flags: string): string | undefined {
  try {
    new RegExp(source, flags);
    return undefined;
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    return text.replace(/^Invalid regular expression: (?:.*: )?/s, '').toLowerCase();
  }
}
