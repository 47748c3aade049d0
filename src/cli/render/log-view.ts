/** Lines of logs as they are shown: as they are, under the names of their instances, or as JSON. */
import { type LineFormat, timeTextOf, wordsOf } from '../../logs/read/format.ts';
import type { Line } from '../../logs/read/reader.ts';
import { headsOf, tamed } from './log-line.ts';
import type { Paint } from './paint.ts';

export interface Shown {
  readonly instance: string;
  readonly stream: string;
  readonly format: LineFormat;
}

const NEWLINE = Buffer.from('\n');
const TORN = Buffer.from('…\n');

export class LogView {
  readonly #options: { readonly paint: Paint; readonly json: boolean; readonly isTerminal: boolean };
  #names: string[] = [];
  #heads = new Map<string, Buffer>();
  /** Whose line has not been ended yet. */
  #open: Shown | null = null;

  constructor(options: { readonly paint: Paint; readonly json: boolean; readonly isTerminal: boolean }) {
    this.#options = options;
  }

  /** From now on there are these as well. */
  know(instances: readonly string[]): void {
    this.#names = [...new Set([...this.#names, ...instances])];
    const heads = headsOf(this.#names, this.#options.paint);
    this.#heads = new Map(this.#names.map((name, at) => [name, Buffer.from(`${heads[at]} `)]));
  }

  pieces(of: Shown, lines: readonly Line[]): Buffer[] {
    const shown = this.#options.json
      ? (line: Line) => [Buffer.from(`${jsonOf(of, line)}\n`)]
      : this.#names.length > 1
        ? (line: Line) => this.#named(of, line)
        : (line: Line) => this.#plain(of, line);
    return lines.flatMap(shown);
  }

  /** As it was written, byte for byte; the parts of a very long line as the one that they are. */
  #plain(of: Shown, line: Line): Buffer[] {
    const before = this.#open !== null && (this.#open !== of || !line.isRest) ? [NEWLINE] : [];
    this.#open = line.isTorn ? of : null;
    return [...before, wordsIn(line.bytes, of.format), ...(line.isTorn ? [] : [NEWLINE])];
  }

  #named(of: Shown, line: Line): Buffer[] {
    const words = wordsIn(line.bytes, of.format);
    const text = this.#options.isTerminal ? Buffer.from(tamed(words.toString('utf8'))) : words;
    return [this.#heads.get(of.instance) ?? NEWLINE, text, line.isTorn ? TORN : NEWLINE];
  }
}

/** What was written in objects is shown as if it had been written with times. */
function wordsIn(line: Buffer, format: LineFormat): Buffer {
  if (format !== 'json') return line;
  const { text, time, isPartial } = wordsOf(line, format);
  const parts = [time === null ? '' : `${time} `, isPartial ? '…' : ''].map((each) => Buffer.from(each));
  return Buffer.concat([parts[0] ?? NEWLINE, text, parts[1] ?? NEWLINE]);
}

function jsonOf({ instance, stream, format }: Shown, { bytes, isTorn, isRest }: Line): string {
  const words = wordsOf(bytes, format);
  const time = words.time ?? (isRest ? null : timeTextOf(words.text));
  return JSON.stringify({
    ...(time === null ? {} : { time }),
    instance,
    ...(words.run === undefined ? {} : { run: words.run }),
    stream: words.stream ?? stream,
    line: words.text.toString('utf8'),
    ...(isTorn || words.isPartial ? { partial: true } : {}),
  });
}
