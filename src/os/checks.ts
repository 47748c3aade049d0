/** Asks once, in one of four ways, whether something is as it should be; nothing of the question is left afterwards. */
import { stat } from 'node:fs';
import { connect } from 'node:net';
import type { Wall } from '../base/clock.ts';
import type { Checks } from '../ports/checks.ts';
import type { Processes } from '../ports/processes.ts';
import { cannotConnect } from './connect-failure.ts';
import { askHttp } from './http-check.ts';
import { askWithin, type Question, refuse } from './question.ts';
import { errorCode, explain } from './system-error.ts';

type Check = Parameters<Checks['ask']>[0];

/** The clock that files are stamped by is so coarse. */
const STAMP_MS = 20;

export function createChecks(execute: Processes['execute']): Checks {
  return {
    ask(check, as, since, done) {
      if (check.kind !== 'exec') return askWithin(as.timeoutMs, question(check, as.timeoutMs, since), done);
      let wanted = true;
      const cancel = execute({ ...as, command: check.command }, (result) => {
        if (wanted) done(result);
      });
      return () => {
        wanted = false;
        cancel();
      };
    },
  };
}

function question(check: Exclude<Check, { kind: 'exec' }>, timeoutMs: number, since: Wall): Question {
  if (check.kind === 'http') return askHttp(check.url, timeoutMs);
  if (check.kind === 'tcp') return askTcp(check.host, check.port);
  return askFile(check.path, since);
}

const askTcp =
  (host: string, port: string): Question =>
  (answer) => {
    const number = /^\d{1,5}$/.test(port) ? Number(port) : 0;
    if (number < 1 || number > 65_535)
      return refuse(answer, `cannot connect to ${host}: ${JSON.stringify(port)} is not a port`);
    const bare = host.replace(/^\[(.*)\]$/, '$1');
    const socket = connect({ host: bare, port: number });
    socket.once('connect', () => answer(true, 'accepts connections'));
    // It stays heard to the end: an error that nobody hears would reach the daemon.
    socket.on('error', (error) => answer(false, cannotConnect(bare, number, error)));
    return () => socket.destroy();
  };

const askFile =
  (path: string, since: Wall): Question =>
  (answer) => {
    stat(path, (error, found) => {
      if (error !== null) answer(false, cannotSee(path, error));
      else if (found.mtimeMs < since - STAMP_MS) answer(false, `${path} is older than the run`);
      else answer(true, `${path} exists`);
    });
    return () => {};
  };

function cannotSee(path: string, error: Error): string {
  const code = errorCode(error);
  return code === 'ENOENT' || code === 'ENOTDIR'
    ? `${path} does not exist`
    : `cannot look at ${path}: ${explain(error)}`;
}
