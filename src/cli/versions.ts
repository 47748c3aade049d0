/** A command and a daemon of different versions: both are named, and what makes one of them. */
import { VERSION } from '../base/version.ts';

/** Undefined where they are of one version, or where that cannot be known. */
export function twoVersions(daemon: string | undefined, own: string = VERSION): string | undefined {
  if (daemon === undefined || daemon === own || own === 'development') return undefined;
  return `the daemon is ${daemon}, this command ${own}`;
}

export const oneVersion = (own: string = VERSION): string =>
  `"tsup-visor upgrade" makes the daemon ${own}, and no instance notices`;
