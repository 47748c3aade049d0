/** What the terminal is that the live view is drawn on, and when. */
import type { Paint } from './paint.ts';

export interface LiveLook {
  readonly paint: Paint;
  /** Of the terminal, in columns. */
  readonly width: number;
  /** How many lines there is room for; undefined: for all. */
  readonly rows?: number | undefined;
  /** How wide the names of the programs are: their bars stand below one another. */
  readonly names?: number;
  readonly now: Date;
  /** Whether the terminal shows more than ASCII. */
  readonly unicode: boolean;
  /** The watching is: what is to be said comes below it. */
  readonly isOver?: boolean;
  /** A command as it would have to be typed to mean the same daemon. */
  asTyped?(text: string): string;
}

/** What belongs to a heading stands so far in. */
export const INDENT = '  ';
