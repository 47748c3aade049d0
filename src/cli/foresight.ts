/**
 * A plain `status`, which is asked a hundred times a day: understood and asked before anything else has been loaded,
 * and shown without commander. Whatever is less plain goes the usual way.
 */
import { connect } from '../client/client.ts';
import type { StatusReply } from '../protocol/status.ts';
import type { GlobalOptions } from './global-options.ts';
import type { Io } from './io.ts';
import { placeOf } from './place.ts';
import type { Place } from './whereabouts.ts';

export interface Foreseen {
  readonly options: GlobalOptions;
  readonly selectors: readonly string[];
  /** On its way: the daemon looks at /proc while the rest of the command is loaded. */
  readonly reply: Promise<StatusReply>;
  readonly place: Promise<Place>;
}

/** Undefined where the words are anything but a plain `status`. */
export function foresee(words: readonly string[], io: Io): Foreseen | undefined {
  const plain = plainStatus(words);
  if (plain === undefined) return undefined;
  const place = placeOf(plain.options, io);
  const reply = place.then(({ socket }) => connect(socket).status({ selectors: plain.selectors }));
  // Whoever waits for the reply is told as well; until then it is not to count as nobody's.
  reply.catch(() => {});
  return { ...plain, reply, place };
}

/** Understands less than commander does, and nothing else. */
function plainStatus(words: readonly string[]): Pick<Foreseen, 'options' | 'selectors'> | undefined {
  let options: GlobalOptions = { color: true };
  const operands: string[] = [];
  for (let at = 0; at < words.length; at += 1) {
    const word = words[at] ?? '';
    const value = words[at + 1];
    if (word === '--json') options = { ...options, json: true };
    else if (word === '--no-color') options = { ...options, color: false };
    else if (!word.startsWith('-')) operands.push(word);
    else if (value === undefined || value.startsWith('-')) return undefined;
    else if (word === '--socket') options = { ...options, socket: value };
    else if (word === '-c' || word === '--config') options = { ...options, config: value };
    else return undefined;
    if (word === '--socket' || word === '-c' || word === '--config') at += 1;
  }
  const [name, ...selectors] = operands;
  return name === 'status' ? { options, selectors } : undefined;
}
