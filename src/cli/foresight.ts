/**
 * The question of `status`, asked before the rest of the command has been loaded: the daemon looks at /proc
 * meanwhile. Asking changes nothing, so a question too many does no harm.
 */
import { connect } from '../client/client.ts';
import type { StatusReply } from '../protocol/status.ts';
import type { GlobalOptions } from './global-options.ts';
import type { Io } from './io.ts';
import { placeOf } from './place.ts';

/** The reply on its way; undefined where the words are anything but a plain `status`. */
export function foresee(words: readonly string[], io: Io): Promise<StatusReply> | undefined {
  const plain = plainStatus(words);
  if (plain === undefined) return undefined;
  const reply = placeOf(plain.options, io).then(({ socket }) =>
    connect(socket).status({ selectors: plain.selectors }),
  );
  // Whoever waits for the reply is told as well; until then it is not to count as nobody's.
  reply.catch(() => {});
  return reply;
}

interface PlainStatus {
  readonly options: GlobalOptions;
  readonly selectors: readonly string[];
}

/** Understands less than commander does, and nothing else. */
function plainStatus(words: readonly string[]): PlainStatus | undefined {
  let options: GlobalOptions = { color: true };
  const operands: string[] = [];
  for (let at = 0; at < words.length; at += 1) {
    const word = words[at] ?? '';
    const value = words[at + 1];
    if (word === '--json' || word === '--no-color') continue;
    if (!word.startsWith('-')) operands.push(word);
    else if (value === undefined || value.startsWith('-')) return undefined;
    else if (word === '--socket') options = { ...options, socket: value };
    else if (word === '-c' || word === '--config') options = { ...options, config: value };
    else return undefined;
    if (word.startsWith('-')) at += 1;
  }
  const [name, ...selectors] = operands;
  return name === 'status' ? { options, selectors } : undefined;
}
