/** What a daemon holds as long as it lives, so that there is no other: its folders, and its config file. */
import { join } from 'node:path';
import { fail, ok, type Result } from '../base/result.ts';
import { claimsFolder, marksOf } from '../config/claim.ts';
import type { World } from '../config/where.ts';
import type { Plan } from '../core/plan.ts';
import { claimConfig, type LeftIn } from './claims.ts';

/** Free again when whoever has it has died, however that was. */
interface Lock {
  /** False: its file was removed, and another daemon could take it. */
  readonly isInPlace: boolean;
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
  /** All of it is still where others look for it. */
  readonly isWhole: boolean;
  /** Takes anew what was removed. Rejects where another daemon was faster, or the system does not let it. */
  renew(): Promise<void>;
  release(): void;
}

/** Of a plan's folders and of its config file. */
export async function takeHold(
  plan: Plan,
  socket: string,
  world: World,
  takeLock: TakeLock,
  leftIn: LeftIn,
): Promise<Result<Hold, Taken>> {
  const take = (): Promise<Result<Grip, Taken>> => takeAll(plan, socket, world, takeLock, leftIn);
  const taken = await take();
  return taken.ok ? ok(holdOf(socket, taken.value, take)) : taken;
}

/** Of a plan's folders alone, for a daemon that is nobody's but its caller's. */
export function takeFolders(plan: Plan, socket: string, takeLock: TakeLock): Result<Hold, Taken> {
  const take = (): Result<Grip, Taken> => {
    const locks = takeLocks(plan, takeLock);
    return locks.ok ? ok({ lock: locks.value, warning: null }) : locks;
  };
  const taken = take();
  return taken.ok ? ok(holdOf(socket, taken.value, take)) : taken;
}

interface Grip {
  readonly lock: Lock;
  readonly warning: string | null;
}

function holdOf(
  socket: string,
  first: Grip,
  takeAgain: () => Result<Grip, Taken> | Promise<Result<Grip, Taken>>,
): Hold {
  let { lock } = first;
  return {
    socket,
    warning: first.warning,
    get isWhole() {
      return lock.isInPlace;
    },
    async renew() {
      if (lock.isInPlace) return;
      // What is still in place is let go for a moment: whoever takes it then is told of at once.
      lock.release();
      const taken = await takeAgain();
      if (!taken.ok) throw new Error(taken.error.message);
      lock = taken.value.lock;
    },
    release: () => lock.release(),
  };
}

async function takeAll(
  plan: Plan,
  socket: string,
  world: World,
  takeLock: TakeLock,
  leftIn: LeftIn,
): Promise<Result<Grip, Taken>> {
  const locks = takeLocks(plan, takeLock);
  if (!locks.ok) return locks;
  const { name, configFile: config, runDir } = plan;
  const claim = { name, pid: process.pid, config, marks: marksOf(config), socket, runDir };
  try {
    const claimed = await claimConfig(claim, claimsFolder(world), takeLock, leftIn);
    if (claimed.ok) return ok({ lock: both(claimed.value, locks.value), warning: null });
    locks.value.release();
    return fail({ kind: 'config_taken', message: claimed.error });
  } catch (error) {
    // Where that folder cannot be written, all else works as well.
    const warning = `cannot keep a second daemon from running with ${config}: ${reasonOf(error)}`;
    return ok({ lock: locks.value, warning });
  }
}

/** Two daemons that share a state_dir would each take up what the other has begun, and start it twice. */
function takeLocks({ runDir, stateDir }: Plan, takeLock: TakeLock): Result<Lock, Taken> {
  const run = takeLock(join(runDir, 'lock'));
  if (!run.ok) {
    const message = `${holder(run.error)} runs with the run_dir ${runDir}; see "tsup-visor status", or end it with "tsup-visor shutdown"`;
    return fail({ kind: 'locked', message });
  }
  try {
    const state = takeLock(join(stateDir, 'state.lock'));
    if (state.ok) return ok(both(state.value, run.value));
    const message = `${holder(state.error)} runs with the state_dir ${stateDir}, and another run_dir; put that back into the config, or end the daemon first`;
    run.value.release();
    return fail({ kind: 'state_locked', message });
  } catch (error) {
    run.value.release();
    throw error;
  }
}

const both = (one: Lock, other: Lock): Lock => ({
  get isInPlace() {
    return one.isInPlace && other.isInPlace;
  },
  release() {
    one.release();
    other.release();
  },
});

const holder = ({ heldBy }: Held): string =>
  heldBy === null ? 'another daemon' : `another daemon (pid ${heldBy})`;

const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
