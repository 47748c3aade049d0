/** Whether there is a user or a group of a name, also one that only a directory of the company knows. */
import { spawnSync } from 'node:child_process';
import type { Accounts } from '../config/doubts.ts';

export const accounts: Accounts = {
  hasUser: (name) => answers('id', ['-u', name]),
  hasGroup: (name) => answers('getent', ['group', name]),
};

/** Undefined where there is no such command to ask, or it does not come back. */
function answers(command: string, args: readonly string[]): boolean | undefined {
  const { status, error } = spawnSync(command, args, { stdio: 'ignore', timeout: ANSWER_WITHIN_MS });
  return error !== undefined || status === null ? undefined : status === 0;
}

const ANSWER_WITHIN_MS = 5000;
