/** Hooks and checks: run to their end, told once, and nothing of them is left. */
import { expect, test } from 'vitest';
import { useLeakCheck } from '../rig/leaks.ts';
import { describeCommands, shell, written } from './command-cases.ts';
import { isAlive, useHands } from './hands.ts';

const leaks = useLeakCheck();
const hands = useHands(leaks);

describeCommands(leaks);

test('a session of its own does not save what a command leaves', async () => {
  const h = hands();
  const script = `mkfifo begun; (setsid bash -c 'echo $$ > pid; echo > begun; exec sleep 1000' &); read < begun`;
  const asked = shell(h, leaks, script);
  const child = Number(await written(h, 'pid'));
  expect((await asked.result).ok).toBe(true);
  expect(isAlive(child)).toBe(false);
});
