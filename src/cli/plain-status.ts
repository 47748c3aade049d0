/** Shows a `status` that was asked for ahead of everything else. */
import type { ExitCode } from '../protocol/errors.ts';
import { status } from './commands/status.ts';
import { contextOf } from './context.ts';
import type { Foreseen } from './foresight.ts';
import type { Io } from './io.ts';
import { refuse } from './refusal.ts';

/** Throws only what is a bug. */
export async function showForeseen(
  { options, selectors, reply, place }: Foreseen,
  io: Io,
): Promise<ExitCode> {
  try {
    return await status(contextOf(io, options, place), selectors, {}, reply);
  } catch (error) {
    return refuse(error, io, options);
  }
}
