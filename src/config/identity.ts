/** The shapes of who a process is: a user, a group, a umask. */
import { fail, ok, type Result } from '../base/result.ts';
import { must, type Refusal, scalar } from './scalar.ts';
import type { Shape } from './shape.ts';

/** As useradd(8) has them, with what directories of a company allow. */
const NAME = /^[A-Za-z_][A-Za-z0-9_.@\\-]*\$?$/;
/** 4294967295 stands for "no change" in the system's calls. */
const HIGHEST_ID = 4_294_967_294;

/** Whether there is such a user is seen at each start: it may come and go. */
export const account = (what: 'user' | 'group'): Shape<string> => {
  const expects = `the name or the number of a ${what}`;
  return scalar<string>({
    expects,
    parse(found): Result<string, Refusal> {
      if (/^\d+$/.test(found)) {
        return Number(found) <= HIGHEST_ID ? ok(String(Number(found))) : must(expects, found);
      }
      if (NAME.test(found)) return ok(found);
      const [user, group] = found.split(':');
      if (what === 'group' || group === undefined) return must(expects, found);
      return fail({ message: `must be a user alone; write \`user: ${user}\` and \`group: ${group}\`` });
    },
    show: (value) => value,
  });
};

const UMASK_EXPECTED = 'permission bits to take away, such as "022"';

/** In octal, however YAML would read it. */
export const umask: Shape<number> = scalar<number>({
  expects: UMASK_EXPECTED,
  parse(found) {
    if (/^(?:0o?)?[0-7]{3}$/.test(found)) return ok(Number.parseInt(found.slice(-3), 8));
    const message = `must be ${UMASK_EXPECTED}, not ${JSON.stringify(found)}`;
    // One or two digits may be octal or not: nobody is to guess.
    return /^[0-7]{1,2}$/.test(found)
      ? fail({ message, suggestion: found.padStart(3, '0') })
      : fail({ message });
  },
  show: (value) => value.toString(8).padStart(3, '0'),
});
