/** `start --foreground`: the daemon in this very process. The only way from here into the daemon's room. */
import { EXIT, type ExitCode } from '../protocol/errors.ts';
import type { Context } from './context.ts';
import { Refusal } from './refusal.ts';

export async function foreground(_context: Context, _selectors: readonly string[]): Promise<ExitCode> {
  throw new Refusal(EXIT.failed, 'cannot run in the foreground yet');
}
