/** Being somebody else ends whatever happens, and if it does not, nothing is begun any more. */
import { constants } from 'node:os';
import { beforeEach, expect, test, vi } from 'vitest';
import { fail, ok } from '../../src/base/result.ts';
import type { Libc } from '../../src/os/libc.ts';
import type { Credentials } from '../../src/ports/processes.ts';

const www: Credentials = { uid: 33, gid: 33, groups: [33], name: 'www', home: '/', shell: '/bin/sh' };
let asUser: typeof import('../../src/os/identity.ts').asUser;
let wear = 0;
let takeOff = 0;
let undone: number[];
const calls: string[] = [];
const note = (call: string, answer: number): number => {
  calls.push(call);
  return answer;
};
const libc = {
  wear: () => note('wear', wear),
  takeOff: () => note('take off', takeOff),
} as Partial<Libc> as Libc; // the two that are asked for

const act = () => {
  calls.push('act');
  return ok(7);
};
const begin = (credentials: Credentials | null, what: () => ReturnType<typeof act> = act) =>
  asUser(libc, credentials, what, (value) => void undone.push(value));

beforeEach(async () => {
  vi.resetModules(); // what is lost stays lost, for as long as the process lives
  ({ asUser } = await import('../../src/os/identity.ts'));
  [wear, takeOff, undone] = [0, 0, []];
  calls.length = 0;
});

test('is over with what was done', () => {
  expect(begin(www)).toEqual(ok(7));
  expect(calls).toEqual(['wear', 'act', 'take off']);
});

test('is not needed for one’s own', () => {
  expect(begin(null)).toEqual(ok(7));
  expect(calls).toEqual(['act']);
});

test('is over, too, when what was done throws', () => {
  const broken = () => {
    throw new Error('a defect');
  };
  expect(() => begin(www, broken)).toThrow('a defect');
  expect(calls).toEqual(['wear', 'take off']);
  expect(begin(www)).toEqual(ok(7));
});

test('half taken on is given back, and nothing is done', () => {
  wear = constants.errno.EINVAL;
  const message = 'cannot take on user "www": invalid argument';
  expect(begin(www)).toEqual(fail({ stage: 'user', message }));
  expect(calls).toEqual(['wear', 'take off']);
});

test('from which there is no way back undoes what was begun, and is the last thing that is', () => {
  takeOff = constants.errno.EPERM;
  const message =
    'the daemon could not become its own user again, and starts nothing more; restart the daemon';
  expect(begin(www)).toEqual(fail({ stage: 'user', message }));
  expect(undone).toEqual([7]);
  calls.length = 0;
  for (const who of [www, null]) expect(begin(who)).toEqual(fail({ stage: 'user', message }));
  expect(calls).toEqual([]);
});
