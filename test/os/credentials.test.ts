/** Who a program is to be is found out whole, or refused with the stage and the name. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { differs, findCredentials } from '../../src/os/credentials.ts';
import { loadLibc } from '../../src/os/libc.ts';
import { type Users, usersOfFiles } from '../../src/os/users.ts';

const root = { uid: 0, gid: 0, groups: [0] };
const bob = { uid: 1000, gid: 1000, groups: [1000, 7] };
let folder: string;
let users: Users;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'users-'));
  writeFileSync(
    join(folder, 'passwd'),
    'root:x:0:0:root:/root:/bin/bash\nbob:x:1000:1000::/home/bob:/bin/zsh\nwww:x:33:33::/var/www:\n# a torn line\n',
  );
  writeFileSync(
    join(folder, 'group'),
    'root:x:0:\nbob:x:1000:\nwww:x:33:\nlogs:x:40:www,bob\nweb:x:41:www\n',
  );
  users = usersOfFiles(folder);
});
afterEach(() => rmSync(folder, { recursive: true }));

const www = { uid: 33, gid: 33, groups: [33, 40, 41], name: 'www', home: '/var/www', shell: '/bin/sh' };
const find = (user: string | null, group: string | null, self = root) =>
  findCredentials(user, group, users, self);
const refused = (stage: string, message: string) => ({ ok: false, error: { stage, message } });

describe('as root', () => {
  test('nothing asked is nothing to change', () =>
    expect(find(null, null)).toEqual({ ok: true, value: null }));

  test('a name and a number mean the same, with the groups of a login', () => {
    expect(find('www', null)).toEqual({ ok: true, value: www });
    expect(find('33', null)).toEqual({ ok: true, value: www });
  });

  test('a group takes the place of the first one', () => {
    const value = { ...www, gid: 1000, groups: [1000, 40, 41] };
    expect(find('www', 'bob')).toEqual({ ok: true, value });
    expect(find('www', '1000')).toEqual({ ok: true, value });
  });

  test('a group without a user changes the daemon’s own', () => {
    expect(find(null, 'logs')).toMatchObject({ ok: true, value: { uid: 0, gid: 40, name: 'root' } });
  });

  test('who does not exist is refused, and never root instead', () => {
    expect(find('wwww', null)).toEqual(refused('user', 'user "wwww" does not exist'));
    expect(find('', null)).toEqual(refused('user', 'user "" does not exist'));
    expect(find('-1', null)).toEqual(refused('user', 'user "-1" does not exist'));
    expect(find('www', 'wwww')).toEqual(refused('group', 'group "wwww" does not exist'));
  });

  test('the number that stands for "no change" is nobody’s', () => {
    expect(find('4294967295', 'www')).toEqual(refused('user', 'user "4294967295" does not exist'));
    expect(find('www', '4294967295')).toEqual(refused('group', 'group "4294967295" does not exist'));
  });

  test('a number that is too large for the system is nobody’s, whatever is left of it there', () => {
    const libc = loadLibc()?.users;
    const cut: Users = libc ?? { ...users, byUid: (uid) => users.byUid(uid % 2 ** 32) };
    expect(findCredentials('4294967296', null, cut, root)).toEqual(
      refused('user', 'user "4294967296" does not exist'),
    );
  });

  test('who has no number in the database is nobody, and not root', () => {
    writeFileSync(join(folder, 'passwd'), 'www:x::33::/var/www:\n+::::::\nbob:x:1000:::/home/bob:\n');
    writeFileSync(join(folder, 'group'), 'www:x::\n');
    expect(find('www', null)).toEqual(refused('user', 'user "www" does not exist'));
    expect(find('+', null)).toEqual(refused('user', 'user "+" does not exist'));
    expect(find('bob', null)).toEqual(refused('user', 'user "bob" does not exist'));
    expect(find('777', 'www')).toEqual(refused('group', 'group "www" does not exist'));
  });

  test('a number without a name needs a group', () => {
    expect(find('777', null)).toEqual(
      refused('user', 'user 777 is in no user database, so its group is not known; set "group" as well'),
    );
    expect(find('777', 'logs')).toMatchObject({
      ok: true,
      value: { uid: 777, gid: 40, groups: [40], home: '/' },
    });
  });

  test('a database that cannot be read is said to be so', () => {
    rmSync(join(folder, 'passwd'));
    expect(find('www', null)).toEqual(
      refused('user', 'cannot look up user "www": no such file or directory'),
    );
  });
});

describe('as somebody else', () => {
  test('another user, or group, is refused', () => {
    expect(find('www', null, bob)).toEqual(
      refused('user', 'user "www" can only be taken on by root; the daemon runs as "bob"'),
    );
    expect(find(null, 'www', bob)).toEqual(
      refused('group', 'group "www" can only be taken on by root; the daemon runs as "bob"'),
    );
    expect(find('root', null, bob)).toMatchObject({ ok: false, error: { stage: 'user' } });
  });

  test('one’s own is nothing to change, and yet has a home', () => {
    const found = find('bob', null, bob);
    expect(found).toMatchObject({
      ok: true,
      value: { home: '/home/bob', shell: '/bin/zsh', groups: [1000, 7] },
    });
    expect(found.ok && found.value !== null && differs(found.value, bob)).toBe(false);
  });
});

test('root with other groups than a login’s is not the same', () => {
  const value = { ...www, uid: 0, gid: 0, groups: [0] };
  expect(differs(value, root)).toBe(false);
  expect(differs(value, { ...root, groups: [0, 4] })).toBe(true);
  expect(differs({ ...value, groups: [0, 4] }, root)).toBe(true);
});

describe.skipIf(loadLibc() === null)('the system’s own database', () => {
  test('knows whom the files know', () => {
    const system = loadLibc()?.users;
    const files = usersOfFiles();
    for (const name of ['root', 'nobody', 'games', 'no-such-user']) {
      const user = files.byName(name);
      expect(system?.byName(name)).toEqual(user);
      if (user === null) continue;
      expect(system?.byUid(user.uid)).toEqual(user);
      const sorted = (groups: readonly number[] = []) => [...groups].sort();
      expect(sorted(system?.groupsOf(name, user.gid))).toEqual(sorted(files.groupsOf(name, user.gid)));
    }
    expect(system?.byUid(4_000_000)).toBeNull();
    expect(system?.groupByName('tty')).toBe(files.groupByName('tty'));
    expect(system?.groupByName('no-such-group')).toBeNull();
  });
});
