/** What a daemon holds as long as it lives, so that there is no other: its folders, and its config file. */
import { join } from 'node:path';
import { fail, ok, type Result } from '../base/result.ts';
import { afterTaken, claimsFolder, marksOf, takenBy } from '../config/claim.ts';
import type { World } from '../config/where.ts';
import type { Plan } from '../core/plan.ts';
import { claimConfig } from './claims.ts';

/** Free again when whoever has it has died, however that was. */
interface Lock {
  release(): void;
}

/** Fails with who has it. */
export type TakeLock = (path: string) => Result<Lock, Held>;

interface Held {
  /** Null: nobody knows. */
  readonly heldBy: number | null;
}

/** Another daemon is there already. */
export interface Taken {
  readonly kind: 'locked' | 'state_locked' | 'config_taken';
  readonly message: string;
}

/** What nobody else has while this daemon lives. */
export interface Hold {
  readonly socket: string;
  /** Why another daemon could be started with the same config file all the same; null: none can. */
  readonly warning: string | null;
  release(): void;
}

/** Of a plan's folders and of its config file. */
export async function takeHold(
  plan: Plan,
  socket: string,
  world: World,
  takeLock: TakeLock,
): Promise<Result<Hold, Taken>> {
  const locks = takeLocks(plan, takeLock);
  if (!locks.ok) return locks;
  const { name, configFile: config } = plan;
  const claim = { name, pid: process.pid, config, marks: marksOf(config), socket };
  try {
    const claimed = await claimConfig(claim, claimsFolder(world), takeLock);
    if (claimed.ok) {
      return ok({ socket, warning: null, release: () => letGo(claimed.value, locks.value) });
    }
    locks.value.release();
    return fail({ kind: 'config_taken', message: `${takenBy(claimed.error)}; ${afterTaken(claimed.error)}` });
  } catch (error) {
    // Where that folder cannot be written, all else works as well.
    const warning = `cannot keep a second daemon from running with ${config}: ${reasonOf(error)}`;
    return ok({ socket, warning, release: () => locks.value.release() });
  }
}

/** Two daemons that share a state_dir would each take up what the other has begun, and start it twice. */
export function takeLocks({ runDir, stateDir }: Plan, takeLock: TakeLock): Result<Lock, Taken> {
  const run = takeLock(join(runDir, 'lock'));
  if (!run.ok) {
    const message = `${holder(run.error)} runs with the run_dir ${runDir}; see "tsup-visor status", or end it with "tsup-visor shutdown"`;
    return fail({ kind: 'locked', message });
  }
  try {
    const state = takeLock(join(stateDir, 'state.lock'));
    if (state.ok) return ok({ release: () => letGo(state.value, run.value) });
    const message = `${holder(state.error)} runs with the state_dir ${stateDir}, and another run_dir; put that back into the config, or end the daemon first`;
    run.value.release();
    return fail({ kind: 'state_locked', message });
  } catch (error) {
    run.value.release();
    throw error;
  }
}

function letGo(...locks: readonly Lock[]): void {
  for (const lock of locks) lock.release();
}

const holder = ({ heldBy }: Held): string =>
  heldBy === null ? 'another daemon' : `another daemon (pid ${heldBy})`;

const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
