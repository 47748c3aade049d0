/** The shape of a map in which one of `exec`, `http` and `tcp` says what is asked, beside keys of its own. */
import type { Check } from '../core/plan.ts';
import { execCheck, httpCheck, tcpCheck } from './checks.ts';
import type { Refine } from './maps.ts';
import type { Fields } from './shape.ts';

/** They rule each other out. */
export const QUESTIONS = ['exec', 'http', 'tcp'] as const;

const derived = 'one of exec, http and tcp must be there';

/** `yes` begins a sentence about the answer: `Healthy`. */
export const questions = (yes: string) =>
  ({
    exec: {
      as: 'exec',
      shape: execCheck,
      derived,
      doc: `${yes} when a command exits with 0. It is split as \`command\` is and run without a shell, whatever \`shell\` says; write sh -c '…' for one.`,
      aka: ['test', 'command', 'cmd'],
    },
    http: {
      as: 'http',
      shape: httpCheck,
      derived,
      doc: `${yes} when a GET of this URL is answered by a status from 200 to 399.`,
      aka: ['http_get', 'url'],
    },
    tcp: {
      as: 'tcp',
      shape: tcpCheck,
      derived,
      doc: `${yes} when a connection can be made: a port, or HOST:PORT.`,
      aka: ['tcp_socket', 'port'],
    },
  }) as const satisfies Fields;

type Asked = { readonly [K in (typeof QUESTIONS)[number]]: Extract<Check, { kind: K }> | null };

export const oneQuestion =
  (key: string): Refine<Asked> =>
  (value, where, reading, meant) => {
    const [first, second] = QUESTIONS.filter((name) => value[name] !== null || meant.has(name));
    if (first === undefined) reading.complain(where(), `${key} needs one of exec, http and tcp: what to ask`);
    if (first === undefined || second === undefined) return;
    reading.complain(where(second), `${key} cannot have both "${first}" and "${second}"`);
  };

/** Null where nothing is asked: that has been told. */
export const checkOf = ({ exec, http, tcp }: Asked): Check | null => exec ?? http ?? tcp;

export function askedBy(check: Check): Asked {
  const only = <K extends Check['kind']>(kind: K): Extract<Check, { kind: K }> | null =>
    // The kind has just been looked at.
    check.kind === kind ? (check as Extract<Check, { kind: K }>) : null;
  return { exec: only('exec'), http: only('http'), tcp: only('tcp') };
}
