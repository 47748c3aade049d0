/** The users and groups that the system knows, by whatever it is set up to ask (files, LDAP, …): through koffi. */
import { constants } from 'node:os';
import { systemError } from './system-error.ts';
import type { User, Users } from './users.ts';

type Call = (...args: unknown[]) => number;
type Declare = (signature: string) => Call;
type AddressOf = (buffer: Uint8Array) => bigint;

const FIRST_BYTES = 4096;
const MOST_BYTES = 16 * 1024 * 1024;
const FIRST_GROUPS = 64;
/** Linux gives nobody more: whoever asks for room again after that has another trouble. */
const MOST_GROUPS = 65_536;
/** getpwnam(3): what different systems answer when there is simply no such entry. */
const ABSENT = ['ENOENT', 'ESRCH', 'EBADF', 'EPERM'] as const;
// `struct passwd` and `struct group` of 64-bit Linux, in bytes.
const RECORD_BYTES = 64;
const PASSWD = { name: 0, uid: 16, gid: 20, home: 32, shell: 40 };
const GROUP_GID = 16;

/** @throws what koffi throws when the C library lacks one of these. */
export function userCalls(declare: Declare, addressOf: AddressOf): Users {
  const getpwnam = declare('int getpwnam_r(const char *, void *, void *, size_t, void *)');
  const getpwuid = declare('int getpwuid_r(uint, void *, void *, size_t, void *)');
  const getgrnam = declare('int getgrnam_r(const char *, void *, void *, size_t, void *)');
  const getgrouplist = declare('int getgrouplist(const char *, uint, void *, void *)');

  const user = (call: Call, key: string | number): User | null =>
    lookUp(call, key, (record, text) => ({
      name: text(PASSWD.name),
      uid: record.readUInt32LE(PASSWD.uid),
      gid: record.readUInt32LE(PASSWD.gid),
      home: text(PASSWD.home),
      shell: text(PASSWD.shell),
    }));

  /** @throws when the system could not look: that says nothing about whether there is one. */
  function lookUp<T>(
    call: Call,
    key: string | number,
    take: (record: Buffer, text: (at: number) => string) => T,
  ): T | null {
    const record = Buffer.alloc(RECORD_BYTES);
    const found = new BigUint64Array(1);
    for (let size = FIRST_BYTES; ; size *= 4) {
      const texts = Buffer.alloc(size);
      const errno = call(key, record, texts, texts.length, found);
      if (errno === constants.errno.ERANGE && size < MOST_BYTES) continue;
      if (errno !== 0 && !ABSENT.some((name) => constants.errno[name] === errno)) throw systemError(errno);
      if (found[0] === 0n || errno !== 0) return null;
      return take(record, (at) => textAt(texts, record.readBigUInt64LE(at) - addressOf(texts)));
    }
  }

  return {
    byName: (name) => user(getpwnam, name),
    byUid: (uid) => user(getpwuid, uid),
    groupByName: (name) => lookUp(getgrnam, name, (record) => record.readUInt32LE(GROUP_GID)),
    groupsOf(name, gid) {
      const count = new Int32Array([FIRST_GROUPS]);
      let groups = new Uint32Array(FIRST_GROUPS);
      // It says how many there are, or (musl) only that there are more.
      while (getgrouplist(name, gid, groups, count) < 0) {
        if (groups.length > MOST_GROUPS) throw systemError(constants.errno.E2BIG);
        groups = new Uint32Array(Math.max(count[0] ?? 0, groups.length * 2));
        count[0] = groups.length;
      }
      return [...groups.subarray(0, count[0])];
    },
  };
}

/** All texts of an entry lie in the buffer that was given for them. */
function textAt(texts: Buffer, offset: bigint): string {
  if (offset < 0n || offset >= BigInt(texts.length)) return '';
  const from = Number(offset);
  return texts.toString('utf8', from, texts.indexOf(0, from));
}
