/** What a command is to the command line: its name, what it does, and its options. */
import type { Command } from 'commander';
import type { ExitCode } from '../protocol/errors.ts';
import type { Context } from './context.ts';

/** Runs a command's work with its context, and keeps the exit code. */
export type Act = (work: (context: Context) => Promise<ExitCode>) => Promise<void>;

export interface CommandDefinition {
  readonly name: string;
  readonly does: string;
  readonly define: (command: Command, act: Act) => void;
}
