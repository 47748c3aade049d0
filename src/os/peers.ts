/** Who is at the other end of a unix socket: unix(7) SO_PEERCRED. Where the system does not tell, nobody is. */
import { loadLibc } from './libc.ts';

/** The name of the user, or the number where there is no name; null: it cannot be told. Never throws. */
export function createPeers(libc = loadLibc()): (connection: unknown) => string | null {
  return (connection) => {
    try {
      const descriptor = descriptorOf(connection);
      const uid = descriptor === null ? null : (libc?.peerUid(descriptor) ?? null);
      return uid === null ? null : (libc?.users.byUid(uid)?.name ?? String(uid));
    } catch {
      return null;
    }
  };
}

/** The number of that user; null: it cannot be told. Never throws. */
export function peerUid(connection: unknown, libc = loadLibc()): number | null {
  const descriptor = descriptorOf(connection);
  return descriptor === null ? null : (libc?.peerUid(descriptor) ?? null);
}

/** Whether a user may do whatever this process may. */
export const isOwn = (uid: number | null): boolean => uid === 0 || uid === process.geteuid?.();

/** Node has no word for it: the handle beneath a socket or a server knows, as long as it is open. */
export function descriptorOf(connection: unknown): number | null {
  const { _handle: handle } = connection as { _handle?: { fd?: unknown } | null }; // whatever it is, `fd` is looked at
  const descriptor = handle?.fd;
  return typeof descriptor === 'number' && descriptor >= 0 ? descriptor : null;
}
