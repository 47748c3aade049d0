/** No two daemons with one config file: each notes down which one it runs with, for as long as it lives. */
import { randomBytes } from 'node:crypto';
import { existsSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fail, ok, type Result } from '../base/result.ts';
import {
  afterTaken,
  type Claim,
  claimsIn,
  isOf,
  leftBehind,
  NOTE,
  takenBy,
  type Widowed,
} from '../config/claim.ts';
import { makeFolder } from './folders.ts';

/** What a lock is here: it is free again when its holder has died, however that was. */
interface Held {
  /** False: its file was removed. */
  readonly isInPlace: boolean;
  release(): void;
}

export type TakeLock = (path: string) => Result<Held, unknown>;

/** What the runs of a daemon with this run_dir have left at work. */
export type LeftIn = (runDir: string) => Widowed['instances'];

/**
 * Fails with what stands in the way: a daemon that lives and runs with the same file, or what one has left that had
 * another run_dir. Throws when nothing can be noted down.
 */
export async function claimConfig(
  claim: Claim,
  folder: string,
  takeLock: TakeLock,
  leftIn: LeftIn = () => [],
): Promise<Result<Held, string>> {
  makePrivate(folder);
  const turn = await takeTurn(join(folder, 'lock'), takeLock);
  try {
    const obstacle = obstacleTo(claim, folder, takeLock, leftIn);
    return obstacle === undefined ? ok(noteDown(claim, folder, takeLock)) : fail(obstacle);
  } finally {
    turn.release();
  }
}

/** Whoever could write here could keep our daemons from being started. */
function makePrivate(folder: string): void {
  for (const { path, mode } of [
    { path: dirname(folder), mode: isRoot() ? 0o711 : 0o700 },
    { path: folder, mode: 0o700 },
  ]) {
    const made = makeFolder(path, 'what runs with which config', mode);
    if (!made.ok) throw new Error(made.error);
  }
  if (statSync(folder).uid !== process.geteuid?.()) throw new Error(`${folder} belongs to another user`);
}

const isRoot = (): boolean => process.geteuid?.() === 0;

const TURN_WITHIN_MS = 5000;
const RETRY_MS = 5;

/** Two that are started at once look one after the other. A turn is a few files long. */
async function takeTurn(path: string, takeLock: TakeLock): Promise<Held> {
  const giveUpAt = performance.now() + TURN_WITHIN_MS;
  for (;;) {
    const turn = takeLock(path);
    if (turn.ok) return turn.value;
    if (performance.now() > giveUpAt) throw new Error(`${path} is held by somebody who does not let go`);
    await sleep(RETRY_MS);
  }
}

/** Takes away the notes of the dead, but for one that still tells of something. */
function obstacleTo(own: Claim, folder: string, takeLock: TakeLock, leftIn: LeftIn): string | undefined {
  for (const { path, claim } of claimsIn(folder)) {
    const life = takeLock(path + LIFE);
    if (!life.ok) {
      if (isOf(claim, own.config)) return `${takenBy(claim)}; ${afterTaken(claim)}`;
      continue;
    }
    const widowed = isOf(claim, own.config) ? widowedBy(claim, own, leftIn) : undefined;
    if (widowed === undefined) takeBack(path, life.value);
    else {
      life.value.release();
      return leftBehind(widowed);
    }
  }
  return undefined;
}

/** With the same run_dir they are taken up. */
function widowedBy(claim: Claim, own: Claim, leftIn: LeftIn): Widowed | undefined {
  const runDir = claim.runDir ?? dirname(claim.socket);
  if (runDir === own.runDir) return undefined;
  const instances = leftIn(runDir);
  return instances.length === 0 ? undefined : { claim, runDir, instances };
}

/** Held by the daemon while it lives. */
const LIFE = '.lock';

function noteDown(claim: Claim, folder: string, takeLock: TakeLock): Held {
  const path = join(folder, `${claim.pid}-${randomBytes(4).toString('hex')}`);
  const life = takeLock(path + LIFE);
  if (!life.ok) throw new Error(`${path}${LIFE} is held by somebody else`);
  writeFileSync(path + NOTE, JSON.stringify(claim), { mode: 0o600 });
  return {
    get isInPlace() {
      return life.value.isInPlace && existsSync(path + NOTE);
    },
    release: () => takeBack(path, life.value),
  };
}

/** The note first: one without a life is nobody's. */
function takeBack(path: string, life: Held): void {
  rmSync(path + NOTE, { force: true });
  rmSync(path + LIFE, { force: true });
  life.release();
}
