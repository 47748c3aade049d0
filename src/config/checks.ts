/** The shapes of questions with a yes or a no: a command, a request, a connection, a file, a line of output. */
import { fail, ok, type Result } from '../base/result.ts';
import type { Check } from '../core/plan.ts';
import { converted } from './converted.ts';
import { execWords } from './exec.ts';
import { path } from './paths.ts';
import { must, type Refusal, scalar } from './scalar.ts';
import type { Shape } from './shape.ts';
import { fillTemplates, withoutVariables } from './variables.ts';

type Only<K extends Check['kind']> = Extract<Check, { kind: K }>;

/** The program's `shell: true` says nothing here: who needs a shell writes `sh -c '…'`. */
export const execCheck: Shape<Only<'exec'>> = converted(
  execWords,
  (command) => ({ kind: 'exec', command }),
  ({ command }) => command,
);

export const fileCheck: Shape<Only<'file'>> = converted(
  path(true),
  (file) => ({ kind: 'file', path: file }),
  (check) => check.path,
);

const URL_EXPECTED = 'a URL such as http://127.0.0.1:8080/health';

export const httpCheck: Shape<Only<'http'>> = scalar<Only<'http'>>({
  expects: URL_EXPECTED,
  templates: true,
  parse: parseUrl,
  show: ({ url }) => withoutVariables(url),
});

/** As the first instance would have it. */
const sample = (text: string): string => fillTemplates(text, 'program', 0);

function parseUrl(found: string): Result<Only<'http'>, Refusal> {
  const url = sample(found);
  if (/^https?:\/\//i.test(url) && URL.canParse(url)) return ok({ kind: 'http', url: found });
  if (/^[a-z]+:\/\//i.test(url) && !/^https?:/i.test(url)) {
    return fail({ message: `must begin with http:// or https://, not ${JSON.stringify(found)}` });
  }
  const likely = URL.canParse(`http://${url}`) && !/^\w+:\//.test(url) && !url.startsWith('/');
  const message = `must be ${URL_EXPECTED}, not ${JSON.stringify(found)}`;
  return fail(likely ? { message, suggestion: `http://${found}` } : { message });
}

const ADDRESS_EXPECTED = 'a port or HOST:PORT, such as 127.0.0.1:8080';
const ADDRESS = /^(?:\[([^[\]]+)\]:|([^:[\]\s]+):)?([^:[\]\s]+)$/;

export const tcpCheck: Shape<Only<'tcp'>> = scalar<Only<'tcp'>>({
  expects: ADDRESS_EXPECTED,
  templates: true,
  parse(found) {
    // A template may hold a colon once it is filled in, so the parts are told apart before that.
    const [, six, host = 'localhost', port] = ADDRESS.exec(found) ?? [];
    if (port === undefined) return must(ADDRESS_EXPECTED, found);
    const number = /^\d{1,9}$/.test(sample(port)) ? Number(sample(port)) : 0;
    if (number < 1 || number > 65_535) {
      return fail({ message: `needs a port from 1 to 65535, not ${JSON.stringify(port)}` });
    }
    return ok({ kind: 'tcp', host: six ?? host, port });
  },
  show: ({ host, port }) => withoutVariables(`${host.includes(':') ? `[${host}]` : host}:${port}`),
});
