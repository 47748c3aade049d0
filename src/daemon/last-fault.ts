/** Leaves word of why this daemon ends; the next one takes it away. */
import { rmSync, writeFileSync } from 'node:fs';
import { type LastFault, lastFaultFile } from '../protocol/errors.ts';

/** Never throws: a full disk must not stop an end. */
export function leaveFault(socket: string, fault: LastFault): void {
  try {
    forgetFault(socket); // what is there may be anybody's
    writeFileSync(lastFaultFile(socket), `${JSON.stringify(fault)}\n`, { mode: 0o600, flag: 'wx' });
  } catch {
    // It stands in the daemon's own log as well.
  }
}

export const forgetFault = (socket: string): void => rmSync(lastFaultFile(socket), { force: true });
