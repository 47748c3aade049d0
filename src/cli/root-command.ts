/** The command without its commands. */
import { Command } from 'commander';

/** The options that every command takes, and no command yet. */
export const rootCommand = (): Command =>
  new Command('tsup-visor')
    .description('Supervises long-running workers and restarts them without interrupting a job.')
    .usage('[options] COMMAND')
    .option('-c, --config <FILE>', 'the config; found by itself when not given')
    .option('--socket <PATH>', 'the socket of the daemon, instead of the one that the config names')
    .option('--json', 'answer in JSON')
    .option('--no-color', 'no colours')
    .option('-V, --version', 'print the version');
