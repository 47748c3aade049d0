/** What a variable of a program may be called, wherever it is set: in `environment` or in an env_file. */

const RESERVED = /^(?:TSUP_VISOR_.*|NOTIFY_SOCKET)$/;
const NAME = /^[A-Za-z_][A-Za-z0-9_.-]*$/;

/** What is wrong with the name; undefined: nothing. */
export function refuseVariable(name: string): string | undefined {
  if (RESERVED.test(name)) return `${name} is set by tsup-visor itself; choose another name`;
  if (NAME.test(name)) return undefined;
  return `${JSON.stringify(name)} cannot name a variable; use letters, digits and _`;
}
