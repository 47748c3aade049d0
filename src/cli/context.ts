/** What every command is given: where to write, which daemon to ask, what was said before the command's name. */
import type { Client } from '../client/client.ts';
import { connect } from '../client/client.ts';
import type { GlobalOptions } from './global-options.ts';
import type { Io } from './io.ts';
import type { Out } from './out.ts';
import { placeOf } from './place.ts';
import { asTyped } from './refusal.ts';
import { type Paint, plain } from './render/paint.ts';
import { folded } from './render/text.ts';
import type { Place } from './whereabouts.ts';

export interface Context {
  readonly io: Io;
  readonly options: GlobalOptions;
  readonly json: boolean;
  /** The answer, on stdout: lines without their end. */
  print(...lines: readonly string[]): void;
  /** The same, with the commands that it names as they would have to be typed to mean the same daemon. */
  answer(...lines: readonly string[]): void;
  /** Commands in a text as they would have to be typed to mean the same daemon. */
  asTyped(text: string): string;
  /** The answer as JSON, on stdout. */
  printJson(value: unknown): void;
  /** Everything else, on stderr. */
  say(...lines: readonly string[]): void;
  /** Where the daemon is to be found. Throws a refusal when that cannot be known. */
  place(): Promise<Place>;
  /** Says what is odd about the way to it; mistakes in the config not where the daemon is to read it, and tells them. */
  client(use?: { readonly readsConfig: boolean }): Promise<Client>;
  /** Colours, or none where stdout is not a terminal that wants them. */
  paint(): Promise<Paint>;
}

/** `found`: the place of the daemon, if somebody has looked for it already. */
export function contextOf(io: Io, options: GlobalOptions, found?: Promise<Place>): Context {
  let place = found;
  let remarked = false;
  const context: Context = {
    io,
    options,
    json: options.json === true,
    print: (...lines) => io.stdout.write(joined(lines)),
    answer: (...lines) => io.stdout.write(joined(readable(lines, io.stdout, options))),
    asTyped: (text) => asTyped(text, options),
    printJson: (value) => io.stdout.write(`${JSON.stringify(value, null, 2)}\n`),
    say: (...lines) => io.stderr.write(joined(readable(lines, io.stderr, options))),
    place() {
      place ??= placeOf(options, io);
      return place;
    },
    async client(use) {
      const { socket, remark, claim } = await context.place();
      const isTold = remarked || (use?.readsConfig === true && claim === undefined);
      if (remark !== undefined && !isTold) {
        context.say(
          context.json ? JSON.stringify({ warning: { message: remark } }) : `tsup-visor: ${remark}`,
        );
      }
      remarked = true;
      return connect(socket);
    },
    paint: async () => (wantsColour(io, options) ? (await import('./render/colour.ts')).colour : plain),
  };
  return context;
}

/** Sentences with commands as they are typed, on a terminal in lines that break between words. */
function readable(lines: readonly string[], out: Out, options: GlobalOptions): string[] {
  const typed = lines.map((line) => asTyped(line, options));
  const { columns } = out;
  if (!out.isTTY || columns === undefined) return typed;
  return typed.flatMap((line) => folded(line, columns, line.startsWith(' ') ? '    ' : '  '));
}

const joined = (lines: readonly string[]): string => lines.map((line) => `${line}\n`).join('');

/** No colour where stdout is no terminal, nor where the user has asked for none (https://no-color.org). */
function wantsColour(io: Io, options: GlobalOptions): boolean {
  if (!options.color || !io.stdout.isTTY || io.env.TERM === 'dumb') return false;
  return (io.env.NO_COLOR ?? '') === '';
}
