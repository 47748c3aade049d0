/** Whoever follows files is told when to look: at once where something was written, and now and then in any case. */
import { watch, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { beforeAll, expect, test } from 'vitest';
import { Bell } from '../../../src/logs/read/bell.ts';
import { useLeakCheck } from '../../rig/leaks.ts';
import { within } from '../../rig/within.ts';
import { useLogs } from './rig.ts';

// The event loop keeps its inotify descriptor once it has one.
beforeAll(() => watch(tmpdir(), { persistent: false }).close());
useLeakCheck();
const newLog = useLogs();
const never = new AbortController().signal;

async function untilDue(bell: Bell, paths: readonly string[], path: string): Promise<void> {
  for (let due: readonly string[] = []; !due.includes(path); ) due = await bell.next(paths, never);
}

test('the files are due at first, and then the one that was written to, or made', async () => {
  const [one, other] = [newLog(), newLog()];
  one.write('a\n');
  const paths = [one.path, other.path, '/dev/null'];
  const bell = new Bell();
  expect(await within('the first look', bell.next(paths, never))).toEqual(paths);
  one.write('b\n');
  await within('what was written', untilDue(bell, paths, one.path));
  writeFileSync(other.path, 'new\n');
  await within('what was made', untilDue(bell, paths, other.path));
  bell.close();
});

test('nothing is due any more when it is over', async () => {
  const bell = new Bell();
  await bell.next([], never);
  const over = new AbortController();
  const next = bell.next([newLog().path], over.signal);
  over.abort();
  expect(await within('the end', next)).toEqual([]);
  bell.close();
});
