/**
 * Where the daemon is when it is not simply where its config says: it runs with the file as it was before, under
 * another name, or the file cannot be read any more. What needs no more than the socket goes on all the same.
 */
import { basename } from 'node:path';
import { connect } from '../client/client.ts';
import { type Claim, claimsFolder, claimsIn, isOf, isSame } from '../config/claim.ts';
import type { Io } from './io.ts';
import type { Unreadable } from './plan.ts';
import { isSocket } from './refusal.ts';
import { worldOf } from './world.ts';

export interface Place {
  readonly socket: string;
  /** Whether `socket` was given rather than taken from the config. */
  readonly given: boolean;
  /** What people are told before that daemon is asked: the config says something else, or cannot be read. */
  readonly remark?: string;
  /** It is known that the daemon there runs with the config that is meant: it has noted that down. */
  readonly noted?: true;
  /** The daemon there, where the config would have one elsewhere. */
  readonly claim?: Claim;
}

/** `glance`: the socket, where it could be told without the parser. Throws a refusal that shows the mistakes. */
export async function whereabouts(file: string, glance: string | null, io: Io): Promise<Place> {
  const read = glance ?? (await import('./plan.ts')).socketFrom(file, io);
  if (typeof read !== 'string') return despite(file, read, io);
  if (isSocket(read)) return { socket: read, given: false };
  const claim = await claimOf(file, io);
  // At the same place: it has only come up since the first look.
  if (claim === undefined || claim.socket === read) return { socket: read, given: false };
  const runs = `${JSON.stringify(claim.name)} at ${claim.socket}, which runs with the same ${basename(file)}`;
  const remark = `no daemon is at ${read}; asking ${runs}`;
  return { socket: claim.socket, given: false, remark, noted: true, claim };
}

/** No file is where it was looked for: a daemon that runs with one that was there. Throws the refusal where none does. */
export async function withoutFile(looked: readonly string[], refusal: Error, io: Io): Promise<Place> {
  for (const file of looked) {
    const claim = await claimOf(file, io);
    if (claim === undefined) continue;
    const remark = `${file} is not there any more; the daemon runs with the config it has`;
    return { socket: claim.socket, given: false, remark, noted: true };
  }
  throw refusal;
}

/** The file is wrong: the daemon that runs with it, or one at a likely place of which nothing else is known. */
async function despite(file: string, wrong: Unreadable, io: Io): Promise<Place> {
  const remark = `${wrong.brief}; the daemon runs with the config it has`;
  const claim = await claimOf(file, io);
  if (claim !== undefined) return { socket: claim.socket, given: false, remark, noted: true };
  const likely = await firstOf(wrong.likely, file);
  if (likely === undefined) throw wrong.refusal;
  return { socket: likely, given: false, remark };
}

/** Of the daemon that runs with this file, if it answers. */
async function claimOf(file: string, io: Io): Promise<Claim | undefined> {
  for (const { claim } of claimsIn(claimsFolder(worldOf(io)))) {
    if (isOf(claim, file) && (await configAt(claim.socket)) === claim.config) return claim;
  }
  return undefined;
}

async function firstOf(sockets: readonly string[], file: string): Promise<string | undefined> {
  for (const socket of sockets) {
    if (!isSocket(socket)) continue;
    const config = await configAt(socket);
    // One that does not answer may be dead, or not ours to ask: the command itself tells that.
    if (config === undefined || isSame(config, file)) return socket;
  }
  return undefined;
}

/** Which config the daemon there runs with; undefined where it does not say. */
async function configAt(socket: string): Promise<string | undefined> {
  try {
    const asking = { signal: AbortSignal.timeout(ANSWER_WITHIN_MS) };
    return (await connect(socket).status({ usage: false }, asking)).daemon.config;
  } catch {
    return undefined;
  }
}

const ANSWER_WITHIN_MS = 5000;
