/** Who keeps what is in the pipes beyond the end of the daemon may be killed as well: another takes its place. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { loadLibc } from '../../src/os/libc.ts';
import { useLeakCheck } from '../rig/leaks.ts';
import { canCarry, ID, type Scene, until, useScene } from './rig.ts';

const leaks = useLeakCheck();
const scene = useScene(leaks);
const libc = loadLibc();

const childrenOf = (pid: number): number[] =>
  readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').map(Number).filter(Boolean);

function holds(pid: number, path: string): boolean {
  try {
    const folder = `/proc/${pid}/fd`;
    return readdirSync(folder).some((name) => readlinkSync(join(folder, name)) === path);
  } catch {
    return false; // it is about to be one, or has ended
  }
}

/** Those that keep its pipe, and are alive. */
const keepers = (s: Scene): number[] =>
  childrenOf(process.pid).filter((pid) => !s.others.has(pid) && holds(pid, join(s.fifos, `${ID}.out`)));

describe.skipIf(!canCarry)('a keeper', () => {
  test('that is killed is replaced, and leaves nothing behind', async () => {
    const s = scene();
    await s.write('x');
    for (let n = 0; n < 3; n++) {
      await until('a keeper', () => keepers(s).length === 1);
      const [keeper = 0] = keepers(s);
      process.kill(keeper, 'SIGKILL');
      await until('another', () => keepers(s).some((pid) => pid !== keeper));
      expect(libc?.childState(keeper)).toBe('none');
    }
    expect(s.warned).toEqual([]);
  });

  test('that waits for a daemon in vain ends when its patience is over', async () => {
    const s = scene();
    s.through = (real) => ({
      ...real,
      keep: (pipes, file, patienceS, lost) => {
        expect(patienceS).toBe(600);
        return real.keep(pipes, file, 1, lost);
      },
    });
    const { close } = s.open();
    await until('a keeper', () => keepers(s).length === 1);
    const [keeper = 0] = keepers(s);
    s.close();
    await until('its end', () => libc?.childState(keeper) === 'dead');
    close();
  });

  test('that is killed when nothing is to be kept any more is not missed', async () => {
    const s = scene();
    await s.write('x');
    await until('a keeper', () => keepers(s).length === 1);
    const [keeper = 0] = keepers(s);
    process.kill(keeper, 'SIGKILL');
    s.captures.dismiss(ID);
    await until('its end', () => libc?.childState(keeper) === 'none');
    await until('an empty folder', () => readdirSync(s.fifos).length === 0);
    expect(childrenOf(process.pid).filter((pid) => !s.others.has(pid))).toEqual([]);
  });
});
