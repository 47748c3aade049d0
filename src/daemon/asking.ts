/** A check as it is asked for a run: by the program's own user where a command does it, by the daemon otherwise. */
import type { Result } from '../base/result.ts';
import type { Instance } from '../core/instance/instance.ts';
import type { Life } from '../core/instance/phase.ts';
import { fillIn } from '../core/instance/template.ts';
import type { Check } from '../core/plan.ts';
import type { Checks } from '../ports/checks.ts';
import type { CommandRequest, CommandResult } from '../ports/processes.ts';
import { attempt } from './hooks.ts';
import { type CommandPlan, commandRequest, type Surroundings } from './spawn-request.ts';

/** Asks once; returns what cancels it. */
export type Ask = (done: (result: CommandResult) => void) => () => void;

export interface Asked extends Omit<CommandPlan, 'command'> {
  readonly check: Check;
}

interface AskParts {
  readonly checks: Checks;
  readonly surroundings: Surroundings;
}

export function asker(instance: Instance, life: Life, asked: Asked, { checks, surroundings }: AskParts): Ask {
  const { check, ...how } = asked;
  const since = life.startedAt.wall;
  if (check.kind !== 'exec') {
    return (done) =>
      checks.ask(filledIn(check, instance, life), nobody(instance, how.timeoutMs), since, done);
  }
  const plan = { ...how, command: check.command };
  // Made once: a run keeps the environment and the user that it has, and an env_file that is just being written
  // anew, or a database of users that does not answer, says nothing about how it is.
  const make = once(() => commandRequest(instance, life, plan, surroundings));
  return (done) => {
    const request = attempt(make);
    if (!request.ok) return soon(done, { ok: false, detail: `cannot ask: ${request.error.message}` });
    const { command, ...as } = request.value;
    return checks.ask({ kind: 'exec', command }, as, since, done);
  };
}

/** The daemon itself asks: nobody has to be looked up for that. */
const nobody = ({ id }: Instance, timeoutMs: number): Omit<CommandRequest, 'command'> => ({
  id,
  directory: '/',
  environment: {},
  credentials: null,
  umask: null,
  timeoutMs,
});

/** Until it has gone well: then it is so for good. */
function once<T, E>(make: () => Result<T, E>): () => Result<T, E> {
  let made: Result<T, E> | null = null;
  return () => {
    if (made?.ok !== true) made = make();
    return made;
  };
}

/** Never within the call, like every answer. */
function soon(done: (result: CommandResult) => void, result: CommandResult): () => void {
  const timer = setImmediate(() => done(result));
  return () => clearImmediate(timer);
}

function filledIn(
  check: Exclude<Check, { kind: 'exec' }>,
  { id, index }: Instance,
  { program }: Life,
): Check {
  const fill = (text: string): string => fillIn(text, { id, index, program });
  switch (check.kind) {
    case 'http':
      return { kind: 'http', url: fill(check.url) };
    case 'tcp':
      return { kind: 'tcp', host: fill(check.host), port: fill(check.port) };
    case 'file':
      return { kind: 'file', path: fill(check.path) };
  }
}
