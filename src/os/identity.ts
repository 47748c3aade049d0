/**
 * Does something while this thread really is another user. The daemon stays root in what it may do, so it can always
 * go back; a child that is begun meanwhile can be made to take the real user for good, before it runs anything.
 */
import { fail, type Result } from '../base/result.ts';
import type { Credentials, SpawnFault } from '../ports/processes.ts';
import type { Libc } from './libc.ts';
import { explainErrno } from './system-error.ts';

/** Once true it stays so: nothing more is begun by a thread of which nobody knows who it is. */
let lost = false;

/** `undo`: for what `act` has begun, should the way back be barred. */
export function asUser<T>(
  libc: Libc,
  wanted: Credentials | null,
  act: () => Result<T, SpawnFault>,
  undo: (value: T) => void,
): Result<T, SpawnFault> {
  if (lost) return fail({ stage: 'user', message: LOST });
  if (wanted === null) return act();
  const errno = libc.wear(wanted);
  let done: Result<T, SpawnFault> = fail({
    stage: 'user',
    message: `cannot take on user "${wanted.name}": ${explainErrno(errno)}`,
  });
  try {
    if (errno === 0) done = act();
  } finally {
    lost = libc.takeOff() !== 0;
  }
  if (!lost) return done;
  if (done.ok) undo(done.value);
  return fail({ stage: 'user', message: LOST });
}

const LOST = 'the daemon could not become its own user again, and starts nothing more; restart the daemon';
