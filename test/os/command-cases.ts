/** What holds of a command however processes are started and found. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { instanceId, programName } from '../../src/base/ids.ts';
import type { Force } from '../../src/os/processes.ts';
import type { CommandRequest, CommandResult } from '../../src/ports/processes.ts';
import type { LeakCheck } from '../rig/leaks.ts';
import { within } from '../rig/within.ts';
import { type Hands, isAlive, useHands } from './hands.ts';

export interface Asked {
  readonly results: CommandResult[];
  readonly result: Promise<CommandResult>;
  cancel(): void;
}

export function ask(
  h: Hands,
  leaks: LeakCheck,
  command: readonly string[],
  more: Partial<CommandRequest> = {},
): Asked {
  const results: CommandResult[] = [];
  let tell = (_: CommandResult): void => {};
  const told = new Promise<CommandResult>((resolve) => {
    tell = resolve;
  });
  const cancel = h.processes.execute(
    {
      id: instanceId(programName('worker'), 0),
      command,
      directory: h.folder,
      credentials: null,
      umask: null,
      timeoutMs: 20_000,
      ...more,
      environment: { PATH: process.env.PATH ?? '', ...leaks.environment, ...more.environment },
    },
    (result) => {
      results.push(result);
      tell(result);
    },
  );
  return {
    results,
    get result() {
      return within(`the end of ${command.join(' ')}`, told);
    },
    cancel,
  };
}

export const shell = (h: Hands, leaks: LeakCheck, script: string, more: Partial<CommandRequest> = {}) =>
  ask(h, leaks, ['bash', '-c', script], more);

/** What a script has written by now; for pids that it tells of. */
export async function written(h: Hands, name: string): Promise<string> {
  const path = join(h.folder, name);
  const read = async (): Promise<string> => {
    for (;;) {
      try {
        const text = readFileSync(path, 'utf8');
        if (text.endsWith('\n')) return text.trim();
      } catch {
        // not yet
      }
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  };
  return within(name, read());
}

export function describeCommands(leaks: LeakCheck, force?: Force): void {
  const hands = useHands(leaks);

  test('an exit code of 0 is a yes', async () => {
    const h = hands(force);
    expect(await shell(h, leaks, 'echo fine').result).toEqual({ ok: true, detail: 'exited with code 0' });
  });

  test('a failure is told with the last line of what it said', async () => {
    const h = hands(force);
    const script = 'echo looking; echo "no such table" >&2; echo; exit 2';
    expect(await shell(h, leaks, script).result).toEqual({
      ok: false,
      detail: 'exited with code 2: no such table',
    });
    expect((await shell(h, leaks, 'kill -SEGV $$').result).detail).toBe('was ended by SIGSEGV');
  });

  test('a program that does not exist, or a folder, is told in a later turn', async () => {
    const h = hands(force);
    const missing = ask(h, leaks, ['/nowhere/at-all']);
    const lost = ask(h, leaks, ['true'], { directory: '/nowhere' });
    expect([...missing.results, ...lost.results]).toEqual([]);
    expect((await missing.result).detail).toBe('cannot find the program /nowhere/at-all');
    expect((await lost.result).detail).toBe('cannot start: directory /nowhere does not exist');
  });

  test('what takes too long is killed whole', async () => {
    const h = hands(force);
    const asked = shell(h, leaks, 'trap "" TERM; sleep 1000 & echo $! > pid; wait', { timeoutMs: 1000 });
    const child = Number(await written(h, 'pid'));
    expect(await asked.result).toEqual({ ok: false, detail: 'took longer than 1s' });
    expect(isAlive(child)).toBe(false);
  });

  test('what it has left running is killed before it is told', async () => {
    const h = hands(force);
    const asked = shell(h, leaks, 'sleep 1000 & echo $! > pid');
    expect(await asked.result).toEqual({ ok: true, detail: 'exited with code 0' });
    expect(isAlive(Number(await written(h, 'pid')))).toBe(false);
  });

  test('cancelled, it is killed whole and told once', async () => {
    const h = hands(force);
    const asked = shell(h, leaks, 'sleep 1000 & echo $! > pid; wait');
    const child = Number(await written(h, 'pid'));
    asked.cancel();
    asked.cancel();
    expect(asked.results).toEqual([]);
    expect(await asked.result).toEqual({ ok: false, detail: 'was cancelled' });
    expect(isAlive(child)).toBe(false);
    expect(asked.results.length).toBe(1);
  });

  test('nothing of it is told as if it were a run', async () => {
    const h = hands(force);
    await shell(h, leaks, 'sleep 1000 & exit 3').result;
    await ask(h, leaks, ['/nowhere']).result;
    expect(h.happened).toEqual([]);
    expect(h.warned).toEqual([]);
  });

  test('it has no way to report, nothing to read, and a session of its own', async () => {
    const h = hands(force);
    const script =
      'env > env; ls -l /proc/$$/fd > fd; readlink /proc/$$/fd/0 > stdin; ps -o sid= -p $$ > sid; echo $$ > pid';
    const environment = { NOTIFY_SOCKET: '/run/notify', TSUP_VISOR_NOTIFY_FD: '3' };
    expect((await shell(h, leaks, script, { environment }).result).ok).toBe(true);
    const env = readFileSync(join(h.folder, 'env'), 'utf8');
    expect(env).not.toMatch(/NOTIFY/);
    expect(await written(h, 'stdin')).toBe('/dev/null');
    expect((await written(h, 'sid')).trim()).toBe(await written(h, 'pid'));
    expect(readFileSync(join(h.folder, 'fd'), 'utf8')).not.toMatch(/ 3 ->/);
  });

  test('the hands are closed: everything of it ends, and nothing is told', async () => {
    const h = hands(force);
    const asked = shell(h, leaks, 'sleep 1000 & echo $! > pid; wait');
    const child = Number(await written(h, 'pid'));
    h.close();
    await within(
      'the end of the child',
      (async () => {
        while (isAlive(child)) await new Promise((resolve) => setTimeout(resolve, 5));
      })(),
    );
    expect(asked.results).toEqual([]);
    expect((await shell(h, leaks, 'true').result).detail).toBe('cannot start: the daemon ends');
  });

  test('it is cancelled before it could begin to do anything', async () => {
    const h = hands(force);
    const asked = ask(h, leaks, ['sleep', '1000']);
    asked.cancel();
    expect(await asked.result).toEqual({ ok: false, detail: 'was cancelled' });
  });

  test('a flood is read to its end, and only the end of it is kept', async () => {
    const h = hands(force);
    const asked = shell(
      h,
      leaks,
      'yes "a line like any other" | head -c 30000000; echo; echo the last; exit 6',
    );
    expect((await asked.result).detail).toBe('exited with code 6: the last');
  });

  test('what it says is made fit to be shown', async () => {
    const h = hands(force);
    const say = async (text: string) =>
      (await shell(h, leaks, `printf '${text}' >&2; exit 1`).result).detail.replace(/^[^:]*: /, '');
    expect(await say('\\033[31mred\\033[0m and\\ttab\\a\\033]0;title\\a\\n\\n')).toBe('red and tab');
    expect(await say('loading 1%%\\rloading 99%%\\r\\n')).toBe('loading 99%');
    expect(await say('\\xe2\\x80\\xaeevil\\xe2\\x80\\xa8 ü')).toBe('evil  ü');
    expect(await say('x\\xff')).toBe('x\ufffd');
    expect((await say('%01000d')).length).toBe(301);
    // The end of a line that is longer than what is kept, and whose characters are torn.
    const long = await shell(h, leaks, 'printf "ä%.0s" {1..5000} >&2; exit 1').result;
    expect(long.detail).toMatch(/: ä{300}…$/);
  });

  test('two hundred of them leave nothing open', async () => {
    const h = hands(force);
    await shell(h, leaks, 'exit 0').result;
    const before = descriptors();
    for (let round = 0; round < 10; round++) {
      const asked = Array.from({ length: 20 }, (_, i) =>
        i % 5 === 4 ? ask(h, leaks, ['/nowhere']) : shell(h, leaks, 'echo something; exit 1'),
      );
      for (const { result } of asked) expect((await result).ok).toBe(false);
    }
    expect(descriptors()).toBeLessThanOrEqual(before);
  });
}

const descriptors = () => (process.platform === 'linux' ? readdirSync('/proc/self/fd').length : 0);
