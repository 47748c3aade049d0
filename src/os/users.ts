/** The users and groups of this machine as /etc/passwd and /etc/group have them, for where koffi cannot be loaded. */
import { readFileSync } from 'node:fs';

export interface User {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  readonly home: string;
  readonly shell: string;
}

/** Null: there is none. @throws when it could not be found out. */
export interface Users {
  byName(name: string): User | null;
  byUid(uid: number): User | null;
  groupByName(name: string): number | null;
  /** All groups of a login of that name, `gid` among them. */
  groupsOf(name: string, gid: number): readonly number[];
}

/** `folder`: for tests. */
export function usersOfFiles(folder = '/etc'): Users {
  const users = (): User[] => lines(`${folder}/passwd`, 7, [2, 3]).map(toUser);
  const groups = () => lines(`${folder}/group`, 4, [2]).map(toGroup);
  return {
    byName: (name) => users().find((user) => user.name === name) ?? null,
    byUid: (uid) => users().find((user) => user.uid === uid) ?? null,
    groupByName: (name) => groups().find((group) => group.name === name)?.gid ?? null,
    groupsOf(name, gid) {
      const more = groups().filter((group) => group.members.includes(name));
      return [...new Set([gid, ...more.map((group) => group.gid)])];
    },
  };
}

/** `ids`: which fields are numbers; where one of them is left empty (`www:x::33:…`) nobody is meant, and not root. */
function lines(path: string, fields: number, ids: readonly number[]): string[][] {
  const all = readFileSync(path, 'utf8').split('\n');
  return all
    .map((line) => line.split(':'))
    .filter((parts) => parts.length >= fields && ids.every((at) => /^\d+$/.test(parts[at] ?? '')));
}

const toUser = ([name = '', , uid, gid, , home = '', shell = '']: readonly string[]): User => ({
  name,
  uid: Number(uid),
  gid: Number(gid),
  home,
  shell,
});

const toGroup = ([name = '', , gid, members = '']: readonly string[]) => ({
  name,
  gid: Number(gid),
  members: members.trim().split(','),
});
