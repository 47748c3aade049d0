/** Paint for a terminal. Loaded only where colours are wanted: chalk costs every command some milliseconds. */
import { Chalk } from 'chalk';
import type { Paint } from './paint.ts';

// Whether colours are wanted has been decided; the sixteen that every terminal has are enough.
const chalk = new Chalk({ level: 1 });
const NAMES = [chalk.cyan, chalk.magenta, chalk.blue, chalk.green, chalk.yellow, chalk.cyanBright] as const;

/** Chalk joins all that it is given, and `map` gives an index too. */
const one =
  (style: (text: string) => string) =>
  (text: string): string =>
    style(text);

export const colour: Paint = {
  good: one(chalk.green),
  busy: one(chalk.yellow),
  bad: one(chalk.red),
  faint: one(chalk.dim),
  strong: one(chalk.bold),
  name: (index, text) => (NAMES[index % NAMES.length] ?? chalk.cyan)(text),
};
