/** The leaders that were started by posix_spawn: their ends are noticed through pidfds, and reaped here. */
import { closeSync } from 'node:fs';
import type { ExitStatus } from '../base/exit-status.ts';
import type { Libc } from './libc.ts';
import { reapSoon } from './reaper.ts';
import type { Watch } from './watch.ts';

type Ended = (exit: ExitStatus) => void;

export class Leaders {
  private readonly libc: Libc;
  private readonly watch: Watch;
  private readonly open = new Map<number, { readonly pidfd: number; readonly ended: Ended }>();

  constructor(libc: Libc, watch: Watch) {
    this.libc = libc;
    this.watch = watch;
  }

  /** False when its end could not be noticed: it has been ended then, and reaped. */
  add(pid: number, ended: Ended): boolean {
    const isWatched = this.takeUp(pid, ended);
    if (!isWatched) this.abandon(pid);
    return isWatched;
  }

  /** A child that was begun by the program which has become this one, dead or alive. False: its end cannot be noticed. */
  takeUp(pid: number, ended: Ended): boolean {
    const pidfd = this.libc.openPidfd(pid);
    if (pidfd !== null && this.watch.add(pidfd, () => this.collect())) {
      this.open.set(pid, { pidfd, ended });
      return true;
    }
    if (pidfd !== null) closeSync(pidfd);
    return false;
  }

  /** Ends one that has begun nothing, which is not reported. Does nothing where it has been collected already. */
  end(pid: number): void {
    const found = this.open.get(pid);
    if (found === undefined) return;
    this.open.delete(pid);
    this.letGo(found.pidfd);
    this.libc.endChild(pid);
  }

  close(): void {
    for (const { pidfd } of this.open.values()) this.letGo(pidfd);
    this.open.clear();
  }

  /** All that have ended are reaped before the first of them is reported: so one look at /proc serves them all. */
  private collect(): void {
    const gone: (() => void)[] = [];
    for (const [pid, { pidfd, ended }] of this.open) {
      const exit = this.libc.collect(pid);
      if (exit === null) continue;
      this.open.delete(pid);
      this.letGo(pidfd);
      gone.push(() => ended(exit));
    }
    for (const report of gone) report();
  }

  private letGo(pidfd: number): void {
    this.watch.remove(pidfd);
    closeSync(pidfd);
  }

  /** Out of descriptors, say. A process that nobody would miss must not be left. */
  private abandon(pid: number): void {
    process.kill(pid, 'SIGKILL');
    reapSoon(this.libc, [pid]);
  }
}
