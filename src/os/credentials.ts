/** Finds out who a program is to be: never root unless root is named, and never half of what was asked for. */
import { fail, ok, type Result } from '../base/result.ts';
import type { Credentials, SpawnFault } from '../ports/processes.ts';
import { explain } from './system-error.ts';
import type { User, Users } from './users.ts';

/** Who the daemon is. */
export interface Self {
  readonly uid: number;
  readonly gid: number;
  readonly groups: readonly number[];
}

export const self = (): Self => ({
  uid: process.geteuid?.() ?? -1,
  gid: process.getegid?.() ?? -1,
  groups: process.getgroups?.() ?? [],
});

type Found<T> = Result<T, SpawnFault>;

/** The highest one stands for "no change" in every call that takes one. */
const MAX_ID = 2 ** 32 - 2;

export function findCredentials(
  user: string | null,
  group: string | null,
  users: Users,
  who?: Self,
): Found<Credentials | null> {
  if (user === null && group === null) return ok(null);
  const own = who ?? self();
  const person = findUser(user, group, users, own);
  if (!person.ok) return person;
  const gid = group === null ? ok(person.value.gid) : findGroup(group, users);
  if (!gid.ok) return gid;
  const refused = refusal(user, group, { ...person.value, gid: gid.value }, users, own);
  if (refused !== null) return fail(refused);
  return looked('group', group ?? person.value.name, () => ({
    uid: person.value.uid,
    gid: gid.value,
    groups: own.uid === 0 ? users.groupsOf(person.value.name, gid.value) : own.groups,
    name: person.value.name,
    home: person.value.home || '/',
    shell: person.value.shell || '/bin/sh',
  }));
}

/** Is there anything to change? Whoever is not root cannot. */
export function differs({ uid, gid, groups }: Credentials, own = self()): boolean {
  if (uid !== own.uid || gid !== own.gid) return true;
  const mine = new Set([own.gid, ...own.groups]);
  const wanted = new Set([gid, ...groups]);
  return own.uid === 0 && (mine.size !== wanted.size || [...wanted].some((group) => !mine.has(group)));
}

function findUser(user: string | null, group: string | null, users: Users, own: Self): Found<User> {
  const asked = user ?? String(own.uid);
  const uid = idOf(asked);
  // A number that is too large would be cut short on its way to the system, down to root's own maybe.
  if (uid !== null && uid > MAX_ID) return fault('user', `user "${asked}" does not exist`);
  const found = looked('user', asked, () => (uid === null ? users.byName(asked) : users.byUid(uid)));
  if (!found.ok) return found;
  if (found.value !== null)
    // Without root's rights the group stays as it is, whatever the user's first one may be.
    return ok(own.uid !== 0 && found.value.uid === own.uid ? { ...found.value, gid: own.gid } : found.value);
  if (uid === null) return fault('user', `user "${asked}" does not exist`);
  if (uid === own.uid) return ok(nameless(uid, own.gid));
  if (group !== null) return ok(nameless(uid, own.gid));
  return fault(
    'user',
    `user ${asked} is in no user database, so its group is not known; set "group" as well`,
  );
}

const nameless = (uid: number, gid: number): User => ({ name: String(uid), uid, gid, home: '/', shell: '' });

function findGroup(group: string, users: Users): Found<number> {
  const gid = idOf(group);
  if (gid !== null && gid <= MAX_ID) return ok(gid);
  const found = looked('group', group, () => (gid === null ? users.groupByName(group) : null));
  if (!found.ok) return found;
  return found.value === null ? fault('group', `group "${group}" does not exist`) : ok(found.value);
}

function refusal(
  user: string | null,
  group: string | null,
  wanted: Pick<Credentials, 'uid' | 'gid'>,
  users: Users,
  own: Self,
): SpawnFault | null {
  if (own.uid === 0) return null;
  const only = (what: string) =>
    `${what} can only be taken on by root; the daemon runs as "${nameOf(own.uid, users)}"`;
  if (wanted.uid !== own.uid) return { stage: 'user', message: only(`user "${user}"`) };
  if (wanted.gid !== own.gid) return { stage: 'group', message: only(`group "${group}"`) };
  return null;
}

function nameOf(uid: number, users: Users): string {
  const found = looked('user', String(uid), () => users.byUid(uid)?.name);
  return (found.ok ? found.value : null) ?? String(uid);
}

const idOf = (text: string): number | null => (/^\d+$/.test(text) ? Number(text) : null);

function looked<T>(stage: 'user' | 'group', name: string, look: () => T): Found<T> {
  try {
    return ok(look());
  } catch (error) {
    return fault(stage, `cannot look up ${stage} "${name}": ${explain(error)}`);
  }
}

const fault = (stage: string, message: string) => fail({ stage, message });
