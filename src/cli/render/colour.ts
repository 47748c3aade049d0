/** Paint for a terminal. Loaded only where colours are wanted: chalk costs every command some milliseconds. */
import { Chalk } from 'chalk';
import type { Paint } from './paint.ts';

// Whether colours are wanted has been decided; the sixteen that every terminal has are enough.
const chalk = new Chalk({ level: 1 });
const NAMES = [chalk.cyan, chalk.magenta, chalk.blue, chalk.green, chalk.yellow, chalk.cyanBright] as const;

export const colour: Paint = {
  good: chalk.green,
  busy: chalk.yellow,
  bad: chalk.red,
  faint: chalk.dim,
  strong: chalk.bold,
  name: (index, text) => (NAMES[index % NAMES.length] ?? chalk.cyan)(text),
};
