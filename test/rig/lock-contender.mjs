// Says "here", waits for a line, tries to take a lock, says "held" or "taken PID", and stays until its input ends.
import { once } from 'node:events';

const [, , module, path, how] = process.argv;
const { acquireLock } = await import(module);
console.log('here');
await once(process.stdin, 'data');
const lock = how === 'with flock' ? acquireLock(path) : acquireLock(path, null);
console.log(lock.ok ? 'held' : `taken ${lock.error.heldBy}`);
