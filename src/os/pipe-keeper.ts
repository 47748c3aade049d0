/**
 * What is in a pipe is gone when nobody holds it any more: the last words of a program that ends while no daemon is
 * there. So a shell holds all pipes that the daemon reads. It sleeps as long as the daemon lives; after that it waits
 * for the next daemon, which has a keeper of its own, or until its patience is over.
 */
import { closeSync, unlinkSync, writeFileSync } from 'node:fs';
import { fail, ok, type Result } from '../base/result.ts';
import type { Libc } from './libc.ts';
import { leaders } from './reaper.ts';
import { explain, explainErrno } from './system-error.ts';
import type { Watch } from './watch.ts';

const SHELL = '/bin/sh';
/** Descriptor 3 ends with the daemon. $1 names a file with the word of whichever daemon is there; $2 is that of its own; $3: seconds. */
const SCRIPT = `read x <&3
n=0
while [ $n -lt "$3" ] && read word < "$1" && [ "$word" = "$2" ]; do sleep 1; n=$((n + 1)); done`;

/** One that somebody ends again and again is not begun more often. */
const SHORTEST_LIFE_MS = 1000;

interface Held {
  readonly pid: number;
  readonly since: number;
  /** Our end: it is closed when this process ends, however that comes about. */
  readonly lifeline: number;
}

export class PipeKeeper {
  readonly #libc: Libc;
  readonly #word = `${process.pid}-${Date.now()}`;
  readonly #watch: Watch;
  #held: Held | null = null;
  #loss: NodeJS.Timeout | null = null;

  /** `watch`: what it is told by that the keeper has ended. */
  constructor(libc: Libc, watch: Watch) {
    this.#libc = libc;
    this.#watch = watch;
  }

  /**
   * These, and no others, from now on. `file`: where the word of the daemon is. `patienceS`: how long the next daemon is
   * waited for. `lost`: somebody has ended the keeper, so it is to be asked for again. Fails in one sentence.
   */
  hold(pipes: readonly number[], file: string, patienceS: number, lost: () => void): Result<null, string> {
    if (pipes.length === 0) {
      this.#end();
      removeIfThere(file);
      return ok(null);
    }
    const fresh = this.#begin(pipes, file, patienceS);
    if (!fresh.ok)
      return fail(
        `cannot keep what is in the pipes of programs beyond the end of the daemon: ${fresh.error}`,
      );
    this.#end();
    this.#held = fresh.value;
    // Nobody reads at the other end any more: that can be heard of.
    this.#watch.add(fresh.value.lifeline, () => this.#lose(lost));
    return ok(null);
  }

  /** It lives on, for the next daemon. */
  leave(): void {
    if (this.#loss !== null) clearTimeout(this.#loss);
    this.#loss = null;
    if (this.#held === null) return;
    this.#watch.remove(this.#held.lifeline);
    leaders.delete(this.#held.pid);
    closeSync(this.#held.lifeline);
    this.#held = null;
  }

  #begin(pipes: readonly number[], file: string, patienceS: number): Result<Held, string> {
    const made = this.#libc.makePipe();
    if ('errno' in made) return fail(explainErrno(made.errno));
    try {
      writeFileSync(file, `${this.#word}\n`, { mode: 0o600 });
      const begun = this.#libc.spawnLeader({
        path: SHELL,
        args: ['sh', '-c', SCRIPT, 'tsup-visor-keeper', file, this.#word, String(patienceS)],
        directory: '/',
        environment: ['PATH=/usr/bin:/bin'],
        stdout: null,
        stderr: null,
        notify: made.read,
        gate: null,
        kept: pipes,
        asRealUser: false,
      });
      if ('errno' in begun) throw new Error(explainErrno(begun.errno));
      leaders.add(begun.pid);
      return ok({ pid: begun.pid, since: performance.now(), lifeline: made.write });
    } catch (error) {
      closeSync(made.write);
      return fail(explain(error));
    } finally {
      closeSync(made.read);
    }
  }

  #end(): void {
    if (this.#held !== null) this.#libc.endChild(this.#held.pid);
    this.leave();
  }

  #lose(lost: () => void): void {
    const livedMs = performance.now() - (this.#held?.since ?? 0);
    this.#end();
    this.#loss = setTimeout(lost, livedMs < SHORTEST_LIFE_MS ? SHORTEST_LIFE_MS : 0);
    this.#loss.unref();
  }
}

function removeIfThere(path: string): void {
  try {
    unlinkSync(path);
  } catch {
    // It was not there, or its folder is gone.
  }
}
